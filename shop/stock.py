"""Stock: units are reserved when an order is made, taken when it is paid or placed, freed otherwise.

Products are locked in the order of their ids, all lines of an order at once, so that two buyers can
neither oversell nor deadlock. Expired holds are released inside the same lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from db.models import Order, Product
from shop.errors import NotEnoughStock, SoldOut
from shop.work import Work


def hold(work: Work, order: Order, until: datetime) -> None:
    """Reserve units for an order until a time (UTC).

    Raises:
        SoldOut, NotEnoughStock: if any product has too few left; nothing is reserved then.
    """
    quantities = units(order)
    products = lock_for_sale(work, quantities)
    for product in products.values():
        product.reserved_quantity += quantities[product.id]
        work.reservations.create(
            order_id=order.id,
            product_id=product.id,
            quantity=quantities[product.id],
            expires_at=until,
        )


def units(order: Order) -> dict[uuid.UUID, int]:
    """How many of each product an order asks for."""
    return {item.product_id: item.quantity for item in order.items}


def lock_for_sale(
    work: Work, quantities: Mapping[uuid.UUID, int], promised: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, Product]:
    """Lock products, free expired holds on them, and make sure enough is left of each.

    Args:
        promised: products whose units the buyer held until now; these are not refused any more.

    Raises:
        SoldOut, NotEnoughStock
    """
    products = {product.id: product for product in work.products.lock(quantities)}
    for expired in work.reservations.find_expired(quantities, work.now):
        products[expired.product_id].reserved_quantity -= expired.quantity
        work.session.delete(expired)
    work.session.flush()
    for product_id, quantity in quantities.items():
        if product_id not in promised:
            _require(products[product_id], quantity)
    return products


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
    for product in lock_for_sale(work, quantities, promised=held).values():
        if product.stock_quantity is not None:
            product.stock_quantity -= quantities[product.id]
    work.session.flush()


def _require(product: Product, quantity: int) -> None:
    if not product.available:
        raise SoldOut(product.name)
    if product.stock_quantity is None:
        return
    left = product.stock_quantity - product.reserved_quantity
    if left <= 0:
        raise SoldOut(product.name)
    if left < quantity:
        raise NotEnoughStock(product.name, left)
