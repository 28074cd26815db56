"""How the shop's own events are told: by their rule on WhatsApp, at the next turn in the shell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from actions.conversation import Conversation
from actions.formatting import amount
from db.models import Fulfilment, OrderStatus
from shop import handoffs, orders
from shop.conversation import leave_question

DELIVERED = (OrderStatus.READY, OrderStatus.COMPLETED)
"""What sounds different of an order that is brought."""


async def tell_payment_confirmed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The money arrived: the order is complete."""
    order = await conversation.do(orders.OrderState, orders.complete_payment, data["order_number"])
    conversation.say(
        "utter_payment_confirmed",
        order_number=order.number,
        amount=_amount(data),
    )


async def tell_payment_failed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The payment did not go through; the same link can be tried again."""
    conversation.say("utter_payment_failed", order_number=data["order_number"], link=data["link"])


async def tell_payment_reminder(conversation: Conversation, data: dict[str, Any]) -> None:
    """The time to pay is nearly over; not so if the customer paid or cancelled meanwhile."""
    payment = await conversation.look(orders.payment_state)
    if payment.number == data["order_number"] and payment.reference is not None:
        conversation.say("utter_payment_reminder", order_number=payment.number)


async def tell_payment_sent_back(conversation: Conversation, data: dict[str, Any]) -> None:
    """Money came for an order that cannot be had any more: it goes back."""
    conversation.say("utter_payment_sent_back", order_number=data["order_number"], amount=_amount(data))


async def tell_payment_refunded(conversation: Conversation, data: dict[str, Any]) -> None:
    """Money went back."""
    conversation.say("utter_payment_refunded", order_number=data["order_number"], amount=_amount(data))


async def tell_order_status_changed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The shop is making the order, has it ready, handed it over, or cancelled it."""
    say_status(conversation, data["order_number"], data["status"], data["fulfilment"])


def say_status(conversation: Conversation, number: str, status: str, fulfilment: str) -> None:
    """Where an order stands."""
    if fulfilment == Fulfilment.DELIVERY and status in DELIVERED:
        conversation.say(f"utter_delivery_{status}", order_number=number)
    else:
        conversation.say(f"utter_status_{status}", order_number=number)


async def tell_payment_expired(conversation: Conversation, data: dict[str, Any]) -> None:
    """The time to pay is over; the cart is open again."""
    await conversation.do(type(None), orders.return_to_cart)
    conversation.say("utter_payment_expired", order_number=data["order_number"])


async def tell_payment_in_review(conversation: Conversation, data: dict[str, Any]) -> None:
    """Money came that does not fit the order: a person looks at it."""
    conversation.say("utter_payment_in_review", order_number=data["order_number"])


async def tell_handoff_taken(conversation: Conversation, data: dict[str, Any]) -> None:
    """A person has the conversation: the bot is silent, and a question of its own is asked no more."""
    person = await conversation.look(handoffs.person_with)
    if person is None:
        return  # gone again, which is told next
    conversation.set(with_person=person)
    conversation.leave_form()
    await conversation.do(type(None), leave_question)
    conversation.say("utter_person_here", staff=data["staff"])


async def tell_staff_message(conversation: Conversation, data: dict[str, Any]) -> None:
    """What the person writes."""
    # Rasa takes "0[" for one of its own gaps, and would show the customer the wording without its values.
    conversation.say("utter_staff_message", staff=data["staff"], words=data["text"].replace("0[", "0 ["))


async def tell_handoff_closed(conversation: Conversation, data: dict[str, Any]) -> None:
    """The person is gone, unless the customer found that out before, or another one is there."""
    person = await conversation.look(handoffs.person_with)
    conversation.set(with_person=person)
    if await conversation.do(bool, handoffs.is_end_news, data["handoff"]) and person is None:
        end_with_person(conversation)


def end_with_person(conversation: Conversation) -> None:
    """Say that the bot is back, and what can be done now."""
    conversation.say("utter_person_gone")
    conversation.say(f"utter_next_{conversation.state.lower()}")


def _amount(data: dict[str, Any]) -> str:
    return amount(data["amount"], data["currency"])


TELL: dict[str, Callable[[Conversation, dict[str, Any]], Awaitable[None]]] = {
    "handoff_closed": tell_handoff_closed,
    "handoff_taken": tell_handoff_taken,
    "order_status_changed": tell_order_status_changed,
    "payment_confirmed": tell_payment_confirmed,
    "payment_expired": tell_payment_expired,
    "payment_failed": tell_payment_failed,
    "payment_in_review": tell_payment_in_review,
    "payment_refunded": tell_payment_refunded,
    "payment_reminder": tell_payment_reminder,
    "payment_sent_back": tell_payment_sent_back,
    "staff_message": tell_staff_message,
}
"""How each of the shop's own events is told; its rule is in data/rules/notices.yml."""
