"""How the shop's own events are told: by their rule on WhatsApp, at the next turn in the shell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from actions.conversation import Conversation
from actions.formatting import amount
from shop import orders


async def tell_payment_confirmed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The money arrived: the order is complete."""
    order = await conversation.do(orders.OrderState, orders.complete_payment, data["order_number"])
    conversation.set(choices=None)
    conversation.say(
        "utter_payment_confirmed",
        order_number=order.number,
        amount=amount(data["amount"], data["currency"]),
    )


async def tell_payment_failed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The payment did not go through; the same link can be tried again."""
    conversation.say("utter_payment_failed", order_number=data["order_number"], link=data["link"])


async def tell_payment_expired(conversation: Conversation, data: dict[str, Any]) -> None:
    """The time to pay is over; the cart is open again."""
    await conversation.do(type(None), orders.return_to_cart)
    conversation.say("utter_payment_expired", order_number=data["order_number"])


async def tell_payment_in_review(conversation: Conversation, data: dict[str, Any]) -> None:
    """Money came that does not fit the order: a person looks at it."""
    conversation.say("utter_payment_in_review", order_number=data["order_number"])


TELL: dict[str, Callable[[Conversation, dict[str, Any]], Awaitable[None]]] = {
    "payment_confirmed": tell_payment_confirmed,
    "payment_failed": tell_payment_failed,
    "payment_expired": tell_payment_expired,
    "payment_in_review": tell_payment_in_review,
}
