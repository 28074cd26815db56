"""Figures for monitoring and for the dashboard: read from an index, however much the shop has sold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.models import (
    Handoff,
    HandoffStatus,
    Order,
    OrderItem,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    StateChange,
)

OPEN_ORDERS = (
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.REVIEW,
)
OPEN_PAYMENTS = (PaymentStatus.PENDING, PaymentStatus.REVIEW)
OPEN_HANDOFFS = (HandoffStatus.WAITING, HandoffStatus.TAKEN)
OPEN_REFUNDS = (RefundStatus.PENDING, RefundStatus.FAILED)
SOLD = (OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED)


class FiguresRepository:
    """Questions about many rows at once; it changes nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def open_orders(self) -> dict[str, int]:
        """Orders that somebody waits for, by status; those that none has are 0."""
        return self._counted(Order.status, Order.status.in_(OPEN_ORDERS), OPEN_ORDERS)

    def open_payments(self) -> dict[str, int]:
        """Payments that are not decided, by status."""
        return self._counted(Payment.status, Payment.status.in_(OPEN_PAYMENTS), OPEN_PAYMENTS)

    def open_refunds(self) -> dict[str, int]:
        """Refunds that are under way or have failed, by status."""
        return self._counted(Refund.status, Refund.status.in_(OPEN_REFUNDS), OPEN_REFUNDS)

    def orders_since(self, since: datetime) -> dict[str, int]:
        """Orders made since then, by the status that they have now."""
        return self._counted(Order.status, Order.created_at >= since, OrderStatus)

    def _counted(
        self, status: InstrumentedAttribute[Any], which: ColumnElement[bool], known: Iterable[str]
    ) -> dict[str, int]:
        rows = self.session.execute(select(status, func.count()).where(which).group_by(status))
        return {str(name): 0 for name in known} | {str(name): int(count) for name, count in rows}

    def sales_since(self, since: datetime) -> dict[str, Decimal]:
        """What orders that were made since then and sold cost, without what went back, by currency."""
        kept = _kept(since)
        query = select(Order.currency, func.sum(_earned(kept))).group_by(Order.currency)
        query = query.outerjoin(kept, kept.c.order_id == Order.id)
        sold = query.where(Order.created_at >= since, Order.status.in_(SOLD))
        return dict(self.session.execute(sold).tuples().all())

    def open_handoffs(self) -> tuple[dict[str, int], datetime | None]:
        """Handoffs by status, and since when the first of those that wait for a person does."""
        counted = self._counted(Handoff.status, Handoff.status.in_(OPEN_HANDOFFS), OPEN_HANDOFFS)
        waiting = select(func.min(Handoff.requested_at)).where(Handoff.status == HandoffStatus.WAITING)
        return counted, self.session.scalar(waiting)

    def untold(self) -> tuple[int, datetime | None]:
        """How many events wait in the outbox, and since when the oldest does."""
        query = select(func.count(), func.min(OutboxEvent.created_at))
        count, oldest = self.session.execute(query.where(OutboxEvent.dispatched_at.is_(None))).one()
        return count, oldest

    def sold_out(self) -> int:
        """Products on the menu of which nothing is left."""
        left = Product.stock_quantity - Product.reserved_quantity
        query = select(func.count()).where(Product.available.is_(True), left <= 0)
        return self.session.scalar(query) or 0

    def sales_by_day(self, since: datetime, timezone: str) -> Sequence[tuple[datetime, str, int, Decimal]]:
        """When a day began (where the shop is), currency, orders, and money kept of what was sold since."""
        day, kept = func.date_trunc("day", Order.created_at, timezone), _kept(since)
        query = (
            select(day, Order.currency, func.count(), func.sum(_earned(kept)))
            .outerjoin(kept, kept.c.order_id == Order.id)
            .where(Order.created_at >= since, Order.status.in_(SOLD))
            .group_by(day, Order.currency)
        )
        return self.session.execute(query).tuples().all()

    def best_sellers(self, since: datetime, most: int) -> Sequence[tuple[str, str, int, Decimal]]:
        """Name, currency, units and money (before tax) of what was sold most since then."""
        units = func.sum(OrderItem.quantity)
        query = (
            select(func.max(OrderItem.product_name), Order.currency, units, func.sum(OrderItem.total_price))
            .join(OrderItem.order)
            .where(
                OrderItem.ordered_at >= since,
                Order.created_at >= since,
                Order.status.in_(SOLD),
            )
            .group_by(OrderItem.product_id, Order.currency)
            .order_by(units.desc())
            .limit(most)
        )
        return self.session.execute(query).tuples().all()

    def furthest_states(self, since: datetime, ranks: Mapping[str, int]) -> dict[int, int]:
        """How many customers came how far since then: the highest rank of a state that each was in."""
        rank = case(ranks, value=StateChange.to_state, else_=0)
        furthest = func.max(rank).label("furthest")
        query = select(furthest).where(StateChange.created_at >= since).group_by(StateChange.customer_id)
        each = query.subquery()
        counted = select(each.c.furthest, func.count()).group_by(each.c.furthest)
        return dict(self.session.execute(counted).tuples().all())


def _kept(since: datetime) -> Subquery:
    """What is left of the money that came, for each order made since then of which some went back."""
    gone = select(Refund.payment_id, func.sum(Refund.amount).label("amount"))
    gone_of = gone.where(Refund.status == RefundStatus.DONE, Refund.created_at >= since)
    went_back = gone_of.group_by(Refund.payment_id).subquery()
    came = func.coalesce(Payment.received_amount, Payment.amount)
    query = (
        select(Payment.order_id, func.sum(came - went_back.c.amount).label("amount"))
        .join(went_back, went_back.c.payment_id == Payment.id)
        .where(Payment.status == PaymentStatus.VERIFIED)
        .group_by(Payment.order_id)
    )
    return query.subquery()


def _earned(kept: Subquery) -> ColumnElement[Decimal]:
    """An order's price, or less where less is left of what came. What came in excess is no sale."""
    return func.least(Order.total_amount, func.coalesce(kept.c.amount, Order.total_amount))
