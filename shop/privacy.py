"""What is known of a customer, shown to them and taken away again.

Source of the rules: the privacy policy. Erasing takes away the person and keeps the accounts: orders,
lines, payments and refunds stay, without anything that leads to whom they belonged.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.models import Base, Cart, Customer, Order, OrderStatus, Payment, PaymentStatus, RefundStatus
from shop.customers import ERASURE
from shop.errors import OrderUnderWay
from shop.refunds import left_of
from shop.work import Work

UNDER_WAY = (
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.REVIEW,
)
NOT_EXPORTED = {"phone_number", "phone_lookup", "phone_lookup_next"}
"""How we keep the number; the export shows the number itself."""


@dataclass(frozen=True)
class Erasure:
    """What an erasure did."""

    orders_kept: int
    carts_deleted: int


def require_erasable(work: Work, customer: Customer) -> None:
    """Nothing is under way for which the customer's data is needed.

    Raises:
        OrderUnderWay
    """
    _require_finished(work, work.customers.find_orders(customer.id))


def erase(work: Work, customer: Customer) -> Erasure:
    """Take the person out of everything that is kept. The same number is a new customer afterwards.

    Locks are taken as everywhere, the order before the cart, and the customer last.

    Raises:
        OrderUnderWay
    """
    orders = work.customers.find_orders(customer.id, lock=True)
    _require_finished(work, orders)
    for order in orders:
        order.cart_id = order.delivery_address = order.receipt_token = None
    work.session.flush()  # no order points to a cart any more
    carts = work.customers.find_carts(customer.id, lock=True)
    for cart in carts:
        work.session.delete(cart)
    work.handoffs.find_by_customer(customer.id, lock=True)  # nobody writes into a thread that goes
    work.thread_messages.delete_by_customer(customer.id)
    work.handoffs.delete_by_customer(customer.id)
    work.outbox.delete_by_customer(customer.id)
    work.state_changes.delete_by_customer(customer.id)
    work.command_results.delete_by_customer(customer.id)
    work.misunderstandings.delete_by_customer(customer.id)
    _forget_person(work, customer)
    _leave_mark(work)
    return Erasure(len(orders), len(carts))


def export(work: Work, customer: Customer) -> dict[str, Any]:
    """All that is kept of a customer but the number, which only the keys' owner can read.

    Left out are copies of the same in the results of commands.
    """
    return {
        "profile": _columns(customer),
        "carts": [_cart(cart) for cart in work.customers.find_carts(customer.id)],
        "orders": [_order(order) for order in work.customers.find_orders(customer.id)],
        "states": [_columns(change) for change in work.state_changes.find_by_customer(customer.id)],
        "handoffs": [_columns(handoff) for handoff in work.handoffs.find_by_customer(customer.id)],
        "thread": [_columns(message) for message in work.thread_messages.find_by_customer(customer.id)],
        "notices": [_columns(event) for event in work.outbox.find_by_customer(customer.id)],
        "misunderstandings": [_columns(row) for row in work.misunderstandings.find_by_customer(customer.id)],
    }


def plain(value: Any) -> str:
    """How an export writes what JSON has no word for: times with their zone, amounts and ids as text."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _require_finished(work: Work, orders: Sequence[Order]) -> None:
    for order in orders:
        if order.status in UNDER_WAY or any(_is_open(work, payment) for payment in order.payments):
            raise OrderUnderWay(order.number)


def _is_open(work: Work, payment: Payment) -> bool:
    """Whether money came that a person has to decide about (it stands under Payments in the console), or has
    still to go back."""
    to_refund = any(refund.status != RefundStatus.DONE for refund in payment.refunds)
    return to_refund or (payment.status == PaymentStatus.REVIEW and left_of(work, payment) > 0)


def _forget_person(work: Work, customer: Customer) -> None:
    locked = work.customers.lock(customer.id)
    assert locked is not None
    # Before it is written: a cache that cannot forget the person stops the erasure.
    work.known_customers.forget(locked.phone_lookup)
    work.changed_customers.add(locked.phone_lookup)
    locked.name = locked.phone_number = locked.language = locked.notices_stopped_at = None
    locked.phone_lookup, locked.phone_lookup_next = f"erased:{uuid.uuid4()}", None
    locked.erased_at = work.now
    work.session.flush()


def _leave_mark(work: Work) -> None:
    """The same message may be served again, and must not make the customer anew."""
    if work.message_id:
        number, name = ERASURE
        work.command_results.create(
            message_id=work.message_id, command_number=number, command=name, result={}
        )


def _cart(cart: Cart) -> dict[str, Any]:
    lines = [{**_columns(item), "product_name": item.product.name} for item in cart.items]
    return {**_columns(cart), "lines": lines}


def _order(order: Order) -> dict[str, Any]:
    lines = [_columns(item) for item in order.items]
    return {**_columns(order), "lines": lines, "payments": [_payment(payment) for payment in order.payments]}


def _payment(payment: Payment) -> dict[str, Any]:
    return {**_columns(payment), "refunds": [_columns(refund) for refund in payment.refunds]}


def _columns(row: Base) -> dict[str, Any]:
    """A row as it is, whatever columns it may get."""
    keys = [attribute.key for attribute in row.__mapper__.column_attrs]
    return {key: getattr(row, key) for key in keys if key not in NOT_EXPORTED}
