"""The cart (OrderFlowService): what a customer is choosing, priced from the catalogue at every look."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from db.models import Cart, CartItem, CartStatus, Customer, MisunderstandingKind, OrderStatus
from shop import discounts, misunderstandings
from shop.cart_lines import (
    WantedLine,
    check_left,
    find_all_changed,
    find_changed,
    find_held,
    picked,
    set_line,
    set_units,
    take_units,
    units_like,
    units_of,
    wish_of,
)
from shop.cart_view import CartView, view_cart, view_order
from shop.catalogue import ProductDetails, details
from shop.conversation import ConversationState, is_expired, move
from shop.errors import EmptyCart, NothingToUndo, NotInCart
from shop.options import as_wished
from shop.quantities import as_number, as_quantity
from shop.reopening import reopen
from shop.work import Work

MOST_UNDONE = 10
EXPIRY_STEP = timedelta(minutes=10)
"""A cart's expiry is written anew when it moved this far: not at every look."""


@dataclass(frozen=True)
class CartChange:
    """What a change did: to `product` (of what was added, with its units), and how many it is now."""

    product: str
    quantity: int
    cart: CartView


def add(
    work: Work,
    customer: Customer,
    product_id: str,
    quantity: str | int,
    options: Sequence[str] = (),
    removals: Sequence[str] = (),
) -> CartChange:
    """Put units of a product into the cart, on top of those that are there in the same way.

    Args:
        options: ids of what is chosen about it; `removals`: what is left out of it.

    Raises:
        ProductGone, SoldOut, NotEnoughStock, the errors of `as_quantity` and of `as_wished`.
    """
    line = WantedLine((product_id,), "", str(quantity), tuple(options), tuple(removals))
    return add_lines(work, customer, [line])


def add_lines(work: Work, customer: Customer, lines: Sequence[WantedLine]) -> CartChange:
    """Put several lines into the cart, all or none; a quantity that was not said is one.

    Raises:
        the same as `add`.
    """
    cart = _cart_to_change(work, customer)
    added = [_put(work, cart, line) for line in lines]
    move(work, customer, ConversationState.ADDING_TO_CART)
    return _added(work, cart, added)


@dataclass(frozen=True)
class Exchanged:
    """What went out of the cart and what came in, each with its units; empty where nothing did."""

    removed: str
    added: str
    cart: CartView


def exchange(
    work: Work, customer: Customer, removed: Sequence[WantedLine], added: Sequence[WantedLine]
) -> Exchanged:
    """Take lines out and put others in, all or none.

    As many units go as were said, or all of a line. Where one goes for one whose number was not said, the
    number stays. What is to go and is not there is no reason to refuse what is to come.

    Raises:
        EmptyCart, NotInCart: if nothing is to come; the same as `add` otherwise.
    """
    cart = _cart_to_change(work, customer)
    gone = []
    for line in removed:
        try:
            gone.append(_take_out(work, cart, line))
        except (EmptyCart, NotInCart):
            if not added:
                raise
    if len(gone) == 1 and len(added) == 1 and added[0].quantity is None:
        added = [replace(added[0], quantity=str(gone[0][0]))]
    put = [_put(work, cart, line) for line in added]
    move(work, customer, ConversationState.ADDING_TO_CART)
    names = ", ".join(name for _, name in gone)
    return Exchanged(names, ", ".join(f"{units} × {name}" for name, units in put), view_cart(work, cart))


def _take_out(work: Work, cart: Cart, line: WantedLine) -> tuple[int, str]:
    """Take units of a line out; how many, and of what: with its units, if some stay."""
    item = find_held(cart, line)
    held, name = item.quantity, item.product.name
    units = held if line.quantity is None else min(as_quantity(line.quantity), held)
    take_units(work, cart, item, units)
    return units, name if units == held else f"{units} × {name}"


def ask_quantity(work: Work, customer: Customer, product_id: str) -> ProductDetails:
    """The picked product, now that the customer is asked how many.

    Raises:
        ProductGone: if it left the catalogue meanwhile.
    """
    product = picked(work, product_id)
    move(work, customer, ConversationState.COLLECTING_QUANTITY)
    return details(work, product)


def start_over(work: Work, customer: Customer) -> None:
    """Empty the cart, give up an unpaid order, and begin anew."""
    cart = _cart_to_change(work, customer)
    cart.items.clear()
    cart.discount_code = None
    work.session.flush()
    move(work, customer, ConversationState.GREETING)


