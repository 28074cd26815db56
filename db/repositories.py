"""Typed access to the tables: one repository per aggregate, all on one base."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Text, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from db.models import (
    Base,
    Cart,
    CartItem,
    CartStatus,
    CommandResult,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentEvent,
    Product,
    StateChange,
    StockReservation,
)

Model = TypeVar("Model", bound=Base)


class Repository(Generic[Model]):
    """Create, find, update and delete rows of one table, inside the caller's transaction."""

    model: type[Model]

    def __init__(self, session: Session) -> None:
        self.session = session

    def create(self, **values: Any) -> Model:
        """Insert a row and return it with its defaults filled in."""
        row = self.model(**values)
        self.session.add(row)
        self.session.flush()
        return row

    def find_by_id(self, row_id: uuid.UUID | str) -> Model | None:
        """The row, or None where there is none (an id that is no UUID is none, too)."""
        key = _as_uuid(row_id)
        return None if key is None else self.session.get(self.model, key)

    def update(self, row_id: uuid.UUID | str, **values: Any) -> Model | None:
        """Change columns of a row; None where there is no such row.

        Raises:
            AttributeError: if a value names something that is not a column.
        """
        row = self.find_by_id(row_id)
        if row is None:
            return None
        for name, value in values.items():
            if name not in self.model.__mapper__.columns:
                raise AttributeError(f"{self.model.__tablename__} has no column {name!r}")
            setattr(row, name, value)
        self.session.flush()
        return row

    def delete(self, row_id: uuid.UUID | str) -> bool:
        """Remove a row; False where there was none."""
        row = self.find_by_id(row_id)
        if row is None:
            return False
        self.session.delete(row)
        self.session.flush()
        return True


class CustomersRepository(Repository[Customer]):
    """Customers, found again by the pseudonym of their number."""

    model = Customer

    def find_by_lookup(self, phone_lookup: str) -> Customer | None:
        """The customer behind a pseudonym."""
        return self.session.scalar(select(Customer).where(Customer.phone_lookup == phone_lookup))


class ProductsRepository(Repository[Product]):
    """Products, in the order of the menu."""

    model = Product

    def find_available(self, category: str | None = None) -> Sequence[Product]:
        """Products on sale, of one category or of all (compared without regard to case)."""
        query = select(Product).where(Product.available.is_(True))
        if category is not None:
            query = query.where(func.lower(Product.category) == category.lower())
        return self.session.scalars(query.order_by(Product.position, Product.name)).all()

    def find_by_sku(self, sku: str) -> Product | None:
        """The product with this stock-keeping unit."""
        return self.session.scalar(select(Product).where(Product.sku == sku))

    def digest(self) -> str:
        """A digest of the names, aliases and categories on sale."""
        row = func.jsonb_build_array(Product.id, Product.name, Product.category, Product.aliases).cast(Text)
        joined = func.string_agg(row, aggregate_order_by(literal(","), Product.position, Product.id))
        query = select(func.md5(func.coalesce(joined, ""))).where(Product.available.is_(True))
        return str(self.session.scalar(query))

    def lock(self, product_ids: Iterable[uuid.UUID]) -> Sequence[Product]:
        """Lock products for update in the order of their ids, so that two buyers cannot deadlock.

        NO KEY, because an order line's foreign key already holds its product's key share.
        """
        query = (
            select(Product)
            .where(Product.id.in_(set(product_ids)))
            .order_by(Product.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return self.session.scalars(query).all()


class CartsRepository(Repository[Cart]):
    """Carts; a customer has at most one open cart."""

    model = Cart

    def find_open(self, customer_id: uuid.UUID, *, lock: bool = False) -> Cart | None:
        """The customer's open cart."""
        query = select(Cart).where(Cart.customer_id == customer_id, Cart.status == CartStatus.OPEN)
        return self.session.scalar(query.with_for_update() if lock else query)


class CartItemsRepository(Repository[CartItem]):
    """Lines of carts."""

    model = CartItem


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
        query = select(StockReservation).where(
            StockReservation.product_id.in_(set(product_ids)), StockReservation.expires_at <= now
        )
        return self.session.scalars(query).all()


class PaymentsRepository(Repository[Payment]):
    """Payments."""

    model = Payment

    def find_by_reference(self, reference: str, *, lock: bool = False) -> Payment | None:
        """The payment with this reference."""
        query = select(Payment).where(Payment.payment_reference == reference)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self.session.scalar(query)


class PaymentEventsRepository(Repository[PaymentEvent]):
    """What providers told us."""

    model = PaymentEvent

    def find_by_event(self, provider: str, event_id: str) -> PaymentEvent | None:
        """An event that was told before."""
        return self.session.scalar(
            select(PaymentEvent).where(PaymentEvent.provider == provider, PaymentEvent.event_id == event_id)
        )


class OutboxRepository(Repository[OutboxEvent]):
    """Events that wait to be told."""

    model = OutboxEvent

    def find_pending(self, limit: int, *, customer_id: uuid.UUID | None = None) -> Sequence[OutboxEvent]:
        """Events not yet dispatched, oldest first, locked, skipping those another replica holds."""
        query = select(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None))
        if customer_id is not None:
            query = query.where(OutboxEvent.customer_id == customer_id)
        else:
            # Who has no address (the shell) asks for its events itself.
            query = query.join(Customer).where(Customer.phone_number.is_not(None))
        query = query.order_by(OutboxEvent.sequence).limit(limit)
        return self.session.scalars(query.with_for_update(skip_locked=True, of=OutboxEvent)).all()


class StateChangesRepository(Repository[StateChange]):
    """The record of conversation states."""

    model = StateChange

    def find_latest(self, customer_id: uuid.UUID) -> StateChange | None:
        """The customer's last change of state."""
        query = select(StateChange).where(StateChange.customer_id == customer_id)
        return self.session.scalar(query.order_by(StateChange.id.desc()).limit(1))


class CommandResultsRepository(Repository[CommandResult]):
    """Results of commands that were carried out."""

    model = CommandResult

    def find(self, message_id: str, number: int, command: str) -> CommandResult | None:
        """The recorded result of a command."""
        return self.session.get(CommandResult, (message_id, number, command))


def _as_uuid(value: uuid.UUID | str) -> uuid.UUID | None:
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return None
