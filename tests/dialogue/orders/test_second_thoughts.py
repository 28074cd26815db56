"""What is taken back, given to another dish, or said of a part of them."""

from __future__ import annotations

import pytest

from dialogue.orders.menu import from_catalogue
from dialogue.orders.reader import OrderReader
from tests.dialogue.orders.test_dishes import READER, told


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        # Halves, and one after the other.
        ("4 stews, half of them with nuts", ["2 Stew", "2 Stew +Nuts"]),
        ("4 stews, half with nuts and the other half with feta", ["2 Stew +Nuts", "2 Stew +Feta"]),
        (
            "3 stews, the first with nuts, the second with feta and olives, the third with fish",
            ["1 Stew +Nuts", "1 Stew +Feta +Olives", "1 Stew +Fish"],
        ),
        (
            "4 stews. two of them no nuts, third with extra feta, fourth just with olives",
            ["2 Stew -Nuts", "1 Stew +Feta", "1 Stew +Olives"],
        ),
        # Taken back.
        ("a stew with nuts and feta, actually forget the nuts", ["1 Stew +Feta"]),
        ("a stew with nuts, actually forget the nuts, olives and feta", ["1 Stew +Olives +Feta"]),
        ("a large stew and a small stew, cancel the small one", ["1 Stew +Large"]),
        ("a stew. no, gelato", ["1 Gelato"]),
        # A "no" and what it does not reach.
        ("a stew no nuts + feta", ["1 Stew +Feta -Nuts"]),
        ("one stew, not small, large please", ["1 Stew +Large -Small"]),
        ("stew, olives yes nuts no", ["1 Stew +Olives -Nuts"]),
        ("2 stews, none with nuts", ["2 Stew -Nuts"]),
        # Given to another.
        ("a stew and a gelato, nuts on the stew", ["1 Stew +Nuts", "1 Gelato"]),
        ("a stew and a gelato, nuts with the stew", ["1 Stew +Nuts", "1 Gelato"]),
        (
            "a stew, a gelato and a lemon tea. nuts on the stew and the gelato",
            ["1 Stew +Nuts", "1 Gelato +Nuts", "1 Lemon Tea"],
        ),
        ("a stew and a gelato. small both", ["1 Stew +Small", "1 Gelato +Small"]),
        ("2 large stews 1 small stew. small one without nuts", ["2 Stew +Large", "1 Stew +Small -Nuts"]),
        (
            "6 small stews and 12 large ones, nuts on the large ones",
            ["6 Stew +Small", "12 Stew +Large +Nuts"],
        ),
        # As the one before.
        (
            "a stew with nuts, and the same again but with feta instead of nuts",
            ["1 Stew +Nuts", "1 Stew +Feta -Nuts"],
        ),
        ("a stew with nuts and a gelato, same way", ["1 Stew +Nuts", "1 Gelato +Nuts"]),
        # Changed before it is named, and counted behind it.
        ("swap the nuts for feta in my stew", ["1 Stew +Feta -Nuts"]),
        ("a stew with nuts. want 2 of those", ["2 Stew +Nuts"]),
        ("a stew and a gelato. stew with nuts please", ["1 Stew +Nuts", "1 Gelato"]),
        ("a stew with feta, lots of it", ["1 Stew +Feta"]),
    ],
)
def test_second_thoughts(text: str, lines: list[str]) -> None:
    assert told(text) == lines


def test_how_much_of_it_is_said_behind_it() -> None:
    (line,) = READER.read("a stew with feta, lots of it").lines
    assert [(one.choice.value, one.amount) for one in line.modifiers] == [("Feta", "extra")]


DRINKS = ["Still Water", "Stuffed Vine Leaves", "Tomato Soup", "Cola"]
OTHER = OrderReader(
    from_catalogue(
        {
            "version": "1",
            "categories": [],
            "products": [{"id": n, "name": n, "aliases": [], "option_groups": ["With"]} for n in DRINKS],
            "option_groups": {"With": [{"id": "Pistachios", "name": "Pistachios", "aliases": []}]},
        }
    ),
    ("en",),
)


@pytest.mark.parametrize("text", ["can we still get a cola", "hi its Pis, a cola please"])
def test_everyday_words_and_short_beginnings_name_nothing(text: str) -> None:
    (line,) = OTHER.read(text).lines
    assert (line.name, line.modifiers) == ("Cola", ())
