"""What customers are choosing."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.models import checked
from db.models.base import Base, Identified, Timestamped, enum_column
from db.models.catalogue import Product


class CartStatus(enum.StrEnum):
    """`open`: being filled; `ordered`: an order was made of it; `abandoned`: given up."""

    OPEN = "open"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


class Fulfilment(enum.StrEnum):
    """How the order reaches the customer."""

    PICKUP = "pickup"
    DELIVERY = "delivery"


class Cart(Identified, Timestamped, Base):
    """What a customer is choosing; at most one open cart per customer.

    `history` holds the lines before each of the last changes, newest last, for undoing. `reviewed` is
    what the customer was last shown before the yes: what differs from it is asked about again.
    """

    __tablename__ = "carts"
    __table_args__ = (
        Index(
            "idx_carts_one_open",
            "customer_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("idx_carts_expiry", "expires_at", postgresql_where=text("status = 'open'")),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[CartStatus] = mapped_column(
        enum_column(CartStatus, "cart_status"), default=CartStatus.OPEN
    )
    expires_at: Mapped[datetime | None]
    discount_code: Mapped[str | None] = mapped_column(String(32))
    fulfilment: Mapped[Fulfilment] = mapped_column(
        enum_column(Fulfilment, "fulfilment"), default=Fulfilment.PICKUP, server_default="pickup"
    )
    delivery_address: Mapped[str | None] = mapped_column(Text)
    scheduled_for: Mapped[datetime | None]
    history: Mapped[list[list[dict[str, Any]]]] = mapped_column(JSONB, default=list, server_default="[]")
    reviewed: Mapped[dict[str, Any] | None]
    items: Mapped[list[CartItem]] = relationship(
        back_populates="cart", cascade="all, delete-orphan", order_by="CartItem.position"
    )

    @property
    def address(self) -> str | None:
        """Where the order is brought; None where it is not."""
        return self.delivery_address if self.fulfilment == Fulfilment.DELIVERY else None


class CartItem(Identified, Base):
    """One line of a cart; the price is not kept here, it always comes from the catalogue.

    `option_ids` and `removals` are sorted, so that the same wish is the same line.
    """

    __tablename__ = "cart_items"
    __table_args__ = (
        UniqueConstraint("cart_id", "product_id", "option_ids", "removals", name="cart_items_one_per_wish"),
        CheckConstraint("quantity > 0", name="cart_items_quantity_positive"),
    )

    cart_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    option_ids: Mapped[list[uuid.UUID]] = mapped_column(default=list, server_default="{}")
    removals: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    position: Mapped[int]
    cart: Mapped[Cart] = relationship(back_populates="items")
    product: Mapped[Product] = relationship(lazy="joined")

    _quantity = validates("quantity")(checked.quantity)
