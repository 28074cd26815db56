"""The conversation that is measured: ten messages that both systems answer with exactly one each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """What a customer writes, and words that either system's reply has to contain.

    `intent` is the one by which the stock project learns it.
    """

    text: str
    hears: str
    intent: str


CONVERSATION = (
    Line("hello", "welcome to", "greet"),
    Line("menu", "1. Burgers", "browse_menu"),
    Line("1", "1. ", "give_quantity"),
    Line("cola", "How many", "select_product"),
    Line("2", "Added 2", "give_quantity"),
    Line("view cart", "Total", "view_cart"),
    Line("help", "checkout", "help"),
    Line("good morning", "welcome to", "greet"),
    Line("clear cart", "empty now", "clear_cart"),
    Line("thanks", "welcome", "thank"),
)


def lines(turns: int) -> list[Line]:
    """So many messages of it, over and over."""
    return [CONVERSATION[turn % len(CONVERSATION)] for turn in range(turns)]
