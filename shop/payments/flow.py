"""The way of a payment through its provider: opened, reported, asked about, closed, sent back.

A provider is always asked between two transactions, never inside one: it may be slow or silent, and
stock must not be locked meanwhile. Each step can be cut off and done again.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from db.models import OrderStatus, Payment, PaymentEvent, PaymentStatus, RefundStatus
from shop import orders, refunds
from shop.errors import PaymentRejected, ProviderUnavailable, ReferenceSpent, RefundRefused, describe
from shop.payments import noting
from shop.payments.interface import (
    PaymentHandle,
    PaymentProvider,
    PaymentRequest,
    ProviderPayment,
    StartedRefund,
)
from shop.payments.settling import apply, lock_payment
from shop.service import Shop
from shop.work import Work

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

CHECK_AGAIN = timedelta(minutes=1)
CHECK_FOR = timedelta(days=3)
"""How long a payment is asked about after it was opened: late money is normal."""
BATCH = 20


@dataclass(frozen=True)
class Known:
    """What is needed to ask a provider about a payment."""

    method: str
    handle: PaymentHandle
    order_number: str
    expires_at: datetime | None
    url: str | None
    open: bool


def open_payment(shop: Shop, reference: str) -> str | None:
    """Open a payment that checkout noted; where the customer pays it (None: nowhere online).

    Asked again, it opens nothing anew: the provider is given the same reference.

    Raises:
        ProviderUnavailable: the order and its units are kept; it can be asked again.
        PaymentRejected: there is no such payment.
    """
    known = shop.run(lambda work: _find(work, reference))
    provider = shop.providers.get(known.method)
    if known.url is not None or not known.open or provider is None:
        return known.url
    try:
        return _start(shop, provider, known)
    except ReferenceSpent:
        # Its link was lost on the way here, so nobody has it: a new payment takes its place.
        logger.warning("payment of order %s: opened anew", known.order_number)
        renewed = shop.run(lambda work: _known(noting.renew(work, reference)))
    if renewed.url is not None or not renewed.open:
        return renewed.url  # somebody else opened it meanwhile
    try:
        return _start(shop, provider, renewed)
    except ReferenceSpent:
        raise ProviderUnavailable(known.method) from None  # somebody else opens it at this moment


def receive(shop: Shop, provider_name: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Take in one notification; the outcome in a word (`verified`, `failed`, `duplicate`, ...).

    Raises:
        PaymentRejected: unknown provider, forged, malformed, or about no payment of ours; nothing was
            written.
        ProviderUnavailable: the event is kept, but the provider did not say how the payment stands;
            the payment is asked about again later.
    """
    provider = shop.providers.get(provider_name)
    if provider is None:
        raise PaymentRejected("unknown provider")
    event = provider.verify(body, headers)
    if event is None:
        return "ignored"
    if not event.event_id.strip() or not event.reference.strip() or "\0" in event.event_id + event.reference:
        raise PaymentRejected("a notification without an id or a reference")
    known = shop.run(lambda work: _find(work, event.reference))
    if known.method != provider_name:
        raise PaymentRejected("a payment of another provider")
    if not shop.run(lambda work: _store(work, provider_name, event.event_id, event.reference, event.payload)):
        return "duplicate"
    return _ask_about_refunds(shop, provider, known) if event.of_refund else _settle(shop, provider, known)


def check(shop: Shop, reference: str) -> str:
    """Ask the provider how a payment stands, and apply what it says; the outcome in a word.

    Raises:
        PaymentRejected, ProviderUnavailable
    """
    known = shop.run(lambda work: _find(work, reference))
    provider = shop.providers.get(known.method)
    return "unknown" if provider is None else _settle(shop, provider, known)


def check_due(shop: Shop) -> int:
    """Ask about payments of which nothing was heard; how many. Safe with several replicas."""
    references = shop.run(_take_due)
    _at_once(shop, _check_alone, references)
    return len(references)


