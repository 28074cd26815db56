"""Orders, their lines, and the units held for them."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.models import checked
from db.models.base import Base, Identified, Timestamped, enum_column
from db.models.carts import Fulfilment
from db.models.customers import Customer

if TYPE_CHECKING:
    from db.models.payments import Payment


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


class Order(Identified, Timestamped, Base):
    """A checked-out cart, in `currency`: total = items - discount + tax + delivery fee.

    `taxes` holds the tax of each class. `receipt_token` opens the receipt's page.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_amount >= 0", name="orders_total_not_negative"),
        CheckConstraint(
            "total_amount = items_amount - discount_amount + tax_amount + delivery_fee",
            name="orders_parts_sum_to_total",
        ),
        CheckConstraint(
            "discount_amount BETWEEN 0 AND items_amount AND delivery_fee >= 0",
            name="orders_parts_not_negative",
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="orders_currency_code"),
        Index("idx_orders_customer", "customer_id"),
        Index("idx_orders_status", "status"),
        Index("idx_orders_newest", "customer_id", text("created_at DESC")),
        Index("idx_orders_created", text("created_at DESC")),
        Index("idx_orders_expiry", "expires_at", postgresql_where=text("status = 'awaiting_payment'")),
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
    status: Mapped[OrderStatus] = mapped_column(enum_column(OrderStatus, "order_status"))
    items_amount: Mapped[Decimal]
    discount_amount: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    discount_code: Mapped[str | None] = mapped_column(String(32))
    tax_amount: Mapped[Decimal]
    taxes: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    delivery_fee: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    total_amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    payment_reference: Mapped[str | None] = mapped_column(Text, unique=True)
    fulfilment: Mapped[Fulfilment] = mapped_column(
        enum_column(Fulfilment, "fulfilment"), default=Fulfilment.PICKUP, server_default="pickup"
    )
    delivery_address: Mapped[str | None] = mapped_column(Text)
    scheduled_for: Mapped[datetime | None]
    receipt_token: Mapped[str | None] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()
    items: Mapped[list[OrderItem]] = relationship(
        back_populates="order", cascade="all, delete-orphan", order_by="OrderItem.position"
    )
    payments: Mapped[list[Payment]] = relationship(back_populates="order", order_by="Payment.created_at")

    _money = validates("items_amount", "discount_amount", "tax_amount", "delivery_fee", "total_amount")(
        checked.money
    )
    _currency = validates("currency")(checked.currency)


class OrderItem(Identified, Base):
    """One line of an order, with name, options and price as they were when it was ordered."""

    __tablename__ = "order_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="order_items_quantity_positive"),
        CheckConstraint("unit_price >= 0", name="order_items_price_not_negative"),
        CheckConstraint("total_price >= 0", name="order_items_total_not_negative"),
        Index("idx_order_items_order", "order_id"),
        # Lines are written in the order of their times: the best sellers of a month are a range of pages.
        Index("idx_order_items_ordered", "ordered_at", postgresql_using="brin"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"))
    product_name: Mapped[str] = mapped_column(Text)
    option_ids: Mapped[list[uuid.UUID]] = mapped_column(default=list, server_default="{}")
    option_names: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    removals: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    total_price: Mapped[Decimal]
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    ordered_at: Mapped[datetime] = mapped_column(server_default=func.now())
    order: Mapped[Order] = relationship(back_populates="items")

    _quantity = validates("quantity")(checked.quantity)
    _money = validates("unit_price", "total_price")(checked.money)


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

    _quantity = validates("quantity")(checked.quantity)
