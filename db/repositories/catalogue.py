"""The catalogue: products, their options, discounts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import joinedload, selectinload

from db.models import (
    CatalogueVersion,
    Discount,
    OpeningHours,
    OptionGroup,
    Picture,
    Product,
    ProductOption,
    product_option_groups,
)
from db.repositories.base import Repository

_LOCKED = (
    select(Product)
    .where(Product.id.in_(bindparam("product_ids", expanding=True)))
    .order_by(Product.id)
    # NO KEY, because an order line's foreign key already holds its product's key share.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)

_VERSION = select(CatalogueVersion.__table__)


class ProductsRepository(Repository[Product]):
    """Products, in the order of the menu."""

    model = Product

    def find_with_options(self) -> Sequence[Product]:
        """All products on sale, with all their options, in three queries."""
        loaded = selectinload(Product.option_groups).selectinload(OptionGroup.options)
        query = select(Product).where(Product.available.is_(True)).options(loaded)
        return self.session.scalars(query.order_by(Product.position, Product.name)).all()

    def find_available(self, category: str | None = None) -> Sequence[Product]:
        """Products on sale, of one category or of all (compared without regard to case)."""
        query = select(Product).where(Product.available.is_(True))
        if category is not None:
            query = query.where(func.lower(Product.category) == category.lower())
        return self.session.scalars(query.order_by(Product.position, Product.name)).all()

    def find_categories(self) -> Sequence[str]:
        """The categories that have something on sale, in the order of the menu."""
        query = select(Product.category).where(Product.available.is_(True)).group_by(Product.category)
        return self.session.scalars(query.order_by(func.min(Product.position), Product.category)).all()

    def find_names(self) -> list[tuple[uuid.UUID, str, list[str]]]:
        """Id, name and aliases of all that is on sale, in the order of the menu."""
        query = select(Product.id, Product.name, Product.aliases).where(Product.available.is_(True))
        rows = self.session.execute(query.order_by(Product.position, Product.name))
        return [(row.id, row.name, row.aliases) for row in rows]

    def find_descriptions(self) -> list[tuple[uuid.UUID, str]]:
        """Id, and all that is said of it, of all that is on sale, in the order of the menu."""
        columns = (Product.id, Product.name, Product.aliases, Product.category, Product.description)
        query = select(*columns).where(Product.available.is_(True))
        rows = self.session.execute(query.order_by(Product.position, Product.name))
        return [
            (row.id, " ".join([row.name, *row.aliases, row.category, row.description or ""])) for row in rows
        ]

    def find_some_with_options(self, product_ids: Sequence[uuid.UUID]) -> Sequence[Product]:
        """Those of these products that are on sale, with all their options, in three queries."""
        loaded = selectinload(Product.option_groups).selectinload(OptionGroup.options)
        query = select(Product).where(Product.id.in_(product_ids), Product.available.is_(True))
        return self.session.scalars(query.options(loaded)).all()

    def find_by_sku(self, sku: str) -> Product | None:
        """The product with this stock-keeping unit."""
        return self.session.scalar(select(Product).where(Product.sku == sku))

    def find_version(self) -> str:
        """The catalogue's version: another one after every change to what the order parser reads."""
        row = self.session.connection().execute(_VERSION).one_or_none()
        return f"{row.series}.{row.number}" if row else ""

    def find_page(self, asked: str, last: Product | None, limit: int) -> Sequence[Product]:
        """All products in the order of the menu, on it or not, those after the last one that was seen.

        `asked`: a part of the name, the sku or the category; empty: all.
        """
        query = select(Product)
        if asked:
            parts = (Product.name, Product.sku, Product.category)
            query = query.where(or_(*(part.icontains(asked, autoescape=True) for part in parts)))
        if last is not None:
            query = query.where(tuple_(Product.position, Product.id) > (last.position, last.id))
        return self.session.scalars(query.order_by(Product.position, Product.id).limit(limit)).all()

    def find_all_categories(self) -> Sequence[str]:
        """Every category that a product has, whether it is on the menu or not."""
        return self.session.scalars(select(Product.category).distinct().order_by(Product.category)).all()

    def lock(self, product_ids: Iterable[uuid.UUID]) -> Sequence[Product]:
        """Lock products for update in the order of their ids, so that two buyers cannot deadlock."""
        return self.session.scalars(_LOCKED, {"product_ids": list(set(product_ids))}).all()


