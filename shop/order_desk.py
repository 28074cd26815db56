"""Orders as the staff looks them up: one with all that became of it, many page by page, open money."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from db.models import OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from shop import refunds
from shop.board import Card, card
from shop.cart_view import view_order
from shop.errors import NoOrder
from shop.order_status import CANCELLABLE
from shop.payments.interface import Settlement
from shop.pricing import Totals
from shop.work import Work

PAGE = 30


@dataclass(frozen=True)
class RefundView:
    """Money that went or goes back; `by_hand`: it waits for a person to send it."""

    id: uuid.UUID
    at: datetime
    amount: Decimal
    reason: str
    requested_by: str
    status: str
    by_hand: bool


@dataclass(frozen=True)
class PaymentView:
    """One attempt to pay; `left` of what came can still go back; `awaits_transfer`: staff may confirm it."""

    method: str
    reference: str
    amount: Decimal
    currency: str
    status: str
    created_at: datetime
    verified_at: datetime | None
    confirmed_by: str | None
    came: Decimal | None
    came_currency: str
    left: Decimal
    awaits_transfer: bool
    refunds: tuple[RefundView, ...]


@dataclass(frozen=True)
class Decided:
    """What a member of staff did with the order."""

    at: datetime
    staff: str
    action: str
    details: dict[str, Any]


@dataclass(frozen=True)
class OrderFile:
    """All about one order."""

    card: Card
    totals: Totals
    discount_code: str | None
    expires_at: datetime | None
    receipt_token: str | None
    customer_id: uuid.UUID
    payments: tuple[PaymentView, ...]
    history: tuple[Decided, ...]
    can_cancel: bool

    @property
    def in_review(self) -> PaymentView | None:
        """The payment that a person has to decide about."""
        return next((one for one in self.payments if one.status == "review" and one.left > 0), None)

    @property
    def refundable(self) -> Decimal:
        """What can go back."""
        return sum((one.left for one in self.payments), Decimal(0))


@dataclass(frozen=True)
class OrdersPage:
    """Some orders, newest first, and the number of the last one if there are more."""

    cards: tuple[Card, ...]
    next: str | None


@dataclass(frozen=True)
class OpenMoney:
    """What waits for a person: transfers to look for, money that does not fit (its payment; None: all of it
    is on its way back), and refunds to send by hand."""

    transfers: tuple[tuple[Card, PaymentView], ...]
    reviews: tuple[tuple[Card, PaymentView | None], ...]
    refunds: tuple[tuple[Card, RefundView, PaymentView], ...]


def find(work: Work, number: str) -> OrderFile:
    """All about the order with this number.

    Raises:
        NoOrder
    """
    order = work.orders.find_by_number(number.strip().upper())
    if order is None:
        raise NoOrder()
    shown = view_order(order)
    return OrderFile(
        card=card(order),
        totals=shown.totals,
        discount_code=shown.discount_code,
        expires_at=order.expires_at if order.status == OrderStatus.AWAITING_PAYMENT else None,
        receipt_token=order.receipt_token,
        customer_id=order.customer_id,
        payments=tuple(_payment(work, payment) for payment in order.payments),
        history=tuple(
            Decided(row.created_at, row.staff, row.action, row.details)
            for row in work.staff_actions.find_by_order(order.id)
        ),
        can_cancel=order.status in CANCELLABLE,
    )


def page(
    work: Work, statuses: Sequence[OrderStatus] = (), after: str | None = None, limit: int = PAGE
) -> OrdersPage:
    """Orders of these statuses, or of all, newest first; those after the order with this number."""
    last = work.orders.find_by_number(after) if after else None
    rows = work.orders.find_page(statuses, last, limit + 1)
    cards = tuple(map(card, rows[:limit]))
    return OrdersPage(cards, cards[-1].number if len(rows) > limit else None)


def search(work: Work, number: str) -> OrdersPage:
    """The orders whose numbers begin like this."""
    rows = work.orders.find_by_number_start(number.strip().upper(), PAGE)
    return OrdersPage(tuple(map(card, rows)), None)


def open_money(work: Work) -> OpenMoney:
    """All that waits for a person's look at the money, oldest first."""
    by_staff = [name for name, provider in work.providers.items() if provider.settlement == Settlement.STAFF]
    awaited = work.payments.find_by_status(PaymentStatus.PENDING, by_staff)
    waiting = work.refunds.find_by_status(RefundStatus.FAILED)
    return OpenMoney(
        tuple((card(payment.order), _payment(work, payment)) for payment in awaited),
        _reviews(work),
        tuple((card(row.payment.order), _refund(row), _payment(work, row.payment)) for row in waiting),
    )


def _reviews(work: Work) -> tuple[tuple[Card, PaymentView | None], ...]:
    """Money that nobody decided about yet, also of orders that were over or paid when it came; and orders
    that are in review without any."""
    undecided = [one for one in work.payments.find_in_review() if refunds.left_of(work, one) > 0]
    listed = {payment.order_id for payment in undecided}
    others = [one for one in work.orders.find_open([OrderStatus.REVIEW], PAGE * 10) if one.id not in listed]
    return (
        *((card(payment.order), _payment(work, payment)) for payment in undecided),
        *((card(order), None) for order in others),
    )


def _payment(work: Work, payment: Payment) -> PaymentView:
    provider = work.providers.get(payment.payment_method)
    by_staff = provider is not None and provider.settlement == Settlement.STAFF
    return PaymentView(
        method=payment.payment_method,
        reference=payment.payment_reference,
        amount=payment.amount,
        currency=payment.currency,
        status=payment.status.value,
        created_at=payment.created_at,
        verified_at=payment.verified_at,
        confirmed_by=payment.confirmed_by,
        came=payment.received_amount,
        came_currency=payment.received_currency or payment.currency,
        left=refunds.left_of(work, payment),
        awaits_transfer=by_staff and payment.status == PaymentStatus.PENDING,
        refunds=tuple(map(_refund, payment.refunds)),
    )


def _refund(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        at=refund.created_at,
        amount=refund.amount,
        reason=refund.reason,
        requested_by=refund.requested_by,
        status=refund.status.value,
        by_hand=refund.status == RefundStatus.FAILED,
    )
