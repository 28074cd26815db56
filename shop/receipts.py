"""Receipts: what was ordered and paid, for whoever holds the link. It may be forwarded, so that neither
the customer nor an address is on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from db.models import Fulfilment, Order, OrderStatus, Payment, PaymentStatus, RefundStatus
from shop.cart_view import Line, view_order
from shop.pricing import Totals
from shop.refunds import came_of
from shop.work import Work

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
ENDED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
MONEY_CAME = (PaymentStatus.REVIEW, PaymentStatus.REFUNDED)
ZERO = Decimal(0)


@dataclass(frozen=True)
class ReceiptPayment:
    """How an order was paid, or is to be: `amount` is what came, before refunds; nothing if none did.

    `paid`: the money counts as the order's; `in_review`: it came, and a person has to look at it.
    `refunded` went back already, `to_refund` is on its way.
    """

    method: str
    paid: bool
    in_review: bool
    amount: Decimal
    currency: str
    verified_at: datetime | None
    refunded: Decimal
    to_refund: Decimal


@dataclass(frozen=True)
class Receipt:
    """An order as its receipt shows it; times are UTC. `payment` None: paid at the counter, unseen."""

    business_name: str
    number: str
    created_at: datetime
    status: str
    lines: tuple[Line, ...]
    totals: Totals
    currency: str
    discount_code: str | None
    delivered: bool
    payment: ReceiptPayment | None

    @property
    def ended(self) -> bool:
        """Whether the order came to nothing, so that there is nothing to show a receipt of."""
        return self.status in ENDED


def find(work: Work, token: str) -> Receipt | None:
    """The receipt that a token opens; None if there is none, whatever the token looks like."""
    order = work.orders.find_by_receipt(token) if TOKEN.fullmatch(token) else None
    if order is None:
        return None
    shown = view_order(order)
    return Receipt(
        business_name=work.policy.business_name,
        number=order.number,
        created_at=order.created_at,
        status=order.status.value,
        lines=shown.lines,
        totals=shown.totals,
        currency=shown.currency,
        discount_code=shown.discount_code,
        delivered=order.fulfilment == Fulfilment.DELIVERY,
        payment=_payment_of(order),
    )


def _payment_of(order: Order) -> ReceiptPayment | None:
    """The payment that counts; else one whose money came; else the latest."""
    counted = [payment for payment in order.payments if payment.verified_at is not None]
    came = [payment for payment in order.payments if payment.status in MONEY_CAME]
    chosen = [*order.payments[-1:], *came[:1], *counted[:1]]
    return _as_shown(chosen[-1]) if chosen else None


def _as_shown(payment: Payment) -> ReceiptPayment:
    paid = payment.verified_at is not None
    went_back = [refund.amount for refund in payment.refunds if refund.status == RefundStatus.DONE]
    decided = [refund.amount for refund in payment.refunds if refund.status != RefundStatus.DONE]
    return ReceiptPayment(
        method=payment.payment_method,
        paid=paid,
        in_review=payment.status == PaymentStatus.REVIEW,
        amount=came_of(payment) if paid or payment.status in MONEY_CAME else ZERO,
        currency=payment.received_currency or payment.currency,
        verified_at=payment.verified_at,
        refunded=sum(went_back, ZERO),
        to_refund=sum(decided, ZERO),
    )
