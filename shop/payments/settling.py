"""How money comes to count: what a provider says of a payment is compared with the order, and applied.

Source of the rules: the payment policies. Events are hints; an amount or currency that differs goes to
review, never to paid; a second payment goes back; money for an order that its customer let go is honoured
if stock allows, else goes back. So does money for an order that the shop cancelled or paid back, and for
one whose customer was erased, since nobody would come for it.
"""

from __future__ import annotations

import logging
from typing import Any

from db.models import CartStatus, Order, OrderStatus, Payment, PaymentStatus
from shop import discounts, outbox, refunds, stock
from shop.errors import PaymentRejected, ShopError
from shop.payments.interface import ProviderPayment
from shop.reopening import reopen
from shop.work import Work

logger = logging.getLogger(__name__)

PAYABLE = (OrderStatus.AWAITING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.CANCELLED)
CANCELLED_BY_STAFF = "cancelled"
"""The decision of the staff that ends an order."""
MISMATCH = "mismatch"
DECIDED = (PaymentStatus.VERIFIED, PaymentStatus.REVIEW, PaymentStatus.REFUNDED)


def lock_payment(work: Work, reference: str) -> tuple[Order, Payment]:
    """A payment and its order, locked: the order before the payment, everywhere, so that two cannot
    deadlock.

    Raises:
        PaymentRejected: there is no such payment.
    """
    payment = work.payments.find_by_reference(reference)
    order = work.orders.lock(payment.order_id) if payment else None
    payment = work.payments.find_by_reference(reference, lock=True)
    if order is None or payment is None:
        raise PaymentRejected("no such payment")
    return order, payment


def apply(work: Work, order: Order, payment: Payment, truth: ProviderPayment) -> str:
    """Bring order and payment in line with what the provider says; both are locked.

    Returns the outcome in a word: `verified`, `failed`, `review`, `refund`, `unchanged`; or `mismatch` where
    the provider answered about another payment, which changes nothing.
    """
    if truth.reference != payment.payment_reference:
        logger.error("payment of order %s: the provider answered about another one", order.number)
        return MISMATCH
    if truth.paid is None or payment.status in DECIDED:
        return "unchanged"
    if not truth.paid:
        return _fail(work, order, payment)
    payment.next_check_at = None
    payment.received_amount, payment.received_currency = truth.amount, truth.currency
    if order.customer.erased_at is not None:
        return _send_back(work, order, payment)
    if (truth.amount, truth.currency) != (payment.amount, payment.currency):
        return _review(work, order, payment)
    if _still_wanted(work, order) and _sell(work, order):
        return _confirm(work, order, payment)
    return _send_back(work, order, payment)


def _still_wanted(work: Work, order: Order) -> bool:
    """Whether its money still buys the order. Not where the shop cancelled it, or sent money of it back: the
    customer was told so, and nobody would make it."""
    if order.status not in (OrderStatus.EXPIRED, OrderStatus.CANCELLED):
        return order.status in PAYABLE
    by_shop = work.staff_actions.find_latest_by_order(order.id, CANCELLED_BY_STAFF) is not None
    return not by_shop and not any(payment.refunds for payment in order.payments)


def accept(work: Work, order: Order, payment: Payment) -> bool:
    """Take money that is in review for the order after all (both locked); False if stock is short."""
    order_was = order.status
    if order_was not in (OrderStatus.REVIEW, *PAYABLE) or not _sell(work, order):
        return False
    _confirm(work, order, payment)
    return True


def _confirm(work: Work, order: Order, payment: Payment) -> str:
    payment.status = PaymentStatus.VERIFIED
    payment.verified_at = work.now
    order.status = OrderStatus.PAID
    _tell(work, order, "payment_confirmed")
    return "verified"


def _sell(work: Work, order: Order) -> bool:
    """Take the order's units, also of one that ended, unless its cart went on to another order."""
    live = work.orders.find_live_by_cart(order.cart_id) if order.cart_id else None
    if live not in (None, order):
        return False
    ended = order.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    cart = work.carts.find_open(order.customer_id, lock=True)
    try:
        with work.session.begin_nested():
            stock.take(work, order)
    except ShopError:
        return False
    if ended:
        discounts.use_again(work, order.discount_code)
    if cart is not None and cart.id == order.cart_id:
        _take_out_of_cart(work, order)
    return True


def _take_out_of_cart(work: Work, order: Order) -> None:
    """The cart of an ended order was open again: what is bought now leaves it, what was added stays."""
    cart = work.carts.find_by_id(order.cart_id) if order.cart_id else None
    if cart is None or cart.status != CartStatus.OPEN:
        return
    bought = stock.units(order)
    for item in list(cart.items):
        taken = min(item.quantity, bought.get(item.product_id, 0))
        bought[item.product_id] = bought.get(item.product_id, 0) - taken
        if item.quantity > taken:
            item.quantity -= taken
        else:
            cart.items.remove(item)
    cart.history, cart.reviewed = [], None
    if not cart.items:
        cart.status = CartStatus.ORDERED


def _fail(work: Work, order: Order, payment: Payment) -> str:
    if payment.status != PaymentStatus.PENDING or order.status != OrderStatus.AWAITING_PAYMENT:
        return "unchanged"
    payment.status = PaymentStatus.FAILED
    _tell(work, order, "payment_failed", link=payment.url or "")
    return "failed"


def _review(work: Work, order: Order, payment: Payment) -> str:
    payment.status = PaymentStatus.REVIEW
    if order.status == OrderStatus.AWAITING_PAYMENT:
        order.status = OrderStatus.REVIEW
    logger.warning("payment of order %s needs a person", order.number)
    _tell(work, order, "payment_in_review")
    return "review"


def _send_back(work: Work, order: Order, payment: Payment) -> str:
    """Money that buys nothing any more: the order was paid already, or cannot be had."""
    if order.status == OrderStatus.AWAITING_PAYMENT:
        reopen(work, order, OrderStatus.EXPIRED)  # what is left of it is for sale again
    payment.status = PaymentStatus.REVIEW
    work.session.flush()
    refunds.request_rest(work, payment, reason="nothing left to pay for", requested_by="shop")
    logger.warning("payment of order %s goes back", order.number)
    _tell(work, order, "payment_sent_back")
    return "refund"


def _tell(work: Work, order: Order, event: str, **data: Any) -> None:
    told = {"order_number": order.number, "amount": str(order.total_amount)}
    outbox.write(work, order.customer_id, event, {**told, "currency": order.currency, **data})
