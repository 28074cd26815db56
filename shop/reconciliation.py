"""Where orders, payments, provider events, refunds and stock do not agree.

Nothing is changed here: a person reads the list and decides. Each check is one question to the database;
`ask_providers` compares with what the providers themselves say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from sqlalchemy import exists, func, select

from db.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentEvent,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    StockReservation,
)
from shop import refunds
from shop.errors import ProviderUnavailable
from shop.payments.interface import PaymentHandle, ProviderPayment, Settlement, TellsRefundsApart
from shop.payments.settling import MISMATCH
from shop.service import Shop
from shop.work import Work

SETTLED = timedelta(minutes=15)
"""What is younger may still be under way."""
SOLD = (OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED)
IN_WORK = (OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.READY)
HOLDING = (OrderStatus.AWAITING_PAYMENT, OrderStatus.REVIEW)
ON_THE_WAY = timedelta(days=10)
"""How long a refund that its provider took may be on its way: banks take days."""


@dataclass(frozen=True)
class Difference:
    """One thing that does not agree; `about` names an order, a payment, an event, a refund or a product."""

    about: str
    what: str


def differences(work: Work) -> list[Difference]:
    """Everything in the database that does not agree with the rest of it."""
    checks = (
        _sold_without_money,
        _money_without_sale,
        _money_in_review,
        _paid_twice,
        _wrong_amounts,
        _asked_in_another_currency,
        _paid_in_another_currency,
        _unapplied_events,
        _events_in_another_currency,
        _undecided_payments,
        _stuck_refunds,
        _refunded_too_much,
        _reservations_without_order,
        _reserved_differently,
    )
    return [difference for check in checks for difference in check(work)]


def count_open(work: Work) -> dict[str, int]:
    """How many differences each check finds that is cheap enough for every minute, whatever was sold before:
    those about units that are held, money that is on its way, and orders that are in work."""
    checks: dict[str, Callable[[Work], Iterator[Difference]]] = {
        "sold_without_money": partial(_sold_without_money, statuses=IN_WORK),
        "undecided_payments": _undecided_payments,
        "stuck_refunds": _stuck_refunds,
        "reservations_without_order": _reservations_without_order,
        "reserved_differently": _reserved_differently,
    }
    return {name: len(list(check(work))) for name, check in checks.items()}


def ask_providers(shop: Shop, since: datetime) -> list[Difference]:
    """Payments and refunds since a time (UTC) of which their provider says something else than we have."""
    found = []
    for payment, refunds_done in shop.run(lambda work: _payments_since(work, since)):
        provider = shop.providers.get(payment.payment_method)
        if provider is None or provider.settlement != Settlement.PROVIDER:
            continue
        handle = PaymentHandle(
            payment.payment_reference, payment.provider_id, payment.amount, payment.currency
        )
        try:
            truth = provider.read(handle)
            if truth is not None and isinstance(provider, TellsRefundsApart):
                truth = replace(truth, refunded=provider.sent_back(handle))
        except ProviderUnavailable:
            found.append(Difference(payment.payment_reference, f"{provider.name} cannot be asked"))
            continue
        told = [*_of_the_money(payment, truth), *_of_refunds(refunds_done, truth)]
        found += [Difference(payment.payment_reference, f"{provider.name} {what}") for what in told]
    return found


def _of_the_money(payment: Payment, truth: ProviderPayment | None) -> Iterator[str]:
    """What the provider has otherwise than we: whether money came, how much, and in which currency."""
    if truth is not None and truth.reference != payment.payment_reference:
        yield "answers about another payment"
        return
    came = payment.received_amount is not None
    # What was sent back whole counts as unpaid with some providers; it had come all the same.
    paid = truth is not None and bool(truth.paid or truth.refunded)
    if paid != came:
        says = "nothing" if truth is None else "paid" if paid else "not paid"
        yield f"says {says}, we have {payment.status.value}"
    elif truth is not None and came and truth.amount != payment.received_amount:
        yield f"has {truth.amount}, we {payment.received_amount}"
    currency = payment.received_currency or payment.currency
    if truth is not None and truth.currency != currency:
        yield f"counts in {truth.currency}, we in {currency}"


def _of_refunds(refunds_done: Sequence[Refund], truth: ProviderPayment | None) -> Iterator[str]:
    """What the provider sent back otherwise than we have; of what was sent by hand it knows nothing."""
    if truth is None:
        return
    returned = _sum(refunds_done)
    by_provider = _sum([refund for refund in refunds_done if refund.provider_id is not None])
    if truth.refunded and truth.refunded != returned:
        yield f"sent back {truth.refunded}, we have {returned}"
    elif not truth.refunded and by_provider:
        yield f"sent back nothing, we have {by_provider}"


def _payments_since(work: Work, since: datetime) -> list[tuple[Payment, list[Refund]]]:
    sent_since = Payment.refunds.any((Refund.created_at >= since) | (Refund.completed_at >= since))
    query = select(Payment).where((Payment.created_at >= since) | sent_since).order_by(Payment.created_at)
    return [(payment, _refunds_done(work, payment)) for payment in work.session.scalars(query)]


def _refunds_done(work: Work, payment: Payment) -> list[Refund]:
    return [one for one in work.refunds.find_by_payment(payment.id) if one.status == RefundStatus.DONE]


def _sum(sent: Sequence[Refund]) -> Decimal:
    return sum((refund.amount for refund in sent), Decimal(0))


def _sold_without_money(work: Work, statuses: Sequence[OrderStatus] = SOLD) -> Iterator[Difference]:
    that = Payment.order_id == Order.id
    unpaid = exists().where(that, Payment.payment_method != "cash")
    paid = exists().where(that, Payment.status == PaymentStatus.VERIFIED)
    query = select(Order).where(Order.status.in_(statuses), unpaid, ~paid)
    for order in work.session.scalars(query):
        yield Difference(order.number, f"is {order.status.value} without a verified payment")


def _money_without_sale(work: Work) -> Iterator[Difference]:
    sold = (*SOLD, OrderStatus.REFUNDED)
    query = (
        select(Payment, Order)
        .join(Payment.order)
        .where(Payment.status == PaymentStatus.VERIFIED, Order.status.not_in(sold))
    )
    for payment, order in work.session.execute(query):
        if refunds.left_of(work, payment) > 0:
            yield Difference(order.number, f"is {order.status.value}, but its payment is verified")


def _money_in_review(work: Work) -> Iterator[Difference]:
    """Orders that are in review are on the board; money that came when they were not, only here and under
    Payments."""
    for payment in work.payments.find_in_review():
        left = refunds.left_of(work, payment)
        if left > 0 and payment.order.status != OrderStatus.REVIEW:
            currency = payment.received_currency or payment.currency
            told = f"is {payment.order.status.value}, and {left} {currency} that came for it is in review"
            yield Difference(payment.order.number, told)


def _paid_twice(work: Work) -> Iterator[Difference]:
    query = (
        select(Order.number, func.count())
        .join(Order.payments)
        .where(Payment.status == PaymentStatus.VERIFIED)
        .group_by(Order.number)
        .having(func.count() > 1)
    )
    for number, times in work.session.execute(query):
        yield Difference(number, f"has {times} verified payments")


def _wrong_amounts(work: Work) -> Iterator[Difference]:
    query = (
        select(Payment, Order)
        .join(Payment.order)
        .where(
            Payment.status == PaymentStatus.VERIFIED,
            (Payment.amount != Order.total_amount)
            | (func.coalesce(Payment.received_amount, Payment.amount) != Order.total_amount),
            Payment.confirmed_by.is_(None),
        )
    )
    for payment, order in work.session.execute(query):
        came = payment.received_amount or payment.amount
        yield Difference(order.number, f"costs {order.total_amount}, verified were {came}")


def _asked_in_another_currency(work: Work) -> Iterator[Difference]:
    query = (
        select(Payment, Order)
        .join(Payment.order)
        .where(Payment.currency != Order.currency, Payment.confirmed_by.is_(None))
    )
    for payment, order in work.session.execute(query):
        yield Difference(order.number, f"is in {order.currency}, its payment asks for {payment.currency}")


def _paid_in_another_currency(work: Work) -> Iterator[Difference]:
    query = (
        select(Payment, Order)
        .join(Payment.order)
        .where(
            Payment.status == PaymentStatus.VERIFIED,
            Payment.received_currency != Order.currency,
            Payment.confirmed_by.is_(None),
        )
    )
    for payment, order in work.session.execute(query):
        yield Difference(order.number, f"is in {order.currency}, verified were {payment.received_currency}")


def _unapplied_events(work: Work) -> Iterator[Difference]:
    late = PaymentEvent.outcome.is_(None) & (PaymentEvent.received_at < work.now - SETTLED)
    query = select(PaymentEvent).where(late | (PaymentEvent.outcome == MISMATCH))
    for event in work.session.scalars(query):
        told = "was kept but not applied" if event.outcome is None else "led to another payment than it named"
        yield Difference(event.event_id, f"event of {event.provider} {told}")


def _events_in_another_currency(work: Work) -> Iterator[Difference]:
    said = func.upper(PaymentEvent.payload["currency"].astext)
    kept = func.coalesce(Payment.received_currency, Payment.currency)
    query = (
        select(PaymentEvent, said, kept)
        .join(Payment, Payment.payment_reference == PaymentEvent.payment_reference)
        .where(said != kept)
    )
    for event, currency, ours in work.session.execute(query):
        yield Difference(event.event_id, f"event of {event.provider} counts in {currency}, we in {ours}")


def _undecided_payments(work: Work) -> Iterator[Difference]:
    undecided = (PaymentStatus.PENDING, PaymentStatus.FAILED)
    query = (
        select(Payment, Order)
        .join(Payment.order)
        .where(Payment.status.in_(undecided), Order.expires_at < work.now - SETTLED)
    )
    for payment, order in work.session.execute(query):
        yield Difference(order.number, f"ran out of time, its payment is still {payment.status.value}")


def _stuck_refunds(work: Work) -> Iterator[Difference]:
    taken = Refund.provider_id.is_not(None)
    too_long = (~taken & (Refund.created_at < work.now - SETTLED)) | (
        Refund.created_at < work.now - ON_THE_WAY
    )
    waits_too_long = (Refund.status == RefundStatus.PENDING) & too_long
    query = (
        select(Refund, Order)
        .join(Refund.payment)
        .join(Payment.order)
        .where((Refund.status == RefundStatus.FAILED) | waits_too_long)
    )
    for refund, order in work.session.execute(query):
        yield Difference(order.number, f"refund {refund.id} of {refund.amount} is {refund.status.value}")


def _refunded_too_much(work: Work) -> Iterator[Difference]:
    came = func.coalesce(Payment.received_amount, Payment.amount)
    query = (
        select(Payment.payment_reference, came, func.sum(Refund.amount))
        .join(Payment.refunds)
        .group_by(Payment.id)
        .having(func.sum(Refund.amount) > came)
    )
    for reference, received, returned in work.session.execute(query):
        yield Difference(reference, f"received {received}, sent back {returned}")


def _reservations_without_order(work: Work) -> Iterator[Difference]:
    query = (
        select(Order, func.sum(StockReservation.quantity))
        .join(StockReservation, StockReservation.order_id == Order.id)
        .where(Order.status.not_in(HOLDING))
        .group_by(Order.id)
    )
    for order, units in work.session.execute(query):
        yield Difference(order.number, f"is {order.status.value} and still holds {units} units")


def _reserved_differently(work: Work) -> Iterator[Difference]:
    held = (
        select(StockReservation.product_id, func.sum(StockReservation.quantity).label("units"))
        .group_by(StockReservation.product_id)
        .subquery()
    )
    units = func.coalesce(held.c.units, 0)
    query = (
        select(Product.sku, Product.reserved_quantity, units)
        .outerjoin(held, held.c.product_id == Product.id)
        .where(Product.reserved_quantity != units)
    )
    for sku, reserved, really in work.session.execute(query):
        yield Difference(sku, f"says {reserved} reserved, orders hold {really}")
