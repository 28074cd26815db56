"""The payment of an order, noted before its provider hears of it; noted anew where its link was lost."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta

from db.models import Order, OrderStatus, Payment, PaymentStatus
from shop.payments.interface import PaymentProvider, Settlement
from shop.payments.settling import lock_payment
from shop.work import Work

# Without 0/O, 1/I/L: an order number is read out over a counter, and a bank transfer's is typed.
LEGIBLE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
FIRST_CHECK = timedelta(minutes=2)
"""When to ask the provider by ourselves, should its notification not come."""


def expiry(work: Work, provider: PaymentProvider | None) -> datetime | None:
    """Until when (UTC) an order waits for its payment; None where it does not wait."""
    if provider is None or provider.settlement == Settlement.ON_HANDOVER:
        return None
    if provider.settlement == Settlement.STAFF:
        return work.now + timedelta(hours=work.policy.bank_transfer_hours)
    return work.now + timedelta(minutes=work.policy.payment_timeout_minutes)


def note(work: Work, order: Order, provider: PaymentProvider) -> Payment:
    """Keep the payment before its provider hears of it: what is lost on the way can be asked for again."""
    by_hand = provider.settlement == Settlement.STAFF
    # A reference for a bank transfer is typed by hand.
    reference = f"{order.number}-{legible_code(4)}" if by_hand else f"pay-{secrets.token_hex(16)}"
    online = provider.settlement == Settlement.PROVIDER
    payment = Payment(
        id=uuid.uuid4(),
        amount=order.total_amount,
        currency=order.currency,
        payment_method=provider.name,
        payment_reference=reference,
        next_check_at=work.now + FIRST_CHECK if online else None,
        created_at=work.now,
    )
    order.payments.append(payment)
    order.payment_reference = reference
    return payment


def renew(work: Work, reference: str) -> Payment:
    """Give up a payment whose link is lost; the order's new one.

    Where the link was kept, the payment renewed or the order paid or ended meanwhile, the order's payment as
    it is.

    Raises:
        PaymentRejected: there is no such payment.
    """
    order, spent = lock_payment(work, reference)
    lost = spent.status == PaymentStatus.PENDING and spent.url is None
    if not lost or order.status != OrderStatus.AWAITING_PAYMENT:
        return order.payments[-1]
    spent.status, spent.next_check_at = PaymentStatus.EXPIRED, None
    payment = note(work, order, work.providers[spent.payment_method])
    work.session.flush()
    return payment


def legible_code(length: int) -> str:
    """Made up of letters and digits that nobody takes for one another."""
    return "".join(secrets.choice(LEGIBLE) for _ in range(length))
