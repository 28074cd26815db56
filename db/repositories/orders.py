"""Orders, their lines, and the units held for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from db.models import Order, OrderItem, OrderStatus, StockReservation
from db.repositories.base import Repository

_EXPIRED_HOLDS = select(StockReservation).where(
    StockReservation.product_id.in_(bindparam("product_ids", expanding=True)),
    StockReservation.expires_at <= bindparam("now"),
)


class OrdersRepository(Repository[Order]):
    """Orders."""

    model = Order

    def find_latest(self, customer_id: uuid.UUID, statuses: Sequence[OrderStatus] = ()) -> Order | None:
        """The customer's newest order, of all or of these statuses."""
        query = select(Order).where(Order.customer_id == customer_id)
        if statuses:
            query = query.where(Order.status.in_(statuses))
        return self.session.scalar(query.order_by(Order.created_at.desc()).limit(1))

    def find_by_number(self, number: str) -> Order | None:
        """The order with this number."""
        return self.session.scalar(select(Order).where(Order.number == number))

    def find_live_by_cart(self, cart_id: uuid.UUID) -> Order | None:
        """The order made of this cart, unless it was cancelled or expired."""
        ended = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
        return self.session.scalar(select(Order).where(Order.cart_id == cart_id, Order.status.not_in(ended)))

    def find_expired(self, now: datetime, limit: int) -> Sequence[Order]:
        """Orders whose time to pay is over, locked, skipping those that another replica works on."""
        query = (
            select(Order)
            .where(Order.status == OrderStatus.AWAITING_PAYMENT, Order.expires_at <= now)
            .order_by(Order.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Order)
        )
        return self.session.scalars(query).all()

    def lock(self, order_id: uuid.UUID) -> Order | None:
        """The order, locked for update and read afresh."""
        query = select(Order).where(Order.id == order_id).with_for_update(of=Order)
        return self.session.scalar(query.execution_options(populate_existing=True))

    def find_by_receipt(self, token: str) -> Order | None:
        """The order whose receipt this token opens."""
        return self.session.scalar(select(Order).where(Order.receipt_token == token))

    def find_to_remind(self, expires_before: datetime, now: datetime, limit: int) -> Sequence[Order]:
        """Unpaid orders whose time to pay is nearly over and that were not reminded of it; locked."""
        query = (
            select(Order)
            .where(
                Order.status == OrderStatus.AWAITING_PAYMENT,
                Order.expires_at > now,
                Order.expires_at <= expires_before,
                Order.reminded_at.is_(None),
            )
            .order_by(Order.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Order)
        )
        return self.session.scalars(query).all()


class OrderItemsRepository(Repository[OrderItem]):
    """Lines of orders."""

    model = OrderItem


class StockReservationsRepository(Repository[StockReservation]):
    """Units held for unpaid orders."""

    model = StockReservation

    def find_by_order(self, order_id: uuid.UUID) -> Sequence[StockReservation]:
        """What is held for one order."""
        return self.session.scalars(
            select(StockReservation).where(StockReservation.order_id == order_id)
        ).all()

    def find_expired(self, product_ids: Iterable[uuid.UUID], now: datetime) -> Sequence[StockReservation]:
        """Holds on these products whose time is over."""
        values = {"product_ids": list(set(product_ids)), "now": now}
        return self.session.scalars(_EXPIRED_HOLDS, values).all()

    def find_expired_products(self, now: datetime, limit: int) -> Sequence[uuid.UUID]:
        """Products on which there are holds whose time is over."""
        query = (
            select(StockReservation.product_id)
            .where(StockReservation.expires_at <= now)
            .distinct()
            .limit(limit)
        )
        return self.session.scalars(query).all()