class OptionsRepository(Repository[ProductOption]):
    """Options of products."""

    model = ProductOption

    def find_by_ids(self, option_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ProductOption]:
        """These options by id, each with its group; unknown ids are left out."""
        wanted = set(option_ids)
        if not wanted:
            return {}
        query = (
            select(ProductOption)
            .where(ProductOption.id.in_(wanted))
            .options(joinedload(ProductOption.group))
            .execution_options(populate_existing=True)
        )
        return {option.id: option for option in self.session.scalars(query)}

    def find_by_product(self, product_id: uuid.UUID) -> Sequence[ProductOption]:
        """What can be chosen about a product now, group by group, with the groups."""
        links = product_option_groups.c
        query = (
            select(ProductOption)
            .join(ProductOption.group)
            .join(product_option_groups, links.group_id == OptionGroup.id)
            .where(links.product_id == product_id, ProductOption.available.is_(True))
            .order_by(links.position, OptionGroup.required.desc(), OptionGroup.name, ProductOption.position)
            .options(joinedload(ProductOption.group))
        )
        return self.session.scalars(query).all()


class OptionGroupsRepository(Repository[OptionGroup]):
    """Groups of options."""

    model = OptionGroup

    def find_by_name(self, name: str) -> OptionGroup | None:
        """The group with this name."""
        return self.session.scalar(select(OptionGroup).where(OptionGroup.name == name))

    def find_all(self) -> Sequence[OptionGroup]:
        """All groups with their options."""
        query = select(OptionGroup).options(selectinload(OptionGroup.options)).order_by(OptionGroup.name)
        return self.session.scalars(query).all()

    def lock_all(self) -> Sequence[OptionGroup]:
        """All groups, locked in the order of their ids, as an import locks them."""
        query = select(OptionGroup).order_by(OptionGroup.id).with_for_update(key_share=True)
        return self.session.scalars(query).all()

    def find_products(self, group_id: uuid.UUID) -> Sequence[Product]:
        """The products that have this group."""
        links = product_option_groups.c
        query = select(Product).join(product_option_groups, links.product_id == Product.id)
        return self.session.scalars(query.where(links.group_id == group_id).order_by(Product.position)).all()


class PicturesRepository(Repository[Picture]):
    """Pictures of products."""

    model = Picture

    def find_by_name(self, name: str) -> Picture | None:
        """The picture with this name."""
        return self.session.get(Picture, name)


class OpeningHoursRepository(Repository[OpeningHours]):
    """The opening hours."""

    model = OpeningHours

    def find(self) -> OpeningHours | None:
        """The one row."""
        return self.session.scalar(select(OpeningHours))

    def lock(self) -> OpeningHours:
        """The one row, locked; made where there was none."""
        self.session.execute(upsert(OpeningHours).values(id=1).on_conflict_do_nothing())
        return self.session.scalars(select(OpeningHours).with_for_update()).one()


class DiscountsRepository(Repository[Discount]):
    """Discounts."""

    model = Discount

    def find_by_code(self, code: str, *, lock: bool = False) -> Discount | None:
        """The discount with this code, in whatever case it is written."""
        query = select(Discount).where(func.upper(Discount.code) == code.strip().upper())
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self.session.scalar(query)

    def find_all(self) -> Sequence[Discount]:
        """All discounts, the newest first."""
        return self.session.scalars(select(Discount).order_by(Discount.created_at.desc())).all()