def close_due(shop: Shop) -> int:
    """Close payments of orders that were cancelled or edited, so that their links take no money any more; how
    many. Money that the provider already has is applied. Safe with several replicas."""
    due = shop.run(_take_to_close)
    _at_once(shop, _close_alone, due)
    return len(due)


def expire_due(shop: Shop) -> int:
    """End orders whose time to pay is over, after their provider was told; how many.

    Money that the provider already has is taken instead. A provider that cannot be reached delays the
    end until the units' own time is over; what comes later is honoured or goes back.
    """
    return sum(_at_once(shop, _expire_alone, shop.run(orders.find_expired)))


def send_refunds(shop: Shop) -> int:
    """Carry out refunds that are due, ask about those on their way; how many. Safe with several replicas."""
    due = shop.run(refunds.take_due)
    _at_once(shop, _send_alone, due)
    return len(due)


def _at_once(shop: Shop, work: Callable[[Shop, Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do something with several at the same time: one silent provider keeps nobody else waiting."""
    return list(shop.outside.map(functools.partial(work, shop), items))


def _check_alone(shop: Shop, reference: str) -> None:
    try:
        check(shop, reference)
    except (ProviderUnavailable, PaymentRejected, DBAPIError) as error:
        logger.warning("payment not checked: %s", describe(error))


def _send_alone(shop: Shop, refund: refunds.DueRefund) -> None:
    try:
        _send(shop, shop.providers.get(refund.method), refund)
    except ProviderUnavailable:
        logger.warning("refund %s: %s cannot be reached; tried again later", refund.id, refund.method)


def _send(shop: Shop, provider: PaymentProvider | None, refund: refunds.DueRefund) -> None:
    try:
        started = provider.refund(refund.payment, refund.amount, str(refund.id)) if provider else None
    except RefundRefused:
        started = None
    _finish(shop, refund.id, started)


def _ask_about_refunds(shop: Shop, provider: PaymentProvider, known: Known) -> str:
    """Whatever became of the refunds of a payment is asked for by their keys; the event is a hint."""
    reference = known.handle.reference
    for refund in shop.run(lambda work: refunds.find_taken(work, reference)):
        _send(shop, provider, refund)
    shop.run(lambda work: _note_outcome(work, reference, "refund"))
    return "refund"


def _start(shop: Shop, provider: PaymentProvider, known: Known) -> str | None:
    assert known.expires_at is not None, "an open payment has a time-out"
    reference, amount, currency = known.handle.reference, known.handle.amount, known.handle.currency
    request = PaymentRequest(reference, known.order_number, amount, currency, known.expires_at)
    started = provider.start(request)

    def keep(work: Work) -> None:
        payment = work.payments.find_by_reference(reference, lock=True)
        assert payment is not None
        payment.url, payment.provider_id = started.url, started.provider_id
        if payment.status == PaymentStatus.EXPIRED:
            payment.close_at = work.now  # its order ended, or another took its place, while it was opened

    shop.run(keep)
    return started.url


def _finish(shop: Shop, refund_id: uuid.UUID, started: StartedRefund | None) -> None:
    status = shop.run(lambda work: refunds.finish(work, refund_id, started))
    level = logging.ERROR if status == RefundStatus.FAILED else logging.INFO
    logger.log(level, "refund %s: %s", refund_id, status.value)


def _settle(shop: Shop, provider: PaymentProvider, known: Known) -> str:
    return _apply(shop, known, provider.read(known.handle))


def _apply(shop: Shop, known: Known, truth: ProviderPayment | None) -> str:
    def settle(work: Work) -> str:
        order, payment = lock_payment(work, known.handle.reference)
        outcome = "unknown" if truth is None else apply(work, order, payment, truth)
        _note_outcome(work, known.handle.reference, outcome)
        logger.info("payment %s of order %s: %s", payment.id, order.number, outcome)
        return outcome

    return shop.run(settle)


def _note_outcome(work: Work, reference: str, outcome: str) -> None:
    """What the events about a payment led to, also those that were kept while the provider was out of reach.

    The first to apply one says what it did: another replica may have taken up the same event.
    """
    for event in work.payment_events.find_unapplied(reference):
        event.outcome = outcome


def _close_alone(shop: Shop, known: Known) -> None:
    provider = shop.providers.get(known.method)
    try:
        truth = provider.close(known.handle) if provider else None
        if truth is not None and truth.paid:
            _apply(shop, known, truth)
        shop.run(lambda work: _note_closed(work, known.handle))
    except (ProviderUnavailable, PaymentRejected, DBAPIError) as error:
        logger.warning("payment of order %s not closed: %s", known.order_number, describe(error))


def _note_closed(work: Work, handle: PaymentHandle) -> None:
    _, payment = lock_payment(work, handle.reference)
    # One that was being opened meanwhile has an id now, by which it is closed the next time.
    if payment.provider_id == handle.provider_id:
        payment.close_at = None


def _take_to_close(work: Work) -> list[Known]:
    """Payments to close now; each is tried again later should this replica die or its provider be away."""
    due = work.payments.find_to_close(work.now, BATCH)
    for payment in due:
        age = work.now - payment.created_at
        payment.close_at = work.now + max(CHECK_AGAIN, age) if age < CHECK_FOR else None
    return [_known(payment) for payment in due]


def _expire_alone(shop: Shop, order_id: uuid.UUID) -> bool:
    """One order that cannot be ended keeps no other from it."""
    try:
        return _expire(shop, order_id)
    except (DBAPIError, PaymentRejected) as error:
        logger.error("order %s not ended: %s", order_id, describe(error))
        return False


def _expire(shop: Shop, order_id: uuid.UUID) -> bool:
    closed = True
    for known in shop.run(lambda work: _pending_of(work, order_id)):
        provider = shop.providers.get(known.method)
        if provider is None:
            continue
        try:
            truth = provider.close(known.handle)
        except ProviderUnavailable:
            if shop.run(lambda work: _still_held(work, order_id)):
                return False
            closed = False
            continue
        if truth is not None and truth.paid:
            _apply(shop, known, truth)
    return shop.run(lambda work: orders.expire(work, order_id, closed=closed))


def _still_held(work: Work, order_id: uuid.UUID) -> bool:
    return any(held.expires_at > work.now for held in work.reservations.find_by_order(order_id))


def _pending_of(work: Work, order_id: uuid.UUID) -> list[Known]:
    return [_known(payment) for payment in work.payments.find_pending(order_id)]


def _find(work: Work, reference: str) -> Known:
    payment = work.payments.find_by_reference(reference)
    if payment is None:
        raise PaymentRejected("no such payment")
    return _known(payment)


def _known(payment: Payment) -> Known:
    handle = PaymentHandle(payment.payment_reference, payment.provider_id, payment.amount, payment.currency)
    is_open = payment.order.status == OrderStatus.AWAITING_PAYMENT
    order = payment.order
    return Known(payment.payment_method, handle, order.number, order.expires_at, payment.url, is_open)


def _take_due(work: Work) -> list[str]:
    """Payments to ask about now; each is asked about again later, more and more seldom."""
    due = []
    for payment in work.payments.find_to_check(work.now, BATCH):
        age = work.now - payment.created_at
        undecided = payment.status in (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)
        payment.next_check_at = work.now + max(CHECK_AGAIN, age) if undecided and age < CHECK_FOR else None
        if undecided:
            due.append(payment.payment_reference)
    return due


def _store(work: Work, provider: str, event_id: str, reference: str, payload: dict[str, Any]) -> bool:
    """Keep an event; False if it was told and applied before."""
    work.session.execute(
        insert(PaymentEvent)
        .values(provider=provider, event_id=event_id, payment_reference=reference, payload=payload)
        .on_conflict_do_nothing(index_elements=["provider", "event_id"])
    )
    stored = work.payment_events.find_by_event(provider, event_id)
    # One that was kept but not applied (a crash between the two) is taken up again.
    return stored is not None and stored.outcome is None
