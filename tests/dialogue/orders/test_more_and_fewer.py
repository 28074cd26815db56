"""What is said of things that were ordered before: more of them, less of them, all of them."""

from __future__ import annotations

import pytest

from dialogue.orders.reader import More
from tests.dialogue.orders.test_reader import READER, shown


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("another one", 1),
        ("one more please", 1),
        ("two more of those", 2),
        ("3 more", 3),
        ("same again", None),
        ("the same but no ice", None),
        ("encore deux", 2),
        ("deux de plus", 2),
        ("dos más", 2),
        ("uno más", 1),
        ("mais dois", 2),
        ("mais uma", 1),
    ],
)
def test_more_of_what_was_ordered(text: str, count: int | None) -> None:
    reading = READER.read(text)
    assert reading.more == More(count)
    assert not reading.lines and not reading.free


@pytest.mark.parametrize(("text", "count"), [("one less", 1), ("2 less please", 2), ("dos menos", 2)])
def test_less_of_what_was_ordered(text: str, count: int) -> None:
    assert READER.read(text).more == More(count, fewer=True)


def test_less_of_something_takes_so_many_out() -> None:
    (line,) = READER.read("one less cola please").lines
    assert (line.products, line.quantity, line.removed) == (("Cola",), 1, True)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("another cola", ["1 Cola"]),
        ("two more colas", ["2 Cola"]),
        ("a latte, and the same with oat milk", ["1 Latte", "1 Latte +Oat Milk"]),
        ("the same latte", ["· Latte"]),
        ("half a cola", ["0.5 Cola"]),
        ("cola and fries, 2 each", ["2 Cola", "2 Fries"]),
        ("2 colas and fries, 3 of each", ["2 Cola", "3 Fries"]),
        ("tow colas and thre lattes", ["2 Cola", "3 Latte"]),
        ("twoo fries", ["2 Fries"]),
        ("1e12 colas", ["1E+12 Cola"]),
    ],
)
def test_a_product_that_is_named_is_an_order(text: str, lines: list[str]) -> None:
    reading = READER.read(text)
    assert shown(reading) == lines
    assert reading.more is None


@pytest.mark.parametrize(
    "text", ["make both large", "no onions on both", "both", "remove both", "all of them"]
)
def test_what_is_said_of_all(text: str) -> None:
    assert READER.read(text).for_all


@pytest.mark.parametrize("text", ["the form", "fore", "a tour", "Theo", "sexy"])
def test_words_that_only_look_like_numbers(text: str) -> None:
    assert not READER.read(text).free


def test_a_message_that_is_too_long_says_so() -> None:
    assert READER.read("2 colas and " * 60).is_cut
    assert not READER.read("2 colas and " * 30).is_cut
