"""What the shop sells, and which product a customer means."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.models import Customer, Product
from shop.conversation import ConversationState, move
from shop.errors import NothingToChooseFrom, NumberNotOnList, SoldOut, UnknownProduct
from shop.menu_names import MenuNames, OptionNames, ProductNames
from shop.options import OptionGroupView, offered_with
from shop.quantities import as_number
from shop.work import Work

MOST_SUGGESTIONS = 5


@dataclass(frozen=True)
class ProductView:
    """A product as customers see it. `left` is None where stock is unlimited."""

    id: uuid.UUID
    sku: str
    name: str
    description: str
    price: Decimal
    category: str
    picture: str | None
    left: int | None

    @property
    def sold_out(self) -> bool:
        """Whether none can be bought now."""
        return self.left is not None and self.left <= 0


@dataclass(frozen=True)
class ProductDetails:
    """A product with what can be chosen about it, and what can be left out."""

    product: ProductView
    option_groups: tuple[OptionGroupView, ...]
    removable: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One entry of a numbered list: a category (`id` is its name) or a product."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True)
class Choices:
    """A numbered list to choose from: of categories, of one category's products, or of products that
    may be meant by `asked`."""

    choices: tuple[Choice, ...]
    products: tuple[ProductView, ...] = ()
    category: str | None = None
    asked: str | None = None


@dataclass(frozen=True)
class Selection:
    """What a selection led to: a product, or a (shorter) list to choose from."""

    product: ProductView | None = None
    choices: Choices | None = None


def view(product: Product) -> ProductView:
    """A product as customers see it; units reserved for others are not left."""
    stocked = product.stock_quantity
    left = None if stocked is None else stocked - product.reserved_quantity
    return ProductView(
        id=product.id,
        sku=product.sku,
        name=product.name,
        description=product.description,
        price=product.price,
        category=product.category,
        picture=product.picture,
        left=left if product.available and not product.sold_out else 0,
    )


def details(work: Work, product: Product) -> ProductDetails:
    """A product with all that can be chosen about it."""
    return ProductDetails(view(product), offered_with(work, product), tuple(product.removable))


def categories(work: Work) -> Choices:
    """The categories that have something on sale, in the order of the menu."""
    names = work.products.find_categories()
    return Choices(tuple(Choice("category", name, name) for name in names))


def products_in(work: Work, category: str) -> Choices:
    """The products on sale in one category."""
    return _list(work.products.find_available(category), category=category)


def show_menu(work: Work, customer: Customer, category: str | None = None) -> Choices:
    """Start browsing: the categories, or one category's products."""
    move(work, customer, ConversationState.BROWSING_PRODUCTS)
    chosen = products_in(work, category) if category else None
    return chosen if chosen and chosen.choices else categories(work)


def search(work: Work, customer: Customer, product_ids: Sequence[str], asked: str) -> Choices:
    """The products that were recognised, else those whose names come near what was asked for.

    Raises:
        UnknownProduct: if nothing comes near.
    """
    known = [row for row in map(work.products.find_by_id, product_ids) if row is not None]
    found = known or find_by_name(work, asked)
    if not found:
        raise UnknownProduct(asked)
    move(work, customer, ConversationState.BROWSING_PRODUCTS)
    return _list(found[:MOST_SUGGESTIONS], asked=asked)


def choose_number(work: Work, customer: Customer, number: str, shown: Sequence[Choice]) -> Selection:
    """The entry of the shown list that a number names.

    Raises:
        NothingToChooseFrom, NumberNotOnList, SoldOut, QuantityNotANumber
    """
    if not shown:
        raise NothingToChooseFrom()
    value = as_number(number)
    if value != value.to_integral_value() or not 1 <= value <= len(shown):
        raise NumberNotOnList(value, len(shown))
    choice = shown[int(value) - 1]
    if choice.kind == "category":
        return Selection(choices=show_menu(work, customer, choice.id))
    return select(work, customer, [choice.id], choice.name)


def select(work: Work, customer: Customer, product_ids: Sequence[str], asked: str) -> Selection:
    """The product a customer picked, by recognised ids or by the words that were typed.

    Raises:
        UnknownProduct: if no product comes near `asked`.
        SoldOut: if the product cannot be bought now.
    """
    known = [row for row in map(work.products.find_by_id, product_ids) if row is not None]
    found = known or find_by_name(work, asked)
    if not found:
        raise UnknownProduct(asked)
    if len(found) > 1:
        move(work, customer, ConversationState.BROWSING_PRODUCTS)
        return Selection(choices=_list(found[:MOST_SUGGESTIONS], asked=asked))
    product = view(found[0])
    if product.sold_out:
        raise SoldOut(product.name)
    move(work, customer, ConversationState.ADDING_TO_CART)
    return Selection(product=product)


def find_by_name(work: Work, asked: str) -> list[Product]:
    """Products whose name or alias comes near what was typed, best first.

    One that is surely meant stands alone; otherwise all that are perhaps meant.
    """
    meant = map(work.products.find_by_id, work.known_names.search(work, asked))
    return [product for product in meant if product is not None]


def _list(products: Sequence[Product], *, category: str | None = None, asked: str | None = None) -> Choices:
    views = tuple(view(product) for product in products)
    choices = tuple(Choice("product", str(shown.id), shown.name) for shown in views)
    return Choices(choices, views, category, asked)


def version(work: Work) -> str:
    """The version of all that the order parser reads: names, aliases, options, what is on sale."""
    return work.products.find_version()


def snapshot(work: Work) -> dict[str, Any]:
    """The catalogue as the order parser reads it: names, aliases, options and categories, no prices."""
    # Before the rest: what changes meanwhile is read again then, and never missed.
    version_read = work.products.find_version()
    products = work.products.find_with_options()
    groups = {group.id: group for product in products for group in product.option_groups}
    return {
        "version": version_read,
        "categories": list(dict.fromkeys(product.category for product in products)),
        "products": [
            {
                "id": str(product.id),
                "name": product.name,
                "aliases": product.aliases,
                "option_groups": [str(group.id) for group in product.option_groups],
                "removable": product.removable,
            }
            for product in products
        ],
        "option_groups": {
            str(key): [
                {"id": str(option.id), "name": option.name, "aliases": option.aliases}
                for option in group.options
                if option.available
            ]
            for key, group in groups.items()
        },
    }


def names(work: Work) -> MenuNames:
    """The names of all that is on sale, as the lint of the menu reads them."""
    products = work.products.find_with_options()
    groups = {group.id: group for product in products for group in product.option_groups}
    return MenuNames(
        tuple(
            ProductNames(
                name=product.name,
                sku=product.sku,
                category=product.category,
                aliases=tuple(product.aliases),
                groups=tuple(group.name for group in product.option_groups),
                removable=tuple(product.removable),
            )
            for product in products
        ),
        tuple(
            OptionNames(option.name, group.name, tuple(option.aliases))
            for group in groups.values()
            for option in group.options
            if option.available
        ),
    )
