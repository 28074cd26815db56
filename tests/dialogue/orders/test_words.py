"""Words in the forms in which they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.orders.words import singular
from shop.menu_words import stem

ENDINGS = st.sampled_from(["", "s", "es", "ies", "ie", "ss", "us", "is", "ches", "shes", "xes", "zes", "oes"])
BEGINNINGS = st.text(alphabet="abcdefghiklmnoprstuwxyz", min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("fries", "fry"),
        ("boxes", "box"),
        ("glass", "glass"),
        ("bus", "bus"),
        ("colas", "cola"),
        ("ups", "ups"),
    ],
)
def test_a_rough_singular(word: str, expected: str) -> None:
    assert singular(word) == expected


@given(BEGINNINGS, ENDINGS)
def test_reader_and_lint_of_the_menu_make_the_same_singular(beginning: str, ending: str) -> None:
    """They stand on two planes, each with its own copy; the lint warns of what the reader mistakes."""
    assert singular(beginning + ending) == stem(beginning + ending)
