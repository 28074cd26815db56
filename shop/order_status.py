"""What the staff does with an order: make it, hand it over, cancel it, decide about its money.

Every decision is recorded (who, what, when), and every change of status is told to the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from db.models import Order, OrderStatus, Payment, PaymentStatus
from shop import discounts, orders, outbox, refunds, stock
from shop.errors import AmountDiffers, BadInput, CannotMove, CannotRefund, MoneyCame, NoOrder, NothingToPay
from shop.money import round_to_minor_unit
from shop.payments import settling
from shop.payments.interface import ProviderPayment, Settlement
from shop.reopening import give_up_payments, reopen
from shop.work import Work

NEXT = {
    OrderStatus.PLACED: (OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED),
    OrderStatus.PAID: (OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED),
    OrderStatus.PREPARING: (OrderStatus.READY, OrderStatus.COMPLETED),
    OrderStatus.READY: (OrderStatus.COMPLETED,),
}
"""Where an order can go from each status; a step may be left out, none taken back."""
CANCELLABLE = (OrderStatus.AWAITING_PAYMENT, OrderStatus.REVIEW, *NEXT)


@dataclass(frozen=True)
class Decision:
    """What a member of staff decided about an order, and when (UTC)."""

    staff: str
    action: str
    at: datetime


def advance(work: Work, number: str, to: OrderStatus, staff: str) -> OrderStatus:
    """Move an order on: preparing, ready, completed.

    Cash is taken when the order is handed over: completing it counts the payment.

    Raises:
        NoOrder, CannotMove
    """
    order = _locked(work, number)
    if to not in NEXT.get(order.status, ()):
        raise CannotMove(number, order.status.value, to.value)
    order.status = to
    if to == OrderStatus.COMPLETED:
        _count_cash(work, order, staff)
    _record(work, staff, to.value, order)
    _tell(work, order)
    return to


def cancel(work: Work, number: str, staff: str, reason: str, *, may_refund: bool = True) -> None:
    """The shop cancels an order: units for sale again, money that came goes back.

    Args:
        may_refund: whether who cancels may send money back.

    Raises:
        NoOrder, CannotMove
        MoneyCame: money would go back.
    """
    order = _locked(work, number)
    if order.status not in CANCELLABLE:
        raise CannotMove(number, order.status.value, OrderStatus.CANCELLED.value)
    if not may_refund and any(refunds.left_of(work, payment) > 0 for payment in order.payments):
        raise MoneyCame(number)
    if order.status == OrderStatus.AWAITING_PAYMENT:
        reopen(work, order, OrderStatus.CANCELLED)
    elif order.status == OrderStatus.REVIEW:
        _send_back_reviewed(work, order, staff)
    else:
        orders.take_back(work, order)
    _record(work, staff, settling.CANCELLED_BY_STAFF, order, reason=reason)
    _tell(work, order)


def confirm_transfer(work: Work, reference: str, amount: Decimal, staff: str) -> str:
    """A member of staff saw the money of a bank transfer on the account.

    Returns the outcome in a word, as for every payment: `verified`, `refund` or `unchanged`.

    Raises:
        NothingToPay: no transfer goes by that reference.
        AmountDiffers: nothing was changed; ask for the rest, or note what came with `record_transfer`.
    """
    order, payment = _lock_transfer(work, reference)
    if amount != payment.amount:
        raise AmountDiffers(order.number, payment.amount, amount)
    return _take_transfer(work, order, payment, amount, "confirmed transfer", staff)


def record_transfer(work: Work, reference: str, amount: Decimal, staff: str) -> str:
    """A member of staff notes what came of a bank transfer, whatever it is: another amount than the order's
    is in review from now on, for an owner to accept or to send back.

    Returns the outcome in a word: `review`, or as `confirm_transfer` does.

    Raises:
        NothingToPay: no transfer goes by that reference.
        BadInput: that is no amount of money.
    """
    order, payment = _lock_transfer(work, reference)
    if not amount.is_finite() or amount <= 0 or amount != round_to_minor_unit(amount, payment.currency):
        raise BadInput("amount", "Amount: write what came, such as 5500 or 5500.00.")
    return _take_transfer(work, order, payment, amount, "recorded transfer", staff)


def _lock_transfer(work: Work, reference: str) -> tuple[Order, Payment]:
    found = work.payments.find_by_reference(reference.strip().upper())
    provider = work.providers.get(found.payment_method) if found else None
    if found is None or provider is None or provider.settlement != Settlement.STAFF:
        raise NothingToPay()
    return settling.lock_payment(work, found.payment_reference)


def _take_transfer(
    work: Work, order: Order, payment: Payment, amount: Decimal, action: str, staff: str
) -> str:
    truth = ProviderPayment(payment.payment_reference, True, amount, payment.currency)
    outcome = settling.apply(work, order, payment, truth)
    if outcome != "unchanged":
        payment.confirmed_by = staff
        _record(work, staff, action, order, amount=str(amount), outcome=outcome)
    return outcome


def accept_payment(work: Work, number: str, staff: str) -> None:
    """Take the money of an order that is in review for what it is: the order is paid.

    Raises:
        NoOrder, CannotMove: not in review, or its units were sold meanwhile.
    """
    order = _locked(work, number)
    payment = _payment_in(order, PaymentStatus.REVIEW)
    if payment is None or refunds.left_of(work, payment) <= 0 or not settling.accept(work, order, payment):
        raise CannotMove(number, order.status.value, OrderStatus.PAID.value)
    payment.confirmed_by = staff
    _record(work, staff, "accepted payment", order)


def refund(work: Work, number: str, amount: Decimal | None, staff: str, reason: str) -> Decimal:
    """Send money of an order back, all that is left of it or a part; the amount. Money in review comes
    before money that was taken.

    Raises:
        NoOrder, CannotRefund
    """
    order = _locked(work, number)
    payment = _payment_in(order, PaymentStatus.REVIEW) or _payment_in(order, PaymentStatus.VERIFIED)
    if payment is None:
        raise CannotRefund(number, Decimal(0))
    wanted = refunds.left_of(work, payment) if amount is None else amount
    refunds.request(work, payment, wanted, reason=reason, requested_by=staff)
    _record(work, staff, "refund", order, amount=str(wanted), reason=reason)
    return wanted


def latest_decision(work: Work, number: str) -> Decision | None:
    """The last thing that the staff decided about an order; None if it decided nothing."""
    order = work.orders.find_by_number(number.strip().upper())
    action = work.staff_actions.find_latest_by_order(order.id) if order else None
    return Decision(action.staff, action.action, action.created_at) if action else None


def _send_back_reviewed(work: Work, order: Order, staff: str) -> None:
    stock.release(work, order)
    discounts.give_back(work, order.discount_code)
    payment = _payment_in(order, PaymentStatus.REVIEW)
    if payment is not None:
        refunds.request_rest(work, payment, reason="order cancelled", requested_by=staff)
    give_up_payments(work, order)
    order.status = OrderStatus.CANCELLED


def _payment_in(order: Order, status: PaymentStatus) -> Payment | None:
    return next((payment for payment in order.payments if payment.status == status), None)


def _count_cash(work: Work, order: Order, staff: str) -> None:
    for payment in order.payments:
        provider = work.providers.get(payment.payment_method)
        in_cash = provider is not None and provider.settlement == Settlement.ON_HANDOVER
        if in_cash and payment.status == PaymentStatus.PENDING:
            payment.status = PaymentStatus.VERIFIED
            payment.verified_at, payment.confirmed_by = work.now, staff
            payment.received_amount, payment.received_currency = payment.amount, payment.currency


def _locked(work: Work, number: str) -> Order:
    found = work.orders.find_by_number(number.strip().upper())
    order = work.orders.lock(found.id) if found else None
    if order is None:
        raise NoOrder()
    return order


def _record(work: Work, staff: str, action: str, order: Order, **details: Any) -> None:
    work.staff_actions.create(staff=staff, action=action, order_id=order.id, details=details)


def _tell(work: Work, order: Order) -> None:
    data = {"order_number": order.number, "status": order.status.value, "fulfilment": order.fulfilment.value}
    outbox.write(work, order.customer_id, "order_status_changed", data)
