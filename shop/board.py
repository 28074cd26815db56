"""The orders that the staff has work with, as the board shows them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from db.models import Order, OrderStatus, Payment, PaymentStatus
from shop.cart_view import Line, view_order
from shop.order_status import NEXT
from shop.work import Work

COLUMNS = (OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.READY)
WATCHED = (*COLUMNS, OrderStatus.AWAITING_PAYMENT, OrderStatus.REVIEW)
MOST_CARDS = 60
"""Of one status. Where there are more, half of them are those that are wanted first, half those that came
last: neither a new order nor one that waits is ever missing. The others are in the list of all orders."""


@dataclass(frozen=True)
class Card:
    """An open order; times are UTC. `paid_by` is the method of the payment that counts, or may come."""

    id: uuid.UUID
    number: str
    status: OrderStatus
    created_at: datetime
    customer: str
    lines: tuple[Line, ...]
    fulfilment: str
    delivery_address: str | None
    scheduled_for: datetime | None
    total: Decimal
    currency: str
    paid: bool
    paid_by: str | None
    next: tuple[OrderStatus, ...]


@dataclass(frozen=True)
class Board:
    """Cards, what is wanted first on top, and how many orders have each status that is watched."""

    cards: tuple[Card, ...]
    counts: dict[OrderStatus, int]

    @property
    def new(self) -> int:
        """Orders that nobody began with."""
        return self.count(OrderStatus.PLACED, OrderStatus.PAID)

    def count(self, *statuses: OrderStatus) -> int:
        """How many orders have one of these statuses."""
        return sum(self.counts[status] for status in statuses)

    def more(self, status: OrderStatus) -> int:
        """How many orders of this status are not on the board."""
        return max(0, self.counts[status] - len(self.of(status)))

    def of(self, *statuses: OrderStatus) -> tuple[Card, ...]:
        """The cards of these statuses."""
        return tuple(one for one in self.cards if one.status in statuses)


def board(work: Work) -> Board:
    """All that is open now."""
    cards = sorted(map(card, work.orders.find_for_board(COLUMNS, MOST_CARDS)), key=_urgency)
    counted = work.orders.count_by_status(WATCHED)
    return Board(tuple(cards), {status: counted.get(status, 0) for status in WATCHED})


def version(work: Work) -> str:
    """Changes exactly when the board does."""
    return work.orders.digest_open(WATCHED)


def card(order: Order) -> Card:
    """An order as its card shows it."""
    shown = view_order(order)
    payment = payment_that_counts(order)
    return Card(
        id=order.id,
        number=order.number,
        status=order.status,
        created_at=order.created_at,
        customer=order.customer.name or "",
        lines=shown.lines,
        fulfilment=shown.fulfilment,
        delivery_address=shown.delivery_address,
        scheduled_for=shown.scheduled_for,
        total=shown.totals.total,
        currency=shown.currency,
        paid=payment is not None and payment.status == PaymentStatus.VERIFIED,
        paid_by=payment.payment_method if payment else None,
        next=NEXT.get(order.status, ()),
    )


def _urgency(one: Card) -> datetime:
    """What is wanted first comes first: at its time where one was named, else since it was ordered."""
    return one.scheduled_for or one.created_at


def payment_that_counts(order: Order) -> Payment | None:
    """The payment that was verified, else the last one; None where nothing was asked for."""
    verified = [one for one in order.payments if one.status == PaymentStatus.VERIFIED]
    counting = verified or order.payments
    return counting[-1] if counting else None
