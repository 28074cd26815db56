"""How money comes to count: a provider's notification is verified, stored, read back, compared, applied.

Source of the rules: the payment policies (events are hints; an amount or currency that differs goes to
review; money for an ended order is honoured if stock allows, else reviewed).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from db.models import CartStatus, Order, OrderStatus, Payment, PaymentEvent, PaymentStatus
from shop import outbox, stock
from shop.errors import PaymentRejected, ShopError
from shop.payments.interface import ProviderPayment
from shop.work import Work

logger = logging.getLogger(__name__)

PAYABLE = (OrderStatus.AWAITING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.CANCELLED)
DECIDED = (PaymentStatus.VERIFIED, PaymentStatus.REVIEW, PaymentStatus.REFUNDED)


def receive(work: Work, provider_name: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Take in one notification; the outcome in a word (`verified`, `failed`, `duplicate`, ...).

    Raises:
        PaymentRejected: unknown provider, forged, malformed, or about no payment of ours.
    """
    provider = work.providers.get(provider_name)
    if provider is None:
        raise PaymentRejected("unknown provider")
    event = provider.verify(body, headers)
    payment = work.payments.find_by_reference(event.reference)
    if payment is None or payment.payment_method != provider_name:
        raise PaymentRejected("no such payment")
    # Order before payment, everywhere: two locks taken in one order cannot deadlock.
    order = work.orders.lock(payment.order_id)
    payment = work.payments.find_by_reference(event.reference, lock=True)
    assert order is not None and payment is not None
    if not _store(work, provider_name, event.event_id, event.reference, event.payload):
        return "duplicate"
    truth = provider.read(work.session, event.reference)
    outcome = "unknown" if truth is None else apply(work, order, payment, truth)
    stored = work.payment_events.find_by_event(provider_name, event.event_id)
    assert stored is not None
    stored.outcome = outcome
    logger.info("payment %s of order %s: %s", payment.id, order.number, outcome)
    return outcome


def apply(work: Work, order: Order, payment: Payment, truth: ProviderPayment) -> str:
    """Bring order and payment in line with what the provider says; both are locked."""
    if truth.paid is None or payment.status in DECIDED:
        return "unchanged"
    if not truth.paid:
        return _fail(work, order, payment)
    if (truth.amount, truth.currency) != (payment.amount, payment.currency):
        return _review(work, order, payment)
    if order.status in PAYABLE and _sell(work, order):
        return _confirm(work, order, payment)
    return _review(work, order, payment)


def _confirm(work: Work, order: Order, payment: Payment) -> str:
    payment.status = PaymentStatus.VERIFIED
    payment.verified_at = work.now
    order.status = OrderStatus.PAID
    _tell(work, order, "payment_confirmed")
    return "verified"


def _sell(work: Work, order: Order) -> bool:
    """Take the order's units, also of one that ended, unless its cart went on to another order."""
    live = work.orders.find_live_by_cart(order.cart_id) if order.cart_id else None
    if live not in (None, order):
        return False
    try:
        with work.session.begin_nested():
            stock.take(work, order)
    except ShopError:
        return False
    _take_out_of_cart(work, order)
    return True


def _take_out_of_cart(work: Work, order: Order) -> None:
    """The cart of an ended order was open again: what is bought now leaves it, what was added stays."""
    cart = work.carts.find_by_id(order.cart_id) if order.cart_id else None
    if cart is None or cart.status != CartStatus.OPEN:
        return
    bought = stock.units(order)
    for item in list(cart.items):
        left = item.quantity - bought.get(item.product_id, 0)
        if left > 0:
            item.quantity = left
        else:
            cart.items.remove(item)
    if not cart.items:
        cart.status = CartStatus.ORDERED


def _fail(work: Work, order: Order, payment: Payment) -> str:
    if payment.status == PaymentStatus.FAILED or order.status != OrderStatus.AWAITING_PAYMENT:
        return "unchanged"
    payment.status = PaymentStatus.FAILED
    provider = work.providers[payment.payment_method]
    _tell(work, order, "payment_failed", link=provider.link(payment.payment_reference))
    return "failed"


def _review(work: Work, order: Order, payment: Payment) -> str:
    payment.status = PaymentStatus.REVIEW
    if order.status == OrderStatus.AWAITING_PAYMENT:
        order.status = OrderStatus.REVIEW
    logger.warning("payment of order %s needs a person", order.number)
    _tell(work, order, "payment_in_review")
    return "review"


def _tell(work: Work, order: Order, event: str, **data: Any) -> None:
    told = {"order_number": order.number, "amount": str(order.total_amount)}
    outbox.write(work, order.customer_id, event, {**told, "currency": order.currency, **data})


def _store(work: Work, provider: str, event_id: str, reference: str, payload: dict[str, Any]) -> bool:
    """Keep an event; False if it was told before."""
    result = work.session.execute(
        insert(PaymentEvent)
        .values(provider=provider, event_id=event_id, payment_reference=reference, payload=payload)
        .on_conflict_do_nothing(index_elements=["provider", "event_id"])
        .returning(PaymentEvent.id)
    )
    return result.first() is not None
