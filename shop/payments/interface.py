"""What every way to pay offers. Amounts are Decimal in major units of `currency`.

A provider is asked outside of any database transaction: it may be slow or silent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable


class Settlement(enum.StrEnum):
    """Who says that the money came: the provider, a member of staff, or whoever hands the order over."""

    PROVIDER = "provider"
    STAFF = "staff"
    ON_HANDOVER = "on_handover"


@dataclass(frozen=True)
class PaymentRequest:
    """What is to be paid. `reference` is ours, unique, and the idempotency key of the call."""

    reference: str
    order_number: str
    amount: Decimal
    currency: str
    expires_at: datetime


@dataclass(frozen=True)
class StartedPayment:
    """A payment that was opened: where the customer pays (None: nowhere online), and the provider's id."""

    url: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True)
class PaymentHandle:
    """A payment as its provider knows it: by our reference, or by its own id."""

    reference: str
    provider_id: str | None
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class ProviderEvent:
    """A verified notification: a hint to read the payment anew, or to ask what became of what is sent back of
    it (`of_refund`), nothing more."""

    event_id: str
    reference: str
    payload: dict[str, Any]
    of_refund: bool = False


@dataclass(frozen=True)
class ProviderPayment:
    """What the provider itself says of a payment; `paid` None while undecided."""

    reference: str
    paid: bool | None
    amount: Decimal
    currency: str
    refunded: Decimal = Decimal(0)


@dataclass(frozen=True)
class StartedRefund:
    """A refund as its provider has it.

    `done`: the money went back. Else it is on its way at the provider, under `provider_id`; or, where there
    is no such id, a person has to send it.
    """

    provider_id: str | None
    done: bool


class PaymentProvider(Protocol):
    """One way to pay.

    Every method that asks the provider raises `ProviderUnavailable` where it cannot be reached or
    answers nothing usable; asking again is safe.
    """

    @property
    def name(self) -> str:
        """As PAYMENT_PROVIDERS and payments.payment_method name it."""

    @property
    def settlement(self) -> Settlement:
        """Who says that the money came."""

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a payment; asked again with the same reference, the same payment."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        """Check a notification's signature over its raw bytes; None if it says nothing about a payment.

        Args:
            headers: names in lower case.

        Raises:
            PaymentRejected: if it is forged or malformed.
        """

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Ask the provider about a payment; None where it knows none."""

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Make sure, as far as the provider can, that a payment is not paid any more; how it stands."""

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """Send money back; asked again with the same key, the same refund, as it stands now.

        Raises:
            RefundRefused: if the provider will never do it, or tried in vain.
        """


@runtime_checkable
class TellsRefundsApart(Protocol):
    """A provider that says only when it is asked separately what it sent back: `read` leaves it out."""

    def sent_back(self, payment: PaymentHandle) -> Decimal:
        """What went back of a payment, as far as it is done.

        Raises:
            ProviderUnavailable
        """
