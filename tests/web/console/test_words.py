"""What the console says where the shop refuses."""

from __future__ import annotations

import pytest

from db.models import OrderStatus
from settings import KNOWN_PAYMENT_PROVIDERS
from shop.errors import StaffRefusal
from tests.shop.test_errors import example, leaves
from web.console.words import METHOD_WORDS, STATUS_WORDS, words_for


@pytest.mark.parametrize("kind", sorted(leaves(StaffRefusal), key=lambda kind: kind.__name__))
def test_every_refusal_of_the_staffs_is_a_sentence(kind):
    words = words_for(example(kind))
    assert words[0].isupper() or words.startswith("ABC234") or words.startswith("stripe")
    assert words.endswith(".") and "{" not in words and kind.__name__ not in words
    assert "Nothing was changed." not in words, "the sentence for what nobody thought of"


def test_every_status_and_every_way_to_pay_has_words():
    assert set(STATUS_WORDS) == {status.value for status in OrderStatus}
    assert set(METHOD_WORDS) == set(KNOWN_PAYMENT_PROVIDERS)
