"""Ways to pay that no computer of anybody else knows of: bank transfer and cash."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from shop.errors import PaymentRejected
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)


class _Offline:
    """Nothing to open, nothing to ask: people say that the money came, and people send it back."""

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Nothing is opened anywhere; asked again, the same nothing."""
        return StartedPayment()

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        """Nobody may notify us of these payments.

        Raises:
            PaymentRejected: always.
        """
        raise PaymentRejected("this way to pay sends no notifications")

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Nobody can be asked."""
        return None

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Nothing is open."""
        return None

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """A person carries it out."""
        return StartedRefund(provider_id=None, done=False)


class BankTransfer(_Offline):
    """The customer transfers; staff confirm what arrived on the account."""

    name = "bank_transfer"
    settlement = Settlement.STAFF


class CashOnDelivery(_Offline):
    """Whoever hands the order over takes the money."""

    name = "cash"
    settlement = Settlement.ON_HANDOVER