def check_quantity(work: Work, customer: Customer, product_id: str, quantity: str) -> int:
    """Whether that many could be added now; the units.

    Raises:
        the same as `add`.
    """
    wanted = as_quantity(quantity)
    product = picked(work, product_id)
    cart = work.carts.find_open(customer.id)
    held = units_of(cart, product.id) if cart else 0
    check_left(product, as_quantity(wanted + held))
    return wanted


def set_quantities(work: Work, customer: Customer, lines: Sequence[WantedLine]) -> Exchanged:
    """Set the units of lines that are in the cart, of all or none; none of something takes it out.

    A line without products is the one that was changed last.

    Raises:
        EmptyCart, NotInCart, SoldOut, NotEnoughStock, and the quantity errors of `as_quantity`.
    """
    cart = _cart_to_change(work, customer)
    removed, changed = [], []
    for line in lines:
        item = find_held(cart, line)
        name = item.product.name
        if as_number(line.quantity) == 0:
            take_units(work, cart, item, item.quantity)
            removed.append(name)
        else:
            set_units(work, cart, item, as_quantity(line.quantity))
            changed.append(f"{item.quantity} × {name}")
    move(work, customer, ConversationState.ADDING_TO_CART)
    return Exchanged(", ".join(removed), ", ".join(changed), view_cart(work, cart))


def add_again(work: Work, customer: Customer, line: WantedLine) -> CartChange:
    """More of what is in the cart, wanted as it is there but for what the line says ("the same, no ice").

    Without a product, of the line that was changed last; without a quantity, as many as are there.

    Raises:
        EmptyCart, NotInCart, and the same as `add`.
    """
    cart = _cart_to_change(work, customer)
    item, wish = find_changed(work, cart, line)
    units = item.quantity if line.quantity is None else as_quantity(line.quantity)
    set_line(work, cart, item.product, wish, units + units_like(cart, item.product_id, wish))
    move(work, customer, ConversationState.ADDING_TO_CART)
    return CartChange(f"{units} × {item.product.name}", units, view_cart(work, cart))


def change_options(
    work: Work, customer: Customer, line: WantedLine, *, everywhere: bool = False
) -> CartChange:
    """Change how a line is wanted: other options, something left out; of some of its units where a
    smaller quantity was said ("one without onions"). Without a product, the newest line that can be had
    that way, or `everywhere` all of those.

    Raises:
        EmptyCart, NotInCart, UnknownOption, TooManyOptions, and the quantity errors of `as_quantity`.
    """
    cart = _cart_to_change(work, customer)
    changed = find_all_changed(work, cart, line) if everywhere else [find_changed(work, cart, line)]
    most = None if line.quantity is None else as_quantity(line.quantity)
    units = 0
    for item, wish in changed:
        some = item.quantity if most is None else min(most, item.quantity)
        if wish != wish_of(item):
            product = item.product
            take_units(work, cart, item, some)
            set_line(work, cart, product, wish, some + units_like(cart, product.id, wish))
        units += some
    move(work, customer, ConversationState.ADDING_TO_CART)
    names = ", ".join(item.product.name for item, _ in changed)
    return CartChange(names, units, view_cart(work, cart))


def clear(work: Work, customer: Customer, instead: Sequence[WantedLine] = ()) -> CartChange:
    """Empty the cart, and put other lines into it where they were asked for in the same breath.

    Raises:
        the same as `add`, for what is to come; then nothing goes.
    """
    cart = _cart_to_change(work, customer)
    cart.items.clear()
    work.session.flush()
    added = [_put(work, cart, line) for line in instead]
    move(work, customer, ConversationState.ADDING_TO_CART if added else ConversationState.BROWSING_PRODUCTS)
    return _added(work, cart, added)


def undo(work: Work, customer: Customer) -> CartView:
    """Take back the last change of the cart's lines; again, the one before.

    Raises:
        NothingToUndo
    """
    cart = open_cart(work, customer)
    if not cart.history:
        raise NothingToUndo()
    *earlier, lines = cart.history
    cart.items.clear()
    work.session.flush()
    for line in lines:
        cart.items.append(
            CartItem(
                product=picked(work, line["product"]),
                quantity=line["quantity"],
                option_ids=[uuid.UUID(option) for option in line["options"]],
                removals=line["removals"],
                position=line["position"],
            )
        )
    cart.history = earlier
    work.session.flush()
    move(work, customer, ConversationState.ADDING_TO_CART)
    return view_cart(work, cart)


