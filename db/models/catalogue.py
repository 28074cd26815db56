"""What the shop sells: products, what can be chosen about them, discounts."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.models import checked
from db.models.base import Base, Identified, Timestamped, enum_column


class DiscountKind(enum.StrEnum):
    """`percent`: `value` is a percentage of the items; `amount`: `value` is money."""

    PERCENT = "percent"
    AMOUNT = "amount"


product_option_groups = Table(
    "product_option_groups",
    Base.metadata,
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", ForeignKey("option_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False, server_default=text("0")),
)


class Product(Identified, Timestamped, Base):
    """Something the shop sells. `stock_quantity` None means unlimited.

    `available`: it is on the menu. `sold_out`: it stays there, and nobody can order it for now.
    `stock_quantity` falls when an order is paid or placed; until then its units are counted in
    `reserved_quantity`. `removable` names what can be left out of it.
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
        Index("idx_products_category_any_case", text("lower(category)")),
    )

    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="", server_default="")
    price: Mapped[Decimal]
    category: Mapped[str] = mapped_column(Text)
    available: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    sold_out: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    stock_quantity: Mapped[int | None]
    reserved_quantity: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    aliases: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    removable: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    tax_class: Mapped[str] = mapped_column(String(32), default="standard", server_default="standard")
    picture: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    option_groups: Mapped[list[OptionGroup]] = relationship(
        secondary=product_option_groups, order_by=product_option_groups.c.position
    )

    _money = validates("price")(checked.money)


class Picture(Base):
    """A picture of a product that staff uploaded, under the name that the product has as `picture`.

    In the database, because every replica of the web app has to serve what one of them took in; a menu has
    some hundred pictures of about 100 kB. A name is never given to another picture.
    """

    __tablename__ = "pictures"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OptionGroup(Identified, Base):
    """A choice about products, such as size or milk; several products may share it.

    Exactly one option belongs to every line where the choice is `required` (the first unless another
    is named); otherwise up to `most`.
    """

    __tablename__ = "option_groups"
    __table_args__ = (CheckConstraint("most >= 1", name="option_groups_most_positive"),)

    name: Mapped[str] = mapped_column(Text, unique=True)
    required: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    most: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    options: Mapped[list[ProductOption]] = relationship(
        back_populates="group", cascade="all, delete-orphan", order_by="ProductOption.position"
    )


class ProductOption(Identified, Base):
    """One option of a group, and what it adds to (or takes off) the price of a unit."""

    __tablename__ = "product_options"
    __table_args__ = (Index("idx_product_options_name", "group_id", "name", unique=True),)

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("option_groups.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    price_difference: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    aliases: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    available: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    group: Mapped[OptionGroup] = relationship(back_populates="options")


class CatalogueVersion(Base):
    """Which catalogue this is (one row): the database counts `number` up with every transaction that
    changes what the order parser reads, whoever changes it, with SQL by hand, too.

    `series` tells a database from another one that begins to count as well. `counted_for` is the
    transaction that was counted last, so that a menu of 10,000 products is one change.
    """

    __tablename__ = "catalogue_version"
    __table_args__ = (CheckConstraint("single", name="catalogue_version_single"),)

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    series: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    number: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    counted_for: Mapped[int | None] = mapped_column(BigInteger)


class Discount(Identified, Timestamped, Base):
    """A code that makes an order cheaper. `most_uses` None: as often as it is named."""

    __tablename__ = "discounts"
    __table_args__ = (
        CheckConstraint("value > 0 AND (kind <> 'percent' OR value <= 100)", name="discounts_value_sane"),
        CheckConstraint("uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)", name="discounts_uses_left"),
        Index("idx_discounts_code", text("upper(code)"), unique=True),
    )

    code: Mapped[str] = mapped_column(String(32))
    kind: Mapped[DiscountKind] = mapped_column(enum_column(DiscountKind, "discount_kind"))
    value: Mapped[Decimal]
    minimum_amount: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    most_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class OpeningHours(Base):
    """The opening hours as staff set them; one row, or none.

    `notation` is OpenStreetMap's; empty: always open; None: the setting OPENING_HOURS holds. On the day
    `closed_on`, a date where the shop is, it is closed all the same.
    """

    __tablename__ = "opening_hours"
    __table_args__ = (CheckConstraint("id = 1", name="opening_hours_one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    notation: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[date | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
