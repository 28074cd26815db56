"""An unpaid order that comes to nothing: its units are free, its cart is open again."""

from __future__ import annotations

from datetime import timedelta

from db.models import Cart, CartStatus, Order, OrderStatus, PaymentStatus
from shop import discounts, stock
from shop.work import Work


def reopen(work: Work, order: Order, ended_as: OrderStatus) -> Cart:
    """End an unpaid order (locked by the caller) and open its cart again, joined to a newer one.

    Locks are taken in one order everywhere, so that nobody deadlocks: order, cart, products, discount.
    """
    newer = work.carts.find_open(order.customer_id, lock=True)
    stock.release(work, order)
    discounts.give_back(work, order.discount_code)
    order.status = ended_as
    for payment in order.payments:
        if payment.status in (PaymentStatus.PENDING, PaymentStatus.FAILED):
            payment.status = PaymentStatus.EXPIRED
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
