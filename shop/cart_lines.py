"""The lines of a cart: which one is meant, how it is wanted, how many of it there can be."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass

from rapidfuzz import fuzz, process, utils

from db.models import Cart, CartItem, Product
from shop.catalogue import view
from shop.errors import (
    EmptyCart,
    NotEnoughStock,
    NotInCart,
    ProductGone,
    QuantityTooLarge,
    SoldOut,
    UnknownOption,
)
from shop.options import Wish, as_wished
from shop.quantities import MOST_PER_ORDER, as_quantity
from shop.work import Work

SAME_NAME = 80


@dataclass(frozen=True)
class WantedLine:
    """A line that a customer asks for: one product, or several that the words may mean.

    `quantity` is as it was typed, None where none was said; `options` are ids, `removals` names, and
    `without` ids of options that are to be taken off.
    """

    products: tuple[str, ...]
    name: str
    quantity: str | None
    options: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def is_wished(self) -> bool:
        """Whether it says how the product is to be."""
        return bool(self.options or self.removals)


def find_line(cart: Cart, product_id: str | None, asked: str) -> CartItem:
    """The line that is meant; of several of one product, the one changed last."""
    if not cart.items:
        raise EmptyCart()
    newest_first = sorted(cart.items, key=lambda item: -item.position)
    if product_id is not None:
        for item in newest_first:
            if str(item.product_id) == product_id:
                return item
        raise NotInCart(asked)
    if not asked:
        return newest_first[0]
    best = process.extractOne(
        asked,
        [item.product.name for item in newest_first],
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        score_cutoff=SAME_NAME,
    )
    if best is None:
        raise NotInCart(asked)
    return newest_first[best[2]]


def find_held(cart: Cart, line: WantedLine) -> CartItem:
    """The line of the cart that is meant by one of several products, or by none: then the newest.

    Raises:
        EmptyCart, NotInCart
    """
    if len(line.products) < 2:
        return find_line(cart, line.products[0] if line.products else None, line.name)
    newest = sorted(cart.items, key=lambda item: -item.position)
    held = (str(item.product_id) for item in newest if str(item.product_id) in line.products)
    return find_line(cart, next(held, line.products[0]), line.name)


def find_changed(work: Work, cart: Cart, line: WantedLine) -> tuple[CartItem, Wish]:
    """The line whose options are to be changed, and how it is wanted then."""
    if line.products or line.name:
        return _as_changed(work, find_held(cart, line), line)
    newest = find_line(cart, None, "")
    for item in sorted(cart.items, key=lambda item: -item.position):
        with contextlib.suppress(UnknownOption):
            return _as_changed(work, item, line)
    return _as_changed(work, newest, line)


def find_all_changed(work: Work, cart: Cart, line: WantedLine) -> list[tuple[CartItem, Wish]]:
    """The lines that can be had that way, of the products that were named, and how they are wanted then.

    Raises:
        EmptyCart, NotInCart, UnknownOption: if none can be.
    """
    changed = []
    for item in sorted(cart.items, key=lambda item: item.position):
        if not line.products or str(item.product_id) in line.products:
            with contextlib.suppress(UnknownOption):
                changed.append(_as_changed(work, item, line))
    return changed or [find_changed(work, cart, line)]


def _as_changed(work: Work, item: CartItem, line: WantedLine) -> tuple[CartItem, Wish]:
    return item, as_wished(work, item.product, line.options, line.removals, _kept(item, line))


def _kept(item: CartItem, line: WantedLine) -> Wish:
    """How a line is wanted, less what is to be taken off."""
    options = tuple(option for option in item.option_ids if str(option) not in line.without)
    return Wish(options, tuple(item.removals))


def wish_of(item: CartItem) -> Wish:
    """How a line is wanted."""
    return Wish(tuple(item.option_ids), tuple(item.removals))


def picked(work: Work, product_id: str) -> Product:
    """The product that was picked.

    Raises:
        ProductGone: if it left the catalogue meanwhile.
    """
    product = work.products.find_by_id(product_id)
    if product is None:
        raise ProductGone()
    return product


def line_like(cart: Cart, product_id: uuid.UUID, wish: Wish) -> CartItem | None:
    """The line of a product that is wanted in just this way."""
    for item in cart.items:
        if item.product_id == product_id and wish_of(item) == wish:
            return item
    return None


def units_like(cart: Cart, product_id: uuid.UUID, wish: Wish) -> int:
    """The units of that line."""
    item = line_like(cart, product_id, wish)
    return item.quantity if item else 0


def units_of(cart: Cart, product_id: uuid.UUID) -> int:
    """The units of a product in all its lines."""
    return sum(item.quantity for item in cart.items if item.product_id == product_id)


def take_units(work: Work, cart: Cart, item: CartItem, units: int) -> None:
    """Take units out of a line; the line goes with the last one."""
    if units < item.quantity:
        item.quantity -= units
    else:
        cart.items.remove(item)
    work.session.flush()


def set_line(work: Work, cart: Cart, product: Product, wish: Wish, quantity: int) -> None:
    """Set the units of a product that is wanted in one way.

    Raises:
        SoldOut, NotEnoughStock, QuantityTooLarge
    """
    item = line_like(cart, product.id, wish)
    if item is None:
        item = CartItem(
            product_id=product.id,
            product=product,
            quantity=as_quantity(quantity),
            option_ids=list(wish.option_ids),
            removals=list(wish.removals),
            position=0,
        )
        cart.items.append(item)
    set_units(work, cart, item, quantity)


def set_units(work: Work, cart: Cart, item: CartItem, quantity: int) -> None:
    """Set the units of a line, which becomes the newest.

    Raises:
        SoldOut, NotEnoughStock, QuantityTooLarge
    """
    quantity = as_quantity(quantity)
    others = units_of(cart, item.product.id) - item.quantity
    check_left(item.product, quantity + others)
    item.quantity = quantity
    item.position = max((one.position for one in cart.items), default=0) + 1
    if sum(one.quantity for one in cart.items) > MOST_PER_ORDER:
        raise QuantityTooLarge(MOST_PER_ORDER)
    work.session.flush()


def check_left(product: Product, quantity: int) -> None:
    """A first answer from what is left now; checkout asks again under a lock."""
    shown = view(product)
    if shown.sold_out:
        raise SoldOut(product.name)
    if shown.left is not None and shown.left < quantity:
        raise NotEnoughStock(product.name, shown.left)
