"""How an order is paid, as the customer is told."""

from __future__ import annotations

from typing import Any

from actions.base import refuse
from actions.conversation import Conversation
from db.models import Fulfilment
from settings import ShopSettings
from shop.checkout import PlacedOrder
from shop.errors import NothingToPay, ProviderUnavailable
from shop.orders import PaymentState, payment_state
from shop.payments import flow
from shop.payments.interface import Settlement

ONLINE = frozenset(
    "card cards online link internet carte tarjeta tarjetas enlace cartão cartao cartões".split()
)
TRANSFER = "transfer bank account deposit virement transferencia banco cuenta transferência conta"
CASH = "cash counter delivery arrive arrives reach pos espèces especes efectivo mostrador dinheiro balcão"
MAY_BE_CALLED = {
    "sandbox": ONLINE | {"sandbox"},
    "stripe": ONLINE | {"stripe", "apple", "google"},
    "paystack": ONLINE | {"paystack", "ussd"},
    "bank_transfer": frozenset(TRANSFER.split()),
    "cash": frozenset(CASH.split()),
}
"""Words by which customers name the ways to pay."""


async def say_how_to_pay(conversation: Conversation, placed: PlacedOrder) -> None:
    """Tell the customer that the order is made, and where and until when to pay it."""
    values = {"order_number": placed.number, **conversation.values_of(placed.cart)}
    if placed.settlement == Settlement.ON_HANDOVER:
        if placed.cart.fulfilment == Fulfilment.DELIVERY:
            conversation.say("utter_order_placed_delivery", **values)
        else:
            conversation.say("utter_order_placed", **values)
        return
    assert placed.payment_reference is not None
    if placed.settlement == Settlement.STAFF:
        account = transfer_values(conversation.shop.policy, placed.payment_reference)
        conversation.say("utter_transfer_here", **account, **values)
        return
    try:
        link = await conversation.call(flow.open_payment, placed.payment_reference)
    except ProviderUnavailable as refusal:
        refuse(conversation, refusal)
        return
    conversation.say("utter_pay_here", link=link, minutes=placed.minutes_to_pay, **values)


async def find_awaited(conversation: Conversation) -> PaymentState | None:
    """The payment that the customer's latest order awaits."""
    try:
        payment = await conversation.look(payment_state)
    except NothingToPay:
        return None
    return payment if payment.reference is not None else None


async def say_not_paid_yet(conversation: Conversation, payment: PaymentState) -> None:
    """Tell where an order is paid that was not paid yet.

    Raises:
        ProviderUnavailable
    """
    assert payment.reference is not None
    if payment.settlement == Settlement.STAFF:
        account = transfer_values(conversation.shop.policy, payment.reference)
        conversation.say("utter_transfer_not_yet", order_number=payment.number, **account)
        return
    link = await conversation.call(flow.open_payment, payment.reference)
    conversation.say("utter_payment_not_yet", order_number=payment.number, link=link)


def transfer_values(policy: ShopSettings, reference: str) -> dict[str, Any]:
    """Where to transfer money to, and within how many hours."""
    return {"account": policy.bank_account, "hours": policy.bank_transfer_hours, "reference": reference}
