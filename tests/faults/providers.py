"""A payment provider that does what a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock

from shop.errors import PaymentRejected, ProviderUnavailable, ReferenceSpent, RefundRefused
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)

SECRET = "only the provider knows"
SIGNATURE = "x-scripted-signature"


@dataclass
class Charge:
    """A payment in the provider's own ledger; what was paid stays paid."""

    amount: Decimal
    currency: str
    paid: bool | None = None
    refunds: dict[str, Decimal] = field(default_factory=dict)


class ScriptedProvider:
    """Implements `PaymentProvider`. `wait` is called before each answer, outside of any lock."""

    settlement = Settlement.PROVIDER

    def __init__(self, name: str = "sandbox") -> None:
        self.name = name
        self.charges: dict[str, Charge] = {}
        self.asked: Counter[str] = Counter()
        self.refund_calls: Counter[str] = Counter()
        self.out_of_reach = False
        self.loses_links = False
        self.refuses_refunds = False
        self.wait: Callable[[str], None] = lambda call: None
        self._lock = Lock()

    def pay(self, reference: str, amount: Decimal | None = None, currency: str | None = None) -> None:
        """The customer pays: what is asked for, or something else."""
        charge = self.charges[reference]
        if charge.paid is not True:
            charge.paid = True
            charge.amount, charge.currency = amount or charge.amount, currency or charge.currency

    def fail(self, reference: str) -> None:
        """The customer's bank says no."""
        if self.charges[reference].paid is None:
            self.charges[reference].paid = False

    def event(self, reference: str, event_id: str) -> tuple[bytes, dict[str, str]]:
        """A notification, as it would be posted."""
        return json.dumps({"id": event_id, "reference": reference}).encode(), {SIGNATURE: SECRET}

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a charge; asked again, the same one."""
        self._answer("start")
        known = request.reference in self.charges
        self.charges.setdefault(request.reference, Charge(request.amount, request.currency))
        if self.loses_links:
            self.loses_links = False
            if not known:
                raise ProviderUnavailable(self.name)
            raise ReferenceSpent(self.name)
        return StartedPayment(f"https://pay.example/{request.reference}", f"ch_{request.reference}")

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Believe whoever knows the secret."""
        if headers.get(SIGNATURE) != SECRET:
            raise PaymentRejected("wrong signature")
        payload = json.loads(body)
        return ProviderEvent(payload["id"], payload["reference"], payload)

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """What the ledger says."""
        self._answer("read")
        charge = self.charges.get(payment.reference)
        if charge is None:
            return None
        sent_back = sum(charge.refunds.values(), Decimal(0))
        return ProviderPayment(payment.reference, charge.paid, charge.amount, charge.currency, sent_back)

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Close nothing, as some providers do not: late money comes."""
        return self.read(payment)

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """Send money back, once for each key."""
        self._answer("refund")
        with self._lock:
            self.refund_calls[key] += 1
            charge = self.charges.get(payment.reference)
            sent = charge.refunds if charge else {}
            too_much = charge is None or sum(sent.values(), amount) > charge.amount
            if key not in sent and (self.refuses_refunds or too_much or payment.currency != charge.currency):
                raise RefundRefused(self.name)
            sent.setdefault(key, amount)
        return StartedRefund(f"re_{key}", done=True)

    def _answer(self, call: str) -> None:
        self.asked[call] += 1
        self.wait(call)
        if self.out_of_reach:
            raise ProviderUnavailable(self.name)
