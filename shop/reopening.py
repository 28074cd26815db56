"""An unpaid order that comes to nothing: units free, cart open again, payments over."""

from __future__ import annotations

from datetime import timedelta

from db.models import Cart, CartStatus, Order, OrderStatus, PaymentStatus
from shop import discounts, stock
from shop.payments.interface import Settlement
from shop.work import Work


def give_up_payments(work: Work, order: Order, *, closed: bool = False) -> None:
    """Nothing is to be paid for an order (locked) any more: its open payments are over here, and, unless they
    are closed there, about to be closed at their providers (`shop.payments.flow.close_due`)."""
    for payment in order.payments:
        if payment.status not in (PaymentStatus.PENDING, PaymentStatus.FAILED):
            continue
        payment.status = PaymentStatus.EXPIRED
        provider = work.providers.get(payment.payment_method)
        if not closed and provider is not None and provider.settlement == Settlement.PROVIDER:
            payment.close_at = work.now


def reopen(work: Work, order: Order, ended_as: OrderStatus, *, closed: bool = False) -> Cart:
    """End an unpaid order (locked by the caller) and open its cart again, joined to a newer one.

    Args:
        closed: whether its payments are closed at their providers already.

    Locks are taken in one order everywhere, so that nobody deadlocks: order, cart, products, discount.
    """
    newer = work.carts.find_open(order.customer_id, lock=True)
    stock.release(work, order)
    discounts.give_back(work, order.discount_code)
    order.status = ended_as
    give_up_payments(work, order, closed=closed)
    work.session.flush()
    if newer is not None:
        return newer
    cart = work.carts.find_by_id(order.cart_id) if order.cart_id else None
    if cart is None:
        return work.carts.create(customer_id=order.customer_id)
    cart.status = CartStatus.OPEN
    cart.expires_at = work.now + timedelta(hours=work.policy.cart_hours)
    work.session.flush()
    return cart
