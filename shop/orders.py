"""Orders (OrderService) as their customer sees them: tracked, repeated, cancelled, timed out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.models import Customer, Order, OrderStatus, PaymentStatus
from shop import discounts, outbox, refunds, stock
from shop.cart import CartChange, add_lines
from shop.cart_lines import WantedLine
from shop.cart_view import CartView, view_order
from shop.conversation import ConversationState, move
from shop.errors import CannotCancel, NoOrder, NothingToPay
from shop.payments.interface import Settlement
from shop.reopening import give_up_payments, reopen
from shop.work import Work

REMIND_MINUTES = 10
"""How long before its time is over a customer is reminded of an unpaid order."""
ENDED_UNPAID = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
REPEATABLE = (
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.COMPLETED,
)


@dataclass(frozen=True)
class PaymentState:
    """How the payment of the latest order stands; `settlement` and `reference` only while it is awaited."""

    number: str
    status: str
    settlement: Settlement | None = None
    reference: str | None = None


@dataclass(frozen=True)
class OrderState:
    """Where an order stands. `receipt_token` opens its receipt; None for an order that came to nothing."""

    number: str
    status: str
    cart: CartView
    created_at: datetime
    receipt_token: str | None = None


@dataclass(frozen=True)
class CancelledOrder:
    """An order that its customer cancelled; `cart_kept`: its lines are in the cart again."""

    number: str
    cart_kept: bool


def payment_state(work: Work, customer: Customer) -> PaymentState:
    """How the payment of the customer's latest order stands.

    Raises:
        NothingToPay
    """
    order = work.orders.find_latest(customer.id)
    if order is None or order.status in ENDED_UNPAID:
        raise NothingToPay()
    if order.status != OrderStatus.AWAITING_PAYMENT:
        return PaymentState(order.number, order.status.value)
    payment = order.payments[-1]
    provider = work.providers.get(payment.payment_method)
    settlement = provider.settlement if provider else None
    return PaymentState(order.number, order.status.value, settlement, payment.payment_reference)


def complete_payment(work: Work, customer: Customer, order_number: str) -> OrderState:
    """The customer is being told that the payment arrived: confirmation, then completion.

    Raises:
        NoOrder: if the customer has no such order.
    """
    order = own_order(work, customer, order_number)
    move(work, customer, ConversationState.PAYMENT_CONFIRMATION)
    open_again = work.carts.find_open(customer.id)
    move(work, customer, ConversationState.ORDER_COMPLETE)
    if open_again is not None and open_again.items:
        # Paid late, while a new cart was being filled: the customer goes on with that.
        move(work, customer, ConversationState.ADDING_TO_CART)
    return _state(order)


def track(work: Work, customer: Customer, words: list[str]) -> OrderState:
    """The customer's order whose number is among these words, else the latest one.

    Raises:
        NoOrder
    """
    for word in words:
        order = work.orders.find_by_number(word.upper())
        if order is not None and order.customer_id == customer.id:
            return _state(order)
    return latest(work, customer)


def latest(work: Work, customer: Customer) -> OrderState:
    """The customer's latest order.

    Raises:
        NoOrder
    """
    order = work.orders.find_latest(customer.id)
    if order is None:
        raise NoOrder()
    return _state(order)


def own_order(work: Work, customer: Customer, number: str) -> Order:
    """An order of this customer by its number; another's is as unknown as one that does not exist.

    Raises:
        NoOrder
    """
    order = work.orders.find_by_number(number)
    if order is None or order.customer_id != customer.id:
        raise NoOrder()
    return order


def repeat(work: Work, customer: Customer) -> CartChange:
    """Put the lines of the customer's latest order into the cart, at today's prices.

    Raises:
        NoOrder, SoldOut, NotEnoughStock, UnknownOption: an option is not offered any more.
    """
    order = work.orders.find_latest(customer.id, REPEATABLE) if work.flags.customer_recognition else None
    if order is None:
        raise NoOrder()
    lines = [
        WantedLine(
            (str(item.product_id),),
            item.product_name,
            str(item.quantity),
            tuple(map(str, item.option_ids)),
            tuple(item.removals),
        )
        for item in order.items
    ]
    return add_lines(work, customer, lines)


def cancel(work: Work, customer: Customer) -> CancelledOrder:
    """Cancel the customer's latest order while it is unpaid, or placed and not yet being made.

    The cart of an unpaid order stays; the units of a placed one are for sale again.

    Raises:
        NoOrder, CannotCancel
    """
    found = work.orders.find_latest(customer.id)
    order = work.orders.lock(found.id) if found else None
    if order is None or order.status in ENDED_UNPAID:
        raise NoOrder()
    if order.status == OrderStatus.AWAITING_PAYMENT:
        reopen(work, order, OrderStatus.CANCELLED)
        move(work, customer, ConversationState.ADDING_TO_CART)
        return CancelledOrder(order.number, cart_kept=True)
    if order.status != OrderStatus.PLACED:
        raise CannotCancel(order.number)
    take_back(work, order)
    move(work, customer, ConversationState.GREETING)
    return CancelledOrder(order.number, cart_kept=False)


def take_back(work: Work, order: Order) -> None:
    """End an order that was placed or paid (locked by the caller): units back, money back."""
    stock.put_back(work, order)
    discounts.give_back(work, order.discount_code)
    order.status = OrderStatus.CANCELLED
    for payment in order.payments:
        if payment.status == PaymentStatus.VERIFIED:
            refunds.request_rest(work, payment, reason="order cancelled", requested_by="shop")
    give_up_payments(work, order)
    work.session.flush()


def find_expired(work: Work, limit: int = 50) -> list[uuid.UUID]:
    """Orders whose time to pay is over."""
    return [order.id for order in work.orders.find_expired(work.now, limit)]


def expire(work: Work, order_id: uuid.UUID, *, closed: bool = False) -> bool:
    """End an order whose time to pay is over: units freed, cart open again, customer told.

    Args:
        closed: whether its payments are closed at their providers already.

    False if it was paid, ended or prolonged meanwhile, by another replica or by its customer.
    """
    order = work.orders.lock(order_id)
    if order is None or order.status != OrderStatus.AWAITING_PAYMENT:
        return False
    if order.expires_at is None or order.expires_at > work.now:
        return False
    reopen(work, order, OrderStatus.EXPIRED, closed=closed)
    outbox.write(work, order.customer_id, "payment_expired", {"order_number": order.number})
    return True


def remind(work: Work, limit: int = 50) -> int:
    """Remind customers of unpaid orders whose time is nearly over; once each. Returns how many."""
    soon = work.now + timedelta(minutes=REMIND_MINUTES)
    orders = work.orders.find_to_remind(soon, work.now, limit)
    reminded = 0
    for order in orders:
        order.reminded_at = work.now
        asked_early_enough = order.created_at <= work.now - timedelta(minutes=REMIND_MINUTES)
        if order.customer.notices_stopped_at is None and asked_early_enough:
            outbox.write(work, order.customer_id, "payment_reminder", {"order_number": order.number})
            reminded += 1
    return reminded


def return_to_cart(work: Work, customer: Customer) -> None:
    """The customer is being told that the time to pay is over; the cart is open again, unless a newer order
    awaits its payment already."""
    if work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT]) is not None:
        return
    move(work, customer, ConversationState.ADDING_TO_CART)


def _state(order: Order) -> OrderState:
    token = None if order.status in ENDED_UNPAID else order.receipt_token
    return OrderState(order.number, order.status.value, view_order(order), order.created_at, token)
