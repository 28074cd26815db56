"""Checkout: a reviewed cart becomes an order, in one transaction or not at all."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from db.models import (
    Cart,
    CartStatus,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    Product,
)
from shop import discounts, fulfilment, stock
from shop.cart import current, open_cart
from shop.cart_view import CartView, Line, view_cart, view_order
from shop.conversation import ConversationState, move
from shop.errors import (
    EmptyCart,
    LineChange,
    OrderChanged,
    TooMuchForCash,
    UnknownDiscount,
    UnknownPaymentMethod,
)
from shop.payments.interface import PaymentProvider, Settlement
from shop.payments.noting import expiry, legible_code, note
from shop.work import Work

NUMBER_LENGTH = 6


@dataclass(frozen=True)
class Handover:
    """How an order reaches the customer, and when (UTC; None: as soon as it is ready).

    The address is None where it is not brought, or not known.
    """

    fulfilment: str
    delivery_address: str | None
    scheduled_for: datetime | None


@dataclass(frozen=True)
class PlacedOrder:
    """An order that was just made, and how it is paid.

    `payment_reference` is None where nothing is paid before the order is handed over; `method` None
    where payments are off, or where there is nothing to pay.
    """

    number: str
    cart: CartView
    method: str | None
    settlement: Settlement
    payment_reference: str | None
    minutes_to_pay: int


@dataclass(frozen=True)
class Confirmation:
    """What the customer's yes led to: an order; or, where something changed since it was shown, what
    changed (`changes`, `lost_code`) and the cart as it would be ordered now (None: nothing is left of it).
    Neither an order nor changes: what would be ordered had not been shown."""

    placed: PlacedOrder | None = None
    changes: tuple[LineChange, ...] = ()
    lost_code: str | None = None
    cart: CartView | None = None


def review(work: Work, customer: Customer) -> CartView:
    """Show what would be ordered and what it costs, before anything is ordered.

    Raises:
        EmptyCart, and what makes an order impossible now: the errors of `fulfilment.require_open` and
        `fulfilment.require_deliverable`.
    """
    cart = open_cart(work, customer)
    if not cart.items:
        raise EmptyCart()
    fulfilment.require_open(work, cart)
    shown = view_cart(work, cart)
    fulfilment.require_deliverable(work, cart, shown)
    cart.reviewed = _as_reviewed(shown)
    move(work, customer, ConversationState.REVIEWING_ORDER)
    return shown


def begin(work: Work, customer: Customer) -> Handover:
    """The customer wants to order: there has to be something to order, and somebody to make it.

    Returns:
        What is known already of how the order is to be handed over.

    Raises:
        EmptyCart, ShopClosed, ClosedForGood
    """
    cart = open_cart(work, customer)
    if not cart.items:
        raise EmptyCart()
    fulfilment.require_open(work, cart)
    move(work, customer, ConversationState.REVIEWING_ORDER)
    return Handover(cart.fulfilment.value, cart.address, cart.scheduled_for)


def decline(work: Work, customer: Customer) -> CartView:
    """The customer does not want to order yet; the cart stays.

    Raises:
        EmptyCart
    """
    move(work, customer, ConversationState.ADDING_TO_CART)
    return current(work, customer)


def confirm(work: Work, customer: Customer, method: str | None = None) -> Confirmation:
    """The customer said yes to what was shown: order it, or say what is different now and ask again.

    One transaction for both, so that a yes repeated after a crash cannot order what was not shown. A cart
    that was never shown is shown instead.

    Raises:
        the same as `place`, but for `OrderChanged` and `UnknownDiscount`.
    """
    cart = work.carts.find_open(customer.id, lock=True)
    if cart is not None and cart.items and cart.reviewed is None:
        return Confirmation(cart=review(work, customer))
    changes: tuple[LineChange, ...] = ()
    lost_code = None
    try:
        return Confirmation(placed=_place(work, customer, cart, method))
    except OrderChanged as changed:
        changes = changed.changes
    except UnknownDiscount as lost:
        lost_code = lost.values["code"]
    try:
        return Confirmation(None, changes, lost_code, accept_changes(work, customer))
    except EmptyCart:
        return Confirmation(None, changes, lost_code)


def place(work: Work, customer: Customer, method: str | None = None) -> PlacedOrder:
    """Make an order of the cart: priced now, its units held, its payment noted, in one transaction.

    Asked again while the order awaits its payment, it returns that order. Where ENABLE_PAYMENT_PROCESSING is
    off, where it is paid in cash, and where it costs nothing, the order is placed at once. Nothing goes into
    the outbox for it: who asks is the customer, who reads the answer to this very message.

    Args:
        method: how it is to be paid, a name of PAYMENT_PROVIDERS; None: the first of them.

    Raises:
        EmptyCart, OrderChanged, UnknownDiscount, UnknownPaymentMethod, TooMuchForCash, and the errors of
        `fulfilment.require_open` and `fulfilment.require_deliverable`.
    """
    return _place(work, customer, work.carts.find_open(customer.id, lock=True), method)


def _place(work: Work, customer: Customer, cart: Cart | None, method: str | None) -> PlacedOrder:
    if cart is None or not cart.items:
        return _already_placed(work, customer)
    provider = payment_provider(work, method)
    fulfilment.require_open(work, cart)
    products = _require_unchanged(work, cart)
    shown = view_cart(work, cart)
    fulfilment.require_deliverable(work, cart, shown)
    _require_cash_allowed(work, provider, shown)
    if shown.totals.total == 0:
        provider = None  # a discount pays for all of it: there is nothing to wait for
    discounts.use(work, shown.discount_code)
    order = _make_order(work, customer, cart, shown, provider)
    if order.expires_at is None:
        stock.take(work, order)
        move(work, customer, ConversationState.ORDER_COMPLETE)
    else:
        stock.hold(work, order, order.expires_at + stock.GRACE, products)
        move(work, customer, ConversationState.AWAITING_PAYMENT)
    return _placed(work, order)


def accept_changes(work: Work, customer: Customer) -> CartView:
    """Bring the cart in line with what is left and what it costs now, for the customer to say yes to.

    Raises:
        EmptyCart: if nothing is left.
    """
    cart = open_cart(work, customer)
    products = stock.lock(work, (item.product_id for item in cart.items))
    gone = _unavailable_options(work, cart)
    left = {shortage.product.id: shortage.left for shortage in _shortages(products, cart)}
    for item in [item for item in cart.items if gone & set(item.option_ids)]:
        cart.items.remove(item)  # it takes nothing of what is left
    for item in list(cart.items):
        units = min(item.quantity, left.get(item.product_id, item.quantity))
        if item.product_id in left:
            left[item.product_id] -= units
        if units <= 0:
            cart.items.remove(item)
        else:
            item.quantity = units
    work.session.flush()
    return review(work, customer)


def payment_provider(work: Work, method: str | None) -> PaymentProvider | None:
    """The way to pay that was named, the first one offered if none was; None where payments are off.

    Raises:
        UnknownPaymentMethod
    """
    if not work.flags.payment_processing:
        return None
    name = method or work.policy.payment_providers[0]
    if name not in work.policy.payment_providers or name not in work.providers:
        raise UnknownPaymentMethod()
    return work.providers[name]


def _require_unchanged(work: Work, cart: Cart) -> dict[uuid.UUID, Product]:
    """Compare the cart, its products locked, with what the customer said yes to; the locked products.

    Raises:
        OrderChanged
    """
    products = stock.lock(work, (item.product_id for item in cart.items))
    changes = [
        LineChange("stock", short.product.name, Decimal(short.wanted), Decimal(max(0, short.left)))
        for short in _shortages(products, cart)
    ]
    gone = _unavailable_options(work, cart)
    changes += [
        LineChange("gone", item.product.name, Decimal(item.quantity), Decimal(0))
        for item in cart.items
        if gone & set(item.option_ids)
    ]
    if cart.reviewed is not None:
        changes += _price_changes(cart.reviewed, view_cart(work, cart))
        if cart.reviewed.get("scheduled_for") is not None and cart.scheduled_for is None:
            # It passed while the customer thought it over: at once is not what was shown.
            changes.append(LineChange("time", "", Decimal(0), Decimal(0)))
    if changes:
        raise OrderChanged(changes)
    return products


def _shortages(products: dict[uuid.UUID, Product], cart: Cart) -> list[stock.Shortage]:
    quantities: dict[uuid.UUID, int] = {}
    for item in cart.items:
        quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
    return stock.shortages(products, quantities)


def _unavailable_options(work: Work, cart: Cart) -> set[uuid.UUID]:
    wanted = {option for item in cart.items for option in item.option_ids}
    offered = work.options.find_by_ids(wanted)
    return {option for option in wanted if option not in offered or not offered[option].available}


def _as_reviewed(shown: CartView) -> dict[str, Any]:
    """What the customer is shown, as the cart keeps it."""
    prices = {_line_key(line): str(line.unit_price) for line in shown.lines}
    scheduled_for = shown.scheduled_for.isoformat() if shown.scheduled_for else None
    return {"prices": prices, "total": str(shown.totals.total), "scheduled_for": scheduled_for}


def _price_changes(reviewed: dict[str, Any], shown: CartView) -> list[LineChange]:
    """Which prices differ from those that were shown; the total's, if it is none of the lines'."""
    changes = []
    for line in shown.lines:
        before = reviewed["prices"].get(_line_key(line))
        if before is not None and Decimal(before) != line.unit_price:
            changes.append(LineChange("price", line.name, Decimal(before), line.unit_price))
    total = Decimal(reviewed["total"])
    if not changes and total != shown.totals.total:
        changes.append(LineChange("total", "", total, shown.totals.total))
    return changes


def _line_key(line: Line) -> str:
    return " ".join([str(line.product_id), *map(str, line.option_ids), *line.removals])


def _require_cash_allowed(work: Work, provider: PaymentProvider | None, shown: CartView) -> None:
    limit = work.policy.cash_limit
    in_cash = provider is not None and provider.settlement == Settlement.ON_HANDOVER
    if in_cash and limit is not None and shown.totals.total > limit:
        raise TooMuchForCash(limit, shown.currency)


def _make_order(
    work: Work, customer: Customer, cart: Cart, shown: CartView, provider: PaymentProvider | None
) -> Order:
    expires_at = expiry(work, provider)
    totals = shown.totals
    order = Order(
        id=uuid.uuid4(),
        customer_id=customer.id,
        cart_id=cart.id,
        number=legible_code(NUMBER_LENGTH),
        status=OrderStatus.PLACED if expires_at is None else OrderStatus.AWAITING_PAYMENT,
        items_amount=totals.items,
        discount_amount=totals.discount,
        discount_code=shown.discount_code,
        tax_amount=totals.tax,
        taxes=[
            {"tax_class": t.tax_class, "rate": str(t.rate), "base": str(t.base), "amount": str(t.amount)}
            for t in totals.taxes
        ],
        delivery_fee=totals.delivery_fee,
        total_amount=totals.total,
        currency=shown.currency,
        fulfilment=cart.fulfilment,
        delivery_address=shown.delivery_address,
        scheduled_for=cart.scheduled_for,
        receipt_token=secrets.token_urlsafe(24),
        expires_at=expires_at,
        created_at=work.now,
    )
    _copy_lines(order, shown)
    if provider is not None:
        note(work, order, provider)
    cart.status = CartStatus.ORDERED
    work.orders.insert(order)
    return order


def _copy_lines(order: Order, shown: CartView) -> None:
    order.items = [
        OrderItem(
            product_id=line.product_id,
            product_name=line.name,
            option_ids=list(line.option_ids),
            option_names=list(line.options),
            removals=list(line.removals),
            quantity=line.quantity,
            unit_price=line.unit_price,
            total_price=line.total,
            position=position,
            ordered_at=order.created_at,
        )
        for position, line in enumerate(shown.lines)
    ]


def _already_placed(work: Work, customer: Customer) -> PlacedOrder:
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is None:
        raise EmptyCart()
    move(work, customer, ConversationState.AWAITING_PAYMENT)
    return _placed(work, order)


def _placed(work: Work, order: Order) -> PlacedOrder:
    payment = order.payments[-1] if order.payments else None
    provider = work.providers.get(payment.payment_method) if payment else None
    waits = (order.expires_at - work.now).total_seconds() if order.expires_at else 0
    return PlacedOrder(
        number=order.number,
        cart=view_order(order),
        method=payment.payment_method if payment else None,
        settlement=provider.settlement if provider else Settlement.ON_HANDOVER,
        payment_reference=payment.payment_reference if payment and order.expires_at else None,
        minutes_to_pay=max(0, round(waits / 60)),
    )
