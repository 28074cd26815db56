"""The tables, as SQLAlchemy models. Money is NUMERIC, times are UTC, keys are UUIDs.

The documented columns and index names are fixed by the architecture; a test compares both with a
migrated database.
"""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class OrderStatus(enum.StrEnum):
    """Where an order stands; `review` waits for a person to compare money and order."""

    AWAITING_PAYMENT = "awaiting_payment"
    PLACED = "placed"
    PAID = "paid"
    PREPARING = "preparing"
    READY = "ready"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVIEW = "review"
    REFUNDED = "refunded"


class PaymentStatus(enum.StrEnum):
    """Where a payment stands; only `verified` counts as money received."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    REVIEW = "review"
    REFUNDED = "refunded"


class CartStatus(enum.StrEnum):
    """`open`: being filled; `ordered`: an order was made of it; `abandoned`: given up."""

    OPEN = "open"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


class Base(DeclarativeBase):
    """Base of all models; timestamps are timezone-aware everywhere."""

    type_annotation_map = {
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSONB(),
        Decimal: Numeric(12, 2),
    }


def _status(kind: type[enum.StrEnum], name: str) -> Enum:
    return Enum(kind, name=name, values_callable=lambda members: [m.value for m in members])


class Identified:
    """A random UUID as the primary key."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, default=uuid.uuid4, server_default=text("gen_random_uuid()")
    )


class Timestamped:
    """When a row was made and last changed, in UTC."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Customer(Identified, Timestamped, Base):
    """A person who writes to the shop.

    `phone_number` is an encrypted token; `phone_lookup` is the keyed pseudonym by which the customer
    is found again. Both planes compute it in `whatsapp.identity`.
    """

    __tablename__ = "customers"
    __table_args__ = (Index("idx_customers_phone", "phone_lookup", unique=True),)

    phone_number: Mapped[str | None] = mapped_column(Text, unique=True)
    phone_lookup: Mapped[str] = mapped_column(String(128))
    name: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(8))
    notices_stopped_at: Mapped[datetime | None]


class Product(Identified, Timestamped, Base):
    """Something the shop sells. `stock_quantity` None means unlimited.

    `stock_quantity` falls when an order is paid or placed; until then its units are counted in
    `reserved_quantity`.
    """

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0", name="products_price_not_negative"),
        CheckConstraint(
            "reserved_quantity >= 0 AND (stock_quantity IS NULL OR reserved_quantity <= stock_quantity)",
            name="products_reserved_within_stock",
        ),
        Index("idx_products_available", "available", postgresql_where=text("available = true")),
        Index("idx_products_category", "category"),
    )

    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="", server_default="")
    price: Mapped[Decimal]
    category: Mapped[str] = mapped_column(Text)
    available: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    stock_quantity: Mapped[int | None]
    reserved_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    picture: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class Cart(Identified, Timestamped, Base):
    """What a customer is choosing; at most one open cart per customer."""

    __tablename__ = "carts"
    __table_args__ = (
        Index(
            "idx_carts_one_open",
            "customer_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[CartStatus] = mapped_column(_status(CartStatus, "cart_status"), default=CartStatus.OPEN)
    items: Mapped[list[CartItem]] = relationship(
        back_populates="cart", cascade="all, delete-orphan", order_by="CartItem.position"
    )


class CartItem(Identified, Base):
    """One line of a cart; the price is not kept here, it always comes from the catalogue."""

    __tablename__ = "cart_items"
    __table_args__ = (
        UniqueConstraint("cart_id", "product_id"),
        CheckConstraint("quantity > 0", name="cart_items_quantity_positive"),
    )

    cart_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    position: Mapped[int]
    cart: Mapped[Cart] = relationship(back_populates="items")
    product: Mapped[Product] = relationship(lazy="joined")


class Order(Identified, Timestamped, Base):
    """A checked-out cart. `total_amount` = items + tax, in `currency`."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_amount >= 0", name="orders_total_not_negative"),
        Index("idx_orders_customer", "customer_id"),
        Index("idx_orders_status", "status"),
        # One live order per cart: a second confirmation finds the first one.
        Index(
            "idx_orders_one_per_cart",
            "cart_id",
            unique=True,
            postgresql_where=text("status NOT IN ('cancelled', 'expired')"),
        ),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    cart_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("carts.id"))
    number: Mapped[str] = mapped_column(String(16), unique=True)
    status: Mapped[OrderStatus] = mapped_column(_status(OrderStatus, "order_status"))
    items_amount: Mapped[Decimal]
    tax_amount: Mapped[Decimal]
    total_amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    payment_reference: Mapped[str | None] = mapped_column(Text, unique=True)
    expires_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()
    items: Mapped[list[OrderItem]] = relationship(
        back_populates="order", cascade="all, delete-orphan", order_by="OrderItem.position"
    )
    payments: Mapped[list[Payment]] = relationship(back_populates="order")


class OrderItem(Identified, Base):
    """One line of an order, with name and price as they were when it was ordered."""

    __tablename__ = "order_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="order_items_quantity_positive"),
        Index("idx_order_items_order", "order_id"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"))
    product_name: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    total_price: Mapped[Decimal]
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    order: Mapped[Order] = relationship(back_populates="items")


class StockReservation(Identified, Base):
    """Units held for an order that awaits payment, until `expires_at`."""

    __tablename__ = "stock_reservations"
    __table_args__ = (
        UniqueConstraint("order_id", "product_id"),
        CheckConstraint("quantity > 0", name="stock_reservations_quantity_positive"),
        Index("idx_stock_reservations_product", "product_id", "expires_at"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    expires_at: Mapped[datetime]


class Payment(Identified, Base):
    """One attempt to pay an order through one provider (`payment_method`)."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("idx_payments_order", "order_id"),
        Index("idx_payments_status", "status"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    payment_method: Mapped[str] = mapped_column(Text)
    payment_reference: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[PaymentStatus] = mapped_column(
        _status(PaymentStatus, "payment_status"), default=PaymentStatus.PENDING
    )
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    order: Mapped[Order] = relationship(back_populates="payments")


class PaymentEvent(Identified, Base):
    """What a provider told us, stored before it is believed; unique by provider and event id."""

    __tablename__ = "payment_events"
    __table_args__ = (UniqueConstraint("provider", "event_id"),)

    provider: Mapped[str] = mapped_column(Text)
    event_id: Mapped[str] = mapped_column(Text)
    payment_reference: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    outcome: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SandboxCharge(Base):
    """The sandbox provider's own ledger: what it would answer when asked about a payment."""

    __tablename__ = "sandbox_charges"

    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    outcome: Mapped[str | None] = mapped_column(Text)


class OutboxEvent(Identified, Base):
    """Something the shop must tell a customer, written with its cause, dispatched afterwards.

    `event` is the internal intent that Rasa's rule answers.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("idx_outbox_pending", "sequence", postgresql_where=text("dispatched_at IS NULL")),
    )

    # Assigned by the database: events of one customer are told in the order of their causes.
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    event: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dispatched_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()


class CommandResult(Base):
    """The result of a command that changed something, so that asking again changes nothing."""

    __tablename__ = "commands"

    message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    command_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    command: Mapped[str] = mapped_column(Text, primary_key=True)
    result: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StateChange(Base):
    """One change of a customer's conversation state; the funnel is read from here."""

    __tablename__ = "state_changes"
    __table_args__ = (Index("idx_state_changes_customer", "customer_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    from_state: Mapped[str | None] = mapped_column(String(32))
    to_state: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
