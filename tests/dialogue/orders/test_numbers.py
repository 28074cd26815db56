"""Numbers as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dialogue.orders.language import load
from dialogue.orders.numbers import number_at
from dialogue.orders.words import Words


def values(text: str, code: str = "en") -> list[Decimal]:
    """The numbers in a text."""
    words, languages = Words().split(text), [load(code)]
    found, place = [], 0
    while place < len(words):
        number = number_at(words, place, languages)
        found += [number.value] if number else []
        place += number.length if number else 1
    return found


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2", "2"),
        ("0", "0"),
        ("-1", "-1"),
        ("2.5", "2.5"),
        ("1,000", "1000"),
        ("1,000,000.50", "1000000.5"),
        ("x2", "2"),
        ("2x", "2"),
        ("x 2", "2"),
        ("2 x", "2"),
        ("X2", "2"),
        ("two", "2"),
        ("Two", "2"),
        ("zero", "0"),
        ("nineteen", "19"),
        ("twenty one", "21"),
        ("twenty-one", "21"),
        ("a couple", "2"),
        ("a pair", "2"),
        ("a dozen", "12"),
        ("half a dozen", "6"),
        ("half dozen", "6"),
        ("two dozen", "24"),
        ("2 dozen", "24"),
        ("3 hundred", "300"),
        ("hundred", "100"),
        ("two hundred and five", "205"),
        ("a thousand", "1000"),
        ("three thousand five hundred", "3500"),
        ("a million", "1000000"),
    ],
)
def test_one_number(typed, value):
    assert values(typed) == [Decimal(value)]
    assert values(f"i want {typed} please") == [Decimal(value)]


@pytest.mark.parametrize("typed", ["", "a burger", "an order", "and", "someone", "tent", "half"])
def test_no_number(typed):
    assert values(typed) == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2 burgers and 3 cokes", [2, 3]),
        ("two burgers and five cokes", [2, 5]),
        ("two and five", [2, 5]),
        ("two five alive", [2, 5]),
        ("one two three", [1, 2, 3]),
        ("a dozen burgers, 1 coke", [12, 1]),
        ("2, 3", [2, 3]),
        ("2, dozen", [2, 12]),
    ],
)
def test_several_numbers(typed, expected):
    assert values(typed) == expected


@pytest.mark.parametrize(
    ("code", "typed", "value"),
    [
        ("fr", "vingt et un", 21),
        ("fr", "une douzaine", 12),
        ("fr", "deux", 2),
        ("es", "media docena", 6),
        ("es", "veinte", 20),
        ("es", "un par de", 2),
        ("pt", "duas", 2),
        ("pt", "meia dúzia", 6),
        ("pt", "dezesseis", 16),
        ("pcm", "two", 2),
    ],
)
def test_numbers_in_other_languages(code, typed, value):
    assert values(typed, code) == [value]
