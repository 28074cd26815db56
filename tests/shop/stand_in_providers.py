"""Payment providers that do what a test tells them to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from shop.errors import ProviderUnavailable, ReferenceSpent
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)


@dataclass
class Moody:
    """A provider that takes any payment, and answers refunds as it is told to."""

    answers: list[Exception | StartedRefund] = field(default_factory=list)
    asked: list[tuple[Decimal, str]] = field(default_factory=list)
    event: ProviderEvent | None = None
    name = "moody"
    settlement = Settlement.PROVIDER

    def start(self, request: PaymentRequest) -> StartedPayment:
        return StartedPayment("https://moody.example/pay", f"id of {request.reference}")

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        return self.event or ProviderEvent(body.decode(), body.decode(), {})

    def read(self, payment: PaymentHandle) -> ProviderPayment:
        return ProviderPayment(payment.reference, True, payment.amount, payment.currency)

    close = read

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        self.asked.append((amount, key))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Forgetful:
    """A provider that is away, has lost its links, or knows of money, as it is told to."""

    away: bool = False
    spent: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    name = "sandbox"
    settlement = Settlement.PROVIDER

    def start(self, request: PaymentRequest) -> StartedPayment:
        self._answer()
        self.started.append(request.reference)
        if request.reference in self.spent:
            raise ReferenceSpent(self.name)
        return StartedPayment(f"https://pay.example/{request.reference}")

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        return ProviderEvent(f"event of {body!r}", body.decode(), {}) if body else None

    def read(self, payment: PaymentHandle) -> ProviderPayment:
        self._answer()
        paid = True if payment.reference in self.paid else None
        return ProviderPayment(payment.reference, paid, payment.amount, payment.currency)

    def close(self, payment: PaymentHandle) -> ProviderPayment:
        truth = self.read(payment)
        self.closed.append(payment.reference)
        return truth

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        raise AssertionError("nothing goes back here")

    def _answer(self) -> None:
        if self.away:
            raise ProviderUnavailable(self.name)
