"""The cart (OrderFlowService): what a customer is choosing, priced from the catalogue at every look."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rapidfuzz import fuzz, process, utils

from db.models import Cart, CartItem, CartStatus, Customer, Order, OrderStatus, PaymentStatus, Product
from shop import stock
from shop.catalogue import ProductView, view
from shop.conversation import ConversationState, move
from shop.errors import EmptyCart, NotEnoughStock, NotInCart, ProductGone, SoldOut
from shop.pricing import Totals, line_total, order_totals
from shop.quantities import as_quantity
from shop.work import Work

SAME_NAME = 80


@dataclass(frozen=True)
class Line:
    """One line of a cart or an order."""

    product_id: uuid.UUID
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal


@dataclass(frozen=True)
class CartView:
    """A cart with its totals, in `currency`."""

    lines: tuple[Line, ...]
    totals: Totals
    currency: str


@dataclass(frozen=True)
class WantedLine:
    """A line that a customer asks for: one product, or several that the words may mean.

    `quantity` is as it was typed; None where none was said.
    """

    products: tuple[str, ...]
    name: str
    quantity: str | None


@dataclass(frozen=True)
class CartChange:
    """What a change did to one product's line; `quantity` is what the line holds now."""

    product: str
    quantity: int
    cart: CartView


def add(work: Work, customer: Customer, product_id: str, quantity: str | int) -> CartChange:
    """Put units of a product into the cart, on top of those that are there.

    Raises:
        ProductGone, SoldOut, NotEnoughStock, and the quantity errors of `as_quantity`.
    """
    wanted = as_quantity(quantity)
    product = _picked(work, product_id)
    cart = open_cart(work, customer)
    item = _line_of(cart, product.id)
    _set_line(work, cart, product, as_quantity(wanted + (item.quantity if item else 0)))
    move(work, customer, ConversationState.ADDING_TO_CART)
    return CartChange(product.name, wanted, view_cart(work, cart))


def add_lines(work: Work, customer: Customer, lines: Sequence[WantedLine]) -> CartChange:
    """Put several lines into the cart, all or none; a quantity that was not said is one.

    Raises:
        the same as `add`.
    """
    changes = [add(work, customer, line.products[0], line.quantity or 1) for line in lines]
    added = ", ".join(f"{change.quantity} × {change.product}" for change in changes)
    return CartChange(added, sum(change.quantity for change in changes), changes[-1].cart)


def ask_quantity(work: Work, customer: Customer, product_id: str) -> ProductView:
    """The picked product, now that the customer is asked how many.

    Raises:
        ProductGone: if it left the catalogue meanwhile.
    """
    product = _picked(work, product_id)
    move(work, customer, ConversationState.COLLECTING_QUANTITY)
    return view(product)


def start_over(work: Work, customer: Customer) -> None:
    """Empty the cart, give up an unpaid order, and begin anew."""
    cart = open_cart(work, customer)
    cart.items.clear()
    work.session.flush()
    move(work, customer, ConversationState.GREETING)


def check_quantity(work: Work, customer: Customer, product_id: str, quantity: str) -> int:
    """Whether that many could be added now; the units.

    Raises:
        the same as `add`.
    """
    wanted = as_quantity(quantity)
    product = _picked(work, product_id)
    cart = work.carts.find_open(customer.id)
    item = _line_of(cart, product.id) if cart else None
    _check_left(product, as_quantity(wanted + (item.quantity if item else 0)))
    return wanted


def set_quantity(
    work: Work, customer: Customer, product_id: str | None, asked: str, quantity: str
) -> CartChange:
    """Set the units of a line that is in the cart; without a product, of the line added last.

    Raises:
        EmptyCart, NotInCart, SoldOut, NotEnoughStock, and the quantity errors of `as_quantity`.
    """
    wanted = as_quantity(quantity)
    cart, item = _find_line(work, customer, product_id, asked)
    _set_line(work, cart, item.product, wanted)
    move(work, customer, ConversationState.ADDING_TO_CART)
    return CartChange(item.product.name, wanted, view_cart(work, cart))


def remove(work: Work, customer: Customer, product_id: str | None, asked: str) -> CartChange:
    """Take a line out of the cart.

    Raises:
        EmptyCart, NotInCart
    """
    cart, item = _find_line(work, customer, product_id, asked)
    name = item.product.name
    cart.items.remove(item)
    work.session.flush()
    move(work, customer, ConversationState.ADDING_TO_CART)
    return CartChange(name, 0, view_cart(work, cart))


