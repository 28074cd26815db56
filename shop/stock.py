"""Stock: units are reserved when an order is made, taken when it is paid or placed, freed otherwise.

Products are locked in the order of their ids, all lines of an order at once, so that two buyers can
neither oversell nor deadlock. Expired holds are released inside the same lock.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.models import Order, Product
from shop.errors import NotEnoughStock, ShopError, SoldOut
from shop.work import Work

GRACE = timedelta(minutes=2)
"""How much longer than the order its units are held: time to tell the provider that it is over."""


@dataclass(frozen=True)
class Shortage:
    """Fewer units of a product are left than are asked for."""

    product: Product
    wanted: int
    left: int

    def as_error(self) -> ShopError:
        """What the buyer of this product alone is told."""
        if self.left <= 0:
            return SoldOut(self.product.name)
        return NotEnoughStock(self.product.name, self.left)


def units(order: Order) -> dict[uuid.UUID, int]:
    """How many of each product an order asks for, whatever their options."""
    counted: Counter[uuid.UUID] = Counter()
    for item in order.items:
        counted[item.product_id] += item.quantity
    return dict(counted)


def lock(work: Work, product_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Product]:
    """Lock products until the end of the work and free expired holds on them."""
    products = {product.id: product for product in work.products.lock(product_ids)}
    for expired in work.reservations.find_expired(products, work.now):
        products[expired.product_id].reserved_quantity -= expired.quantity
        work.session.delete(expired)
    work.session.flush()
    return products


def free_expired(work: Work, limit: int = 100) -> int:
    """Free holds whose time is over, such as those of orders in review that nobody decided about; how
    many products had any. A hygiene: who buys a product frees its expired holds anyway."""
    products = work.reservations.find_expired_products(work.now, limit)
    lock(work, products)
    return len(products)


def shortages(products: Mapping[uuid.UUID, Product], quantities: Mapping[uuid.UUID, int]) -> list[Shortage]:
    """Of which locked products too few are left."""
    short = []
    for product_id, wanted in quantities.items():
        product = products[product_id]
        left = _left(product)
        if left is not None and left < wanted:
            short.append(Shortage(product, wanted, left))
    return short


def hold(
    work: Work, order: Order, until: datetime, locked: Mapping[uuid.UUID, Product] | None = None
) -> None:
    """Reserve units for an order until a time (UTC).

    Args:
        locked: its products, where the caller has locked them already.

    Raises:
        SoldOut, NotEnoughStock: if any product has too few left; nothing is reserved then.
    """
    quantities = units(order)
    products = lock(work, quantities) if locked is None else locked
    for shortage in shortages(products, quantities):
        raise shortage.as_error()
    for product_id, quantity in quantities.items():
        products[product_id].reserved_quantity += quantity
    work.session.flush()  # the order first: what is held points to it
    held = {"order_id": order.id, "expires_at": until}
    work.reservations.add(
        *({**held, "product_id": product, "quantity": quantity} for product, quantity in quantities.items())
    )


def release(work: Work, order: Order) -> set[uuid.UUID]:
    """Give an order's held units back; the products it held, none where it holds none."""
    products = {row.id: row for row in work.products.lock(item.product_id for item in order.items)}
    # Read under the lock: a buyer who held it may have freed what had expired.
    held = work.reservations.find_by_order(order.id)
    for reservation in held:
        products[reservation.product_id].reserved_quantity -= reservation.quantity
        work.session.delete(reservation)
    work.session.flush()
    return {reservation.product_id for reservation in held}


def take(work: Work, order: Order) -> None:
    """Turn an order's hold into a sale: the units leave the stock.

    Raises:
        SoldOut, NotEnoughStock: if the hold is gone and too few are left.
    """
    held = release(work, order)
    quantities = units(order)
    for product in _lock_enough(work, quantities, promised=held).values():
        if product.stock_quantity is not None:
            product.stock_quantity -= quantities[product.id]
    work.session.flush()


def put_back(work: Work, order: Order) -> None:
    """The units of a sale that is taken back are for sale again."""
    quantities = units(order)
    for product in work.products.lock(quantities):
        if product.stock_quantity is not None:
            product.stock_quantity += quantities[product.id]
    work.session.flush()


def _lock_enough(
    work: Work, quantities: Mapping[uuid.UUID, int], promised: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, Product]:
    """Lock products and make sure enough is left of each but those that the buyer held until now."""
    products = lock(work, quantities)
    asked = {product: wanted for product, wanted in quantities.items() if product not in promised}
    for shortage in shortages(products, asked):
        raise shortage.as_error()
    return products


def _left(product: Product) -> int | None:
    """Units that can be sold; None where that is unlimited."""
    if not product.available or product.sold_out:
        return 0
    if product.stock_quantity is None:
        return None
    return product.stock_quantity - product.reserved_quantity
