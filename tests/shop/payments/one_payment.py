"""What the tests of every provider share: one payment in naira, and how it is spoken of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shop.payments.interface import (
    PaymentHandle,
    PaymentProvider,
    PaymentRequest,
    ProviderPayment,
    Settlement,
)

BACK = "https://shop.example/payments/done"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REFERENCE = "ref-1001-1"


@dataclass(frozen=True)
class OnePayment:
    """The payment of order 1001: as the shop asks for it, and as its provider knows it."""

    amount: Decimal

    def request(self, now: datetime = NOW) -> PaymentRequest:
        """To be paid within half an hour."""
        return PaymentRequest(REFERENCE, "1001", self.amount, "NGN", now + timedelta(minutes=30))

    def handle(self, provider_id: str | None = None) -> PaymentHandle:
        """As the provider is asked about it."""
        return PaymentHandle(REFERENCE, provider_id, self.amount, "NGN")

    def standing(self, paid: bool | None, refunded: Decimal | str = "0") -> ProviderPayment:
        """As the provider says that it stands."""
        return ProviderPayment(REFERENCE, paid, self.amount, "NGN", Decimal(refunded))


def assert_it_says_itself_what_was_paid(provider: PaymentProvider, name: str) -> None:
    """It goes by this name, and is asked whether money came."""
    assert (provider.name, provider.settlement) == (name, Settlement.PROVIDER)
