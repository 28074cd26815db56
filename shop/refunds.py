"""Money that goes back: decided here, carried out by `shop.payments.flow`, never more than came."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from db.models import Order, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from shop import discounts, outbox, stock
from shop.errors import CannotRefund, NoRefund
from shop.money import round_to_minor_unit
from shop.payments.interface import PaymentHandle, StartedRefund
from shop.work import Work

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class DueRefund:
    """A refund to be carried out now; `id` is the idempotency key of the call."""

    id: uuid.UUID
    method: str
    payment: PaymentHandle
    amount: Decimal


def request(work: Work, payment: Payment, amount: Decimal, *, reason: str, requested_by: str) -> Refund:
    """Decide that money goes back; the payment's order is locked by the caller.

    Raises:
        CannotRefund: if less than that is left of what came.
    """
    left = left_of(work, payment)
    payable = amount.is_finite() and amount == round_to_minor_unit(amount, payment.currency)
    if not payable or not 0 < amount <= left:
        raise CannotRefund(payment.order.number, left)
    return work.refunds.create(
        payment_id=payment.id,
        amount=amount,
        reason=reason,
        requested_by=requested_by,
        next_try_at=work.now,
    )


def request_rest(work: Work, payment: Payment, *, reason: str, requested_by: str) -> Refund | None:
    """Decide that all that is left of a payment goes back; None if nothing is."""
    left = left_of(work, payment)
    if left <= 0:
        return None
    return request(work, payment, left, reason=reason, requested_by=requested_by)


def left_of(work: Work, payment: Payment) -> Decimal:
    """What came and did not go back, nor is on its way."""
    if payment.status not in (PaymentStatus.VERIFIED, PaymentStatus.REVIEW):
        return Decimal(0)
    gone = (refund.amount for refund in work.refunds.find_by_payment(payment.id))
    return came_of(payment) - sum(gone, Decimal(0))


def came_of(payment: Payment) -> Decimal:
    """The money that came in fact: of a payment in review it may differ from what was asked for."""
    return payment.amount if payment.received_amount is None else payment.received_amount


def take_due(work: Work, limit: int = 20) -> list[DueRefund]:
    """Refunds to try, or to ask about, now; each is due again later, should this replica die or the provider
    not be done with it."""
    due = []
    for refund in work.refunds.find_due(work.now, limit):
        refund.attempts += 1
        # A refund that is on its way for weeks is asked about often: the power must stay small.
        doubled = min(refund.attempts - 1, 10)
        refund.next_try_at = work.now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**doubled)
        due.append(_due(refund))
    return due


def _due(refund: Refund) -> DueRefund:
    payment = refund.payment
    currency = payment.received_currency or payment.currency
    handle = PaymentHandle(payment.payment_reference, payment.provider_id, payment.amount, currency)
    return DueRefund(refund.id, payment.payment_method, handle, refund.amount)


def find_taken(work: Work, reference: str) -> list[DueRefund]:
    """The refunds of a payment that its provider took before: what became of them can be asked by their keys,
    and nothing is sent twice."""
    payment = work.payments.find_by_reference(reference)
    taken = [one for one in work.refunds.find_by_payment(payment.id) if one.provider_id] if payment else []
    return [_due(refund) for refund in taken]


def finish(work: Work, refund_id: uuid.UUID, started: StartedRefund | None) -> RefundStatus:
    """Record how a refund stands: sent; on its way at the provider; or (None, or nobody took it) a person's.

    What a provider had sent and got back (None, asked again) is a person's to send, too.
    """
    refund = work.refunds.find_by_id(refund_id)
    assert refund is not None
    order = work.orders.lock(refund.payment.order_id)
    assert order is not None
    work.session.refresh(refund, with_for_update=True)
    if refund.status == RefundStatus.DONE:
        if started is None and refund.provider_id is not None:
            _came_back(refund)
        return refund.status
    if started is None or not (started.done or started.provider_id):
        refund.status = RefundStatus.FAILED
        return refund.status
    refund.provider_id = started.provider_id
    if started.done:
        refund.status = RefundStatus.DONE
        _done(work, refund, order)
    else:
        refund.status = RefundStatus.PENDING
    return refund.status


def finish_by_hand(work: Work, refund_id: uuid.UUID, staff: str) -> None:
    """A member of staff sent the money.

    Raises:
        NoRefund: none that waits for a person goes by that id.
    """
    refund = work.refunds.find_by_id(refund_id)
    if refund is None or refund.status != RefundStatus.FAILED:
        raise NoRefund()  # one that is pending is being sent
    finish(work, refund_id, StartedRefund(provider_id=None, done=True))
    details = {"refund": str(refund_id), "amount": str(refund.amount)}
    order_id = refund.payment.order_id
    work.staff_actions.create(staff=staff, action="refund sent", order_id=order_id, details=details)


def _let_go(work: Work, order: Order) -> None:
    """All its money went back: what it held or had bought is for sale again, unless it was already made."""
    if order.status == OrderStatus.REVIEW:
        stock.release(work, order)
        discounts.give_back(work, order.discount_code)
    elif order.status == OrderStatus.PAID:
        stock.put_back(work, order)
        discounts.give_back(work, order.discount_code)
    order.status = OrderStatus.REFUNDED


def _came_back(refund: Refund) -> None:
    """The provider could not deliver what it had sent: the money is here again."""
    payment = refund.payment
    refund.status, refund.completed_at = RefundStatus.FAILED, None
    if payment.status == PaymentStatus.REFUNDED:
        payment.status = PaymentStatus.VERIFIED if payment.verified_at else PaymentStatus.REVIEW


def _done(work: Work, refund: Refund, order: Order) -> None:
    refund.completed_at = work.now
    payment = refund.payment
    work.session.flush()
    done = [one.amount for one in work.refunds.find_by_payment(payment.id) if one.status == RefundStatus.DONE]
    if sum(done, Decimal(0)) >= came_of(payment):
        payment.status = PaymentStatus.REFUNDED
        others = [one for one in order.payments if one.status == PaymentStatus.VERIFIED]
        if not others and order.status not in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
            _let_go(work, order)
    outbox.write(
        work,
        order.customer_id,
        "payment_refunded",
        {"order_number": order.number, "amount": str(refund.amount), "currency": payment.currency},
    )
