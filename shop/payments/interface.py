"""What a payment provider must offer. Amounts are Decimal in major units of `currency`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class PaymentRequest:
    """What is to be paid."""

    order_number: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class PaymentLink:
    """Where the customer pays, and the reference that the provider's events carry."""

    reference: str
    url: str


@dataclass(frozen=True)
class ProviderEvent:
    """A verified notification: a hint to read the payment anew, nothing more."""

    event_id: str
    reference: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class ProviderPayment:
    """What the provider itself says of a payment; `paid` None while undecided."""

    reference: str
    paid: bool | None
    amount: Decimal
    currency: str


class PaymentProvider(Protocol):
    """One way to pay."""

    name: str

    def start(self, session: Session, request: PaymentRequest) -> PaymentLink:
        """Open a payment and return where the customer pays it."""

    def link(self, reference: str) -> str:
        """The address of a payment that was started."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Check a notification's signature over its raw bytes.

        Raises:
            PaymentRejected: if it is forged or malformed.
        """

    def read(self, session: Session, reference: str) -> ProviderPayment | None:
        """Ask the provider about a payment; None where it knows none."""
