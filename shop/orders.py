"""Orders (OrderService): a reviewed cart becomes an order, is paid, tracked, cancelled, expires."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from db.models import (
    Cart,
    CartStatus,
    Customer,
    Order,
    OrderStatus,
)
from shop import outbox, stock
from shop.cart import (
    CartChange,
    CartView,
    WantedLine,
    add_lines,
    current,
    open_cart,
    reopen,
    view_cart,
    view_order,
)
from shop.conversation import ConversationState, move
from shop.errors import CannotCancel, EmptyCart, NoOrder, NothingToPay
from shop.payments.interface import PaymentRequest
from shop.work import Work

# Without 0/O, 1/I/L: an order number is read out over a counter.
NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
NUMBER_LENGTH = 6
EXPIRY_BATCH = 50
REPEATABLE = (
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.COMPLETED,
)


@dataclass(frozen=True)
class PlacedOrder:
    """An order that was just made. `pay_url` is None where it is paid at the counter."""

    number: str
    cart: CartView
    pay_url: str | None
    minutes_to_pay: int


@dataclass(frozen=True)
class PaymentState:
    """How the latest order stands; `pay_url` only while it awaits its payment."""

    number: str
    status: str
    pay_url: str | None


@dataclass(frozen=True)
class OrderState:
    """Where an order stands."""

    number: str
    status: str
    cart: CartView


def review(work: Work, customer: Customer) -> CartView:
    """Show what would be ordered and what it costs, before anything is ordered.

    Raises:
        EmptyCart
    """
    cart = open_cart(work, customer)
    if not cart.items:
        raise EmptyCart()
    move(work, customer, ConversationState.REVIEWING_ORDER)
    return view_cart(work, cart)


def decline(work: Work, customer: Customer) -> CartView:
    """The customer does not want to order yet; the cart stays.

    Raises:
        EmptyCart
    """
    move(work, customer, ConversationState.ADDING_TO_CART)
    return current(work, customer)


def place(work: Work, customer: Customer) -> PlacedOrder:
    """Make an order of the cart: priced now, its units held, its payment opened, in one transaction.

    Asked again while the order awaits its payment, it returns that order. Where
    ENABLE_PAYMENT_PROCESSING is off, the order is placed and paid at the counter.

    Raises:
        EmptyCart, SoldOut, NotEnoughStock
    """
    cart = work.carts.find_open(customer.id, lock=True)
    if cart is None or not cart.items:
        return _already_placed(work, customer)
    paying = work.flags.payment_processing
    order = _make_order(work, customer, cart, paying)
    if paying:
        pay_url = _open_payment(work, order)
        assert order.expires_at is not None
        stock.hold(work, order, order.expires_at)
        move(work, customer, ConversationState.AWAITING_PAYMENT)
    else:
        pay_url = None
        stock.take(work, order)
        move(work, customer, ConversationState.ORDER_COMPLETE)
    return _placed(work, order, pay_url)


def payment_state(work: Work, customer: Customer) -> PaymentState:
    """How the payment of the customer's latest order stands.

    Raises:
        NothingToPay
    """
    order = work.orders.find_latest(customer.id)
    if order is None or order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        raise NothingToPay()
    if order.status != OrderStatus.AWAITING_PAYMENT:
        return PaymentState(order.number, order.status.value, pay_url=None)
    return PaymentState(order.number, order.status.value, _pay_url(work, order))


def complete_payment(work: Work, customer: Customer, order_number: str) -> OrderState:
    """The customer is being told that the payment arrived: confirmation, then completion.

    Raises:
        NoOrder: if the customer has no such order.
    """
    order = work.orders.find_by_number(order_number)
    if order is None or order.customer_id != customer.id:
        raise NoOrder()
    move(work, customer, ConversationState.PAYMENT_CONFIRMATION)
    open_again = work.carts.find_open(customer.id)
    move(work, customer, ConversationState.ORDER_COMPLETE)
    if open_again is not None and open_again.items:
        # Paid late, while a new cart was being filled: the customer goes on with that.
        move(work, customer, ConversationState.ADDING_TO_CART)
    return _state(order)


def latest(work: Work, customer: Customer) -> OrderState:
    """The customer's latest order.

    Raises:
        NoOrder
    """
    order = work.orders.find_latest(customer.id)
    if order is None:
        raise NoOrder()
    return _state(order)


def repeat(work: Work, customer: Customer) -> CartChange:
    """Put the lines of the customer's latest order into the cart, at today's prices.

    Raises:
        NoOrder, SoldOut, NotEnoughStock
    """
    order = work.orders.find_latest(customer.id, REPEATABLE) if work.flags.customer_recognition else None
    if order is None:
        raise NoOrder()
    lines = [
        WantedLine((str(item.product_id),), item.product_name, str(item.quantity)) for item in order.items
    ]
    return add_lines(work, customer, lines)


def cancel(work: Work, customer: Customer) -> OrderState:
    """Cancel the customer's latest order while it is unpaid; the cart stays.

    Raises:
        NoOrder, CannotCancel
    """
    found = work.orders.find_latest(customer.id)
    order = work.orders.lock(found.id) if found else None
    if order is None or order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        raise NoOrder()
    if order.status != OrderStatus.AWAITING_PAYMENT:
        raise CannotCancel(order.number)
    reopen(work, order, OrderStatus.CANCELLED)
    move(work, customer, ConversationState.ADDING_TO_CART)
    return _state(order)


def expire(work: Work) -> int:
    """End orders whose time to pay is over: units freed, cart open again, customer told.

    Safe with several replicas; returns how many were ended.
    """
    orders = work.orders.find_expired(work.now, EXPIRY_BATCH)
    # All at once, or a buyer of two products could wait for one while the sweeper waits for the other.
    work.products.lock(item.product_id for order in orders for item in order.items)
    for order in orders:
        reopen(work, order, OrderStatus.EXPIRED)
        outbox.write(work, order.customer_id, "payment_expired", {"order_number": order.number})
    return len(orders)


def return_to_cart(work: Work, customer: Customer) -> None:
    """The customer is being told that the time to pay is over; the cart is open again."""
    move(work, customer, ConversationState.ADDING_TO_CART)


def _make_order(work: Work, customer: Customer, cart: Cart, paying: bool) -> Order:
    priced = view_cart(work, cart)
    minutes = timedelta(minutes=work.policy.payment_timeout_minutes)
    order = work.orders.create(
        customer_id=customer.id,
        cart_id=cart.id,
        number="".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH)),
        status=OrderStatus.AWAITING_PAYMENT if paying else OrderStatus.PLACED,
        items_amount=priced.totals.items,
        tax_amount=priced.totals.tax,
        total_amount=priced.totals.total,
        currency=priced.currency,
        expires_at=work.now + minutes if paying else None,
        created_at=work.now,
    )
    for position, line in enumerate(priced.lines):
        work.order_items.create(
            order_id=order.id,
            product_id=line.product_id,
            product_name=line.name,
            quantity=line.quantity,
            unit_price=line.unit_price,
            total_price=line.total,
            position=position,
        )
    cart.status = CartStatus.ORDERED
    work.session.flush()
    work.session.refresh(order)
    return order


def _open_payment(work: Work, order: Order) -> str:
    provider = work.providers[work.policy.payment_providers[0]]
    request = PaymentRequest(order.number, order.total_amount, order.currency)
    link = provider.start(work.session, request)
    work.payments.create(
        order_id=order.id,
        amount=order.total_amount,
        currency=order.currency,
        payment_method=provider.name,
        payment_reference=link.reference,
    )
    order.payment_reference = link.reference
    return link.url


def _already_placed(work: Work, customer: Customer) -> PlacedOrder:
    order = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    if order is None:
        raise EmptyCart()
    move(work, customer, ConversationState.AWAITING_PAYMENT)
    return _placed(work, order, _pay_url(work, order))


def _placed(work: Work, order: Order, pay_url: str | None) -> PlacedOrder:
    minutes = work.policy.payment_timeout_minutes
    return PlacedOrder(order.number, view_order(order), pay_url, minutes)


def _pay_url(work: Work, order: Order) -> str | None:
    for payment in order.payments:
        provider = work.providers.get(payment.payment_method)
        if provider is not None:
            return provider.link(payment.payment_reference)
    return None


def _state(order: Order) -> OrderState:
    return OrderState(order.number, order.status.value, view_order(order))
