"""Products that words may mean, though nobody can be sure: what a language model may choose among."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from db.models import Customer, Product
from shop import cart, catalogue
from shop.errors import EmptyCart
from shop.work import Work

MOST_CANDIDATES = 16


@dataclass(frozen=True)
class Candidate:
    """A product that may be meant, without its price; `options` are (id, name)."""

    id: str
    name: str
    category: str
    options: tuple[tuple[str, str], ...] = ()
    removable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """Candidates, the likeliest first, the version of the catalogue that they were taken from, and what the
    customer has in the cart (`2 × Cola`)."""

    products: tuple[Candidate, ...]
    catalogue_version: str
    cart: tuple[str, ...] = ()


def around(work: Work, customer: Customer, text: str, shown: Sequence[str] = ()) -> Candidates:
    """The products whose names or descriptions come nearest to a text; those in front of the customer first.

    Args:
        shown: ids of the products that the customer sees in a list.
    """
    near = work.known_names.nearest(work, text, MOST_CANDIDATES)
    wanted = list(dict.fromkeys([*filter(None, map(_id_of, shown)), *near]))
    # Some that are shown may be sold out of the menu since: as many more are read as could be missing.
    on_sale = {product.id: product for product in work.products.find_some_with_options(wanted)}
    keys = [key for key in wanted if key in on_sale][:MOST_CANDIDATES]
    products = tuple(_candidate(on_sale[key]) for key in keys)
    return Candidates(products, catalogue.version(work), _in_cart(work, customer))


def _id_of(shown: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(shown)
    except ValueError:
        return None


def _in_cart(work: Work, customer: Customer) -> tuple[str, ...]:
    try:
        lines = cart.current(work, customer).lines
    except EmptyCart:
        return ()
    return tuple(f"{line.quantity} × {line.name}" for line in lines)


def _candidate(product: Product) -> Candidate:
    options = [
        (str(option.id), option.name)
        for group in product.option_groups
        for option in group.options
        if option.available
    ]
    return Candidate(
        str(product.id), product.name, product.category, tuple(options), tuple(product.removable)
    )
