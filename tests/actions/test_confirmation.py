"""Only a clear yes buys, and what is neither yes nor no is left to the rules."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("intent", "confidence", "filled", "accepted"),
    [
        ("affirm", 0.87, True, True),
        ("affirm", 0.23, True, None),
        ("deny", 0.87, False, False),
        ("deny", 0.23, False, False),
    ],
)
async def test_a_yes_has_to_be_clear_and_a_no_does_not(talk, intent, confidence, filled, accepted):
    talk.hears("hm", intent=intent)
    talk.latest_message["intent"]["confidence"] = confidence
    talk.fills("order_confirmed", filled)
    answer = await talk.does("validate_checkout_form")
    assert answer.slots == {"order_confirmed": accepted}


async def test_a_message_that_answers_nothing_leaves_the_form_to_step_back(talk):
    talk.hears("1 garden burger", intent="select_product")
    assert (await talk.does("validate_checkout_form")).slots == {}
