"""Bank transfer and cash: nothing happens online, and nobody can pretend that it did."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shop.errors import PaymentRejected
from shop.payments.interface import (
    PaymentHandle,
    PaymentProvider,
    PaymentRequest,
    Settlement,
    StartedPayment,
    StartedRefund,
)
from shop.payments.offline import BankTransfer, CashOnDelivery


@pytest.mark.parametrize(
    ("provider", "name", "settlement"),
    [
        (BankTransfer(), "bank_transfer", Settlement.STAFF),
        (CashOnDelivery(), "cash", Settlement.ON_HANDOVER),
    ],
)
def test_people_settle_what_is_paid_offline(provider: PaymentProvider, name, settlement):
    assert (provider.name, provider.settlement) == (name, settlement)
    request = PaymentRequest("ref-1", "1001", Decimal("11825.00"), "NGN", datetime(2026, 11, 22, tzinfo=UTC))
    payment = PaymentHandle("ref-1", None, Decimal("11825.00"), "NGN")
    assert provider.start(request) == StartedPayment(url=None, provider_id=None)
    assert (provider.read(payment), provider.close(payment)) == (None, None)
    assert provider.refund(payment, Decimal(1), "key-1") == StartedRefund(provider_id=None, done=False)
    for body in (b"", b"{}", b'{"reference": "ref-1", "paid": true}'):
        with pytest.raises(PaymentRejected):
            provider.verify(body, {})
