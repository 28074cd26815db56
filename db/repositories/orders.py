"""Orders, their lines, and the units held for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Text, bindparam, func, insert, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import joinedload, selectinload

from db.models import Order, OrderItem, OrderStatus, Payment, StockReservation
from db.repositories.base import Repository, column_values

_INSERT_ITEMS, _INSERT_PAYMENTS = insert(OrderItem), insert(Payment)

_EXPIRED_HOLDS = select(StockReservation).where(
    StockReservation.product_id.in_(bindparam("product_ids", expanding=True)),
    StockReservation.expires_at <= bindparam("now"),
)


class OrdersRepository(Repository[Order]):
    """Orders."""

    model = Order

    def insert(self, order: Order) -> None:
        """Write a new order with its lines and payments, which have their ids.

        The objects stay outside of the session: its unit of work would take longer than all of the
        statements together (`make bench-shop`).
        """
        connection = self.session.connection()
        connection.execute(self._insert, column_values(order))
        belongs = {"order_id": order.id}
        connection.execute(_INSERT_ITEMS, [{**column_values(item), **belongs} for item in order.items])
        if order.payments:
            payments = [{**column_values(payment), **belongs} for payment in order.payments]
            connection.execute(_INSERT_PAYMENTS, payments)

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

    def find_numbers(self, order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The numbers of these orders, by id."""
        query = select(Order.id, Order.number).where(Order.id.in_(set(order_ids)))
        return dict(self.session.execute(query).tuples().all())

    def find_open(self, statuses: Sequence[OrderStatus], limit: int) -> Sequence[Order]:
        """The oldest orders of these statuses, with lines, payments and customers, in four queries."""
        query = (
            select(Order)
            .where(Order.status.in_(statuses))
            .options(selectinload(Order.items), selectinload(Order.payments), joinedload(Order.customer))
            .order_by(Order.created_at)
            .limit(limit)
        )
        return self.session.scalars(query).all()

    def find_for_board(self, statuses: Sequence[OrderStatus], most: int) -> Sequence[Order]:
        """Of each status the orders that are wanted first and those that came or moved last, `most` in all,
        half of them each; with lines, payments and customers, in four queries."""
        wanted = func.coalesce(Order.scheduled_for, Order.created_at)
        place = func.row_number().over(partition_by=Order.status, order_by=(wanted, Order.id))
        latest = (Order.updated_at.desc(), Order.id)
        place_from_end = func.row_number().over(partition_by=Order.status, order_by=latest)
        ranked = (
            select(Order.id, place.label("place"), place_from_end.label("place_from_end"))
            .where(Order.status.in_(statuses))
            .subquery()
        )
        shown = select(ranked.c.id).where(
            or_(ranked.c.place <= most - most // 2, ranked.c.place_from_end <= most // 2)
        )
        query = (
            select(Order)
            .where(Order.id.in_(shown))
            .options(selectinload(Order.items), selectinload(Order.payments), joinedload(Order.customer))
        )
        return self.session.scalars(query).all()

    def find_page(self, statuses: Sequence[OrderStatus], last: Order | None, limit: int) -> Sequence[Order]:
        """Orders of these statuses (or of all), newest first, those after the last one that was seen."""
        query = select(Order).options(
            selectinload(Order.items), selectinload(Order.payments), joinedload(Order.customer)
        )
        if statuses:
            query = query.where(Order.status.in_(statuses))
        if last is not None:
            query = query.where(tuple_(Order.created_at, Order.id) < (last.created_at, last.id))
        query = query.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)
        return self.session.scalars(query).all()

    def find_by_customer(self, customer_id: uuid.UUID, limit: int) -> Sequence[Order]:
        """A customer's latest orders, with lines and payments."""
        query = (
            select(Order)
            .where(Order.customer_id == customer_id)
            .options(selectinload(Order.items), selectinload(Order.payments), joinedload(Order.customer))
            .order_by(Order.created_at.desc())
            .limit(limit)
        )
        return self.session.scalars(query).all()

    def count_by_customer(self, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
        """How many orders each of these customers made; none of who made none."""
        query = select(Order.customer_id, func.count()).where(Order.customer_id.in_(customer_ids))
        return dict(self.session.execute(query.group_by(Order.customer_id)).tuples().all())

    def find_by_number_start(self, start: str, limit: int) -> Sequence[Order]:
        """Orders whose numbers begin with these characters."""
        query = (
            select(Order)
            .where(Order.number.startswith(start, autoescape=True))
            .order_by(Order.created_at.desc())
            .limit(limit)
        )
        return self.session.scalars(query).all()

    def count_by_status(self, statuses: Sequence[OrderStatus]) -> dict[OrderStatus, int]:
        """How many orders have each of these statuses; none that has none."""
        query = select(Order.status, func.count()).where(Order.status.in_(statuses)).group_by(Order.status)
        return dict(self.session.execute(query).tuples().all())

    def digest_open(self, statuses: Sequence[OrderStatus]) -> str:
        """A digest of which orders have which of these statuses: it changes when one comes, moves or goes."""
        row = Order.number + Order.status.cast(Text)
        joined = func.string_agg(row, aggregate_order_by(literal(","), Order.number))
        query = select(func.md5(func.coalesce(joined, ""))).where(Order.status.in_(statuses))
        return str(self.session.scalar(query))


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