def clear(work: Work, customer: Customer) -> int:
    """Empty the cart; the number of lines that were in it."""
    cart = open_cart(work, customer)
    count = len(cart.items)
    cart.items.clear()
    work.session.flush()
    move(work, customer, ConversationState.BROWSING_PRODUCTS)
    return count


def current(work: Work, customer: Customer) -> CartView:
    """The cart, or the order that was made of it and awaits payment.

    Raises:
        EmptyCart
    """
    cart = work.carts.find_open(customer.id)
    if cart is not None and cart.items:
        return view_cart(work, cart)
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is None:
        raise EmptyCart()
    return view_order(order)


def open_cart(work: Work, customer: Customer) -> Cart:
    """The customer's open cart, locked; made if there is none.

    A customer whose order awaits payment goes on with that order's cart: the unpaid order is
    cancelled and its units are free again.
    """
    cart = work.carts.find_open(customer.id, lock=True)
    if cart is not None:
        return cart
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is not None and order.cart_id is not None:
        order = work.orders.lock(order.id)
        if order is not None and order.status == OrderStatus.AWAITING_PAYMENT:
            return reopen(work, order, OrderStatus.CANCELLED)
    return work.carts.create(customer_id=customer.id)


def reopen(work: Work, order: Order, ended_as: OrderStatus) -> Cart:
    """End an unpaid order (locked by the caller) and open its cart again, joined to a newer one."""
    stock.release(work, order)
    order.status = ended_as
    for payment in order.payments:
        if payment.status in (PaymentStatus.PENDING, PaymentStatus.FAILED):
            payment.status = PaymentStatus.EXPIRED
    work.session.flush()
    ordered = work.carts.find_by_id(order.cart_id) if order.cart_id else None
    newer = work.carts.find_open(order.customer_id, lock=True)
    if newer is not None:
        return newer
    if ordered is None:
        return work.carts.create(customer_id=order.customer_id)
    ordered.status = CartStatus.OPEN
    work.session.flush()
    return ordered


def view_cart(work: Work, cart: Cart) -> CartView:
    """A cart at today's prices."""
    lines = tuple(
        Line(
            item.product_id,
            item.product.name,
            item.quantity,
            item.product.price,
            line_total(item.product.price, item.quantity),
        )
        for item in cart.items
    )
    currency = work.policy.currency
    totals = order_totals((line.total for line in lines), work.policy.tax_rate, currency)
    return CartView(lines, totals, currency)


def view_order(order: Order) -> CartView:
    """An order's lines and totals as they were when it was made."""
    lines = tuple(
        Line(item.product_id, item.product_name, item.quantity, item.unit_price, item.total_price)
        for item in order.items
    )
    totals = Totals(order.items_amount, order.tax_amount, order.total_amount)
    return CartView(lines, totals, order.currency)


def _find_line(work: Work, customer: Customer, product_id: str | None, asked: str) -> tuple[Cart, CartItem]:
    cart = open_cart(work, customer)
    if not cart.items:
        raise EmptyCart()
    if product_id is not None:
        for item in cart.items:
            if str(item.product_id) == product_id:
                return cart, item
        raise NotInCart(asked)
    if not asked:
        return cart, max(cart.items, key=lambda item: item.position)
    best = process.extractOne(
        asked,
        [item.product.name for item in cart.items],
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        score_cutoff=SAME_NAME,
    )
    if best is None:
        raise NotInCart(asked)
    return cart, cart.items[best[2]]


def _picked(work: Work, product_id: str) -> Product:
    product = work.products.find_by_id(product_id)
    if product is None:
        raise ProductGone()
    return product


def _line_of(cart: Cart, product_id: uuid.UUID) -> CartItem | None:
    return next((item for item in cart.items if item.product_id == product_id), None)


def _set_line(work: Work, cart: Cart, product: Product, quantity: int) -> None:
    _check_left(product, quantity)
    newest = max((item.position for item in cart.items), default=0) + 1
    item = _line_of(cart, product.id)
    if item is None:
        cart.items.append(CartItem(product=product, quantity=quantity, position=newest))
    else:
        item.quantity = quantity
        item.position = newest
    work.session.flush()


def _check_left(product: Product, quantity: int) -> None:
    """A first answer from what is left now; checkout asks again under a lock."""
    shown = view(product)
    if shown.sold_out:
        raise SoldOut(product.name)
    if shown.left is not None and shown.left < quantity:
        raise NotEnoughStock(product.name, shown.left)
