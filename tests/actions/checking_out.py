"""A customer who goes through the checkout, question by question."""

from __future__ import annotations

from typing import Any

from db.models import Cart, Product
from tests.actions.tracker import Answer, Talk, order_line

WAYS_TO_PAY = ("sandbox", "bank_transfer", "cash")
ADDRESS = "12 Allen Avenue, Ikeja"
HOURS = "Mo-Sa 09:00-21:00"  # the clock stands on a Sunday


async def fill(talk: Talk, menu: dict[str, Product]) -> None:
    """Two burgers and a big coke: ₦11,700.00."""
    lines = [order_line(menu["burger"], quantity="2"), order_line(menu["big coke"], quantity="1")]
    await talk.turn("action_select_product", "2 burgers and a big coke", lines)


async def place(talk: Talk, menu: dict[str, Product]) -> Answer:
    """The cart is ordered; waits for its payment."""
    await fill(talk, menu)
    await talk.turn("action_checkout", "checkout")
    await talk.does("action_ask_checkout_form_order_confirmed")
    return await confirms(talk)


async def checking_out(talk: Talk, menu: dict[str, Product]) -> Answer:
    """Two burgers and a big coke, ₦12,577.50 with tax; the checkout begins."""
    await fill(talk, menu)
    answer = await talk.turn("action_checkout", "checkout")
    talk.form = "checkout_form"
    return answer


async def fills(talk: Talk, slot: str, value: Any, entities: Any = (), text: str = "") -> Answer:
    """The customer answers a question of the checkout."""
    talk.hears(text or str(value), entities, intent="answer")
    talk.fills(slot, value)
    return await talk.does("validate_checkout_form")


async def confirms(talk: Talk) -> Answer:
    talk.hears("yes", intent="affirm")
    talk.fills("order_confirmed", True)
    return await talk.does("action_place_order")


def cart_of(sessions) -> Cart:
    with sessions() as session:
        return session.query(Cart).one()