def apply_discount(work: Work, customer: Customer, words: Sequence[str]) -> CartView:
    """Put the discount on the cart whose code is among these words.

    Raises:
        EmptyCart, UnknownDiscount, DiscountNeedsMore
    """
    cart = open_cart(work, customer)
    if not cart.items:
        raise EmptyCart()
    discount = discounts.named_in(work, words)
    items = view_cart(work, cart).totals.items
    discounts.require_minimum(discount, items, work.policy.currency)
    cart.discount_code = discount.code
    work.session.flush()
    return view_cart(work, cart)


def current(work: Work, customer: Customer) -> CartView:
    """The cart, or the order that was made of it and awaits payment.

    Raises:
        EmptyCart
    """
    cart = work.carts.find_open(customer.id)
    if cart is not None and cart.items and not is_expired(work, cart):
        return view_cart(work, cart)
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is None:
        raise EmptyCart()
    return view_order(order)


def open_cart(work: Work, customer: Customer) -> Cart:
    """The customer's open cart, locked; made if there is none, or only one that nobody touched for long.

    A customer whose order awaits payment goes on with that order's cart: the unpaid order is
    cancelled and its units are free again.
    """
    cart = work.carts.find_open(customer.id, lock=True)
    if cart is not None and is_expired(work, cart):
        _abandon(work, cart)
        work.session.flush()
        cart = None
    if cart is None:
        cart = _reopened(work, customer) or work.carts.create(customer_id=customer.id)
    expires_at = work.now + timedelta(hours=work.policy.cart_hours)
    if cart.expires_at is None or abs(expires_at - cart.expires_at) >= EXPIRY_STEP:
        cart.expires_at = expires_at
    return cart


def abandon_expired(work: Work, limit: int = 100) -> int:
    """Give up carts that nobody touched for long; safe with several replicas. Returns how many."""
    carts = work.carts.find_expired(work.now, limit)
    for cart in carts:
        _abandon(work, cart)
    return len(carts)


def _abandon(work: Work, cart: Cart) -> None:
    """Give up a cart; designers see where customers leave, and with what."""
    cart.status = CartStatus.ABANDONED
    if not cart.items:
        return
    view = view_cart(work, cart)
    noticed = misunderstandings.Noticed(
        MisunderstandingKind.ABANDONED_CART,
        work.state_changes.find_latest_state(cart.customer_id) or ConversationState.GREETING,
        ", ".join(f"{line.quantity} × {line.name}" for line in view.lines),
    )
    misunderstandings.note_of(work, cart.customer_id, noticed, view.totals.items)


def _reopened(work: Work, customer: Customer) -> Cart | None:
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is None or order.cart_id is None:
        return None
    order = work.orders.lock(order.id)
    if order is None or order.status != OrderStatus.AWAITING_PAYMENT:
        return None
    cart = reopen(work, order, OrderStatus.CANCELLED)
    move(work, customer, ConversationState.ADDING_TO_CART)  # nothing waits for its payment any more
    return cart


def _cart_to_change(work: Work, customer: Customer) -> Cart:
    """The open cart, its lines remembered for undoing."""
    cart = open_cart(work, customer)
    lines = [
        {
            "product": str(item.product_id),
            "quantity": item.quantity,
            "options": [str(option) for option in item.option_ids],
            "removals": list(item.removals),
            "position": item.position,
        }
        for item in cart.items
    ]
    cart.history = [*cart.history, lines][-MOST_UNDONE:]
    return cart


def _put(work: Work, cart: Cart, line: WantedLine) -> tuple[str, int]:
    """Add one wanted line; the product's name and the units that were added."""
    wanted = as_quantity(1 if line.quantity is None else line.quantity)
    product = picked(work, line.products[0])
    wish = as_wished(work, product, line.options, line.removals)
    set_line(work, cart, product, wish, wanted + units_like(cart, product.id, wish))
    return product.name, wanted


def _added(work: Work, cart: Cart, added: Sequence[tuple[str, int]]) -> CartChange:
    names = ", ".join(f"{quantity} × {name}" for name, quantity in added)
    return CartChange(names, sum(quantity for _, quantity in added), view_cart(work, cart))
