"""The sandbox provider: a local pay page with its own ledger and signed notifications.

It behaves as a real provider does (signature, event ids, payments that are read back), so that the
way of the money is the same; it refuses to exist in production.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from db.models import SandboxCharge
from shop.errors import PaymentRejected, RefundRefused
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)

SIGNATURE_HEADER = "x-sandbox-signature"
OUTCOMES = ("paid", "failed")


@dataclass(frozen=True)
class Notification:
    """A signed notification, as the sandbox would post it."""

    body: bytes
    headers: dict[str, str]


class SandboxProvider:
    """Pays with a button. `key` signs its notifications; `sessions` reach its own ledger, which no
    transaction of the shop spans.
    """

    name = "sandbox"
    settlement = Settlement.PROVIDER

    def __init__(self, public_base_url: str, key: bytes, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._base_url = public_base_url
        self._key = key

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a charge in the sandbox's ledger, once for each reference."""
        charge = {
            "reference": request.reference,
            "amount": request.amount,
            "currency": request.currency,
        }
        with self._sessions.begin() as session:
            session.execute(insert(SandboxCharge).values(charge).on_conflict_do_nothing())
        return StartedPayment(f"{self._base_url}/payments/sandbox/{request.reference}", request.reference)

    def settle(self, reference: str, outcome: str) -> Notification:
        """Decide a charge, as the customer's button does, and make the notification of it.

        A charge that was paid stays paid.

        Raises:
            PaymentRejected: unknown reference or outcome.
        """
        with self._sessions.begin() as session:
            charge = session.get(SandboxCharge, reference, with_for_update=True)
            if charge is None or outcome not in OUTCOMES:
                raise PaymentRejected("unknown sandbox charge or outcome")
            if charge.outcome != "paid":
                charge.outcome = outcome
        event_id = f"evt_{secrets.token_urlsafe(12)}"
        body = json.dumps({"id": event_id, "reference": reference}).encode()
        return Notification(body, {SIGNATURE_HEADER: self._sign(body)})

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Check the HMAC-SHA256 signature of a notification.

        Raises:
            PaymentRejected: if it is forged or malformed.
        """
        signature = headers.get(SIGNATURE_HEADER, "")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            raise PaymentRejected("wrong signature")
        try:
            payload = json.loads(body)
            return ProviderEvent(str(payload["id"]), str(payload["reference"]), payload)
        except (ValueError, KeyError, TypeError):
            raise PaymentRejected("malformed notification") from None

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Ask the sandbox's ledger."""
        return self.charge(payment.reference)

    def charge(self, reference: str) -> ProviderPayment | None:
        """A charge of the ledger, for its pay page."""
        with self._sessions.begin() as session:
            charge = session.get(SandboxCharge, reference)
            if charge is None:
                return None
            paid = None if charge.outcome is None else charge.outcome == "paid"
            return ProviderPayment(reference, paid, charge.amount, charge.currency, charge.refunded)

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """The sandbox closes nothing, as some providers do not: late money is part of the play."""
        return self.read(payment)

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """Send money back; the ledger knows each key once.

        Raises:
            RefundRefused: more than came.
        """
        with self._sessions.begin() as session:
            charge = session.get(SandboxCharge, payment.reference, with_for_update=True)
            if charge is None:
                raise RefundRefused(self.name)
            if key not in charge.refund_keys:
                if charge.refunded + amount > charge.amount:
                    raise RefundRefused(self.name)
                charge.refunded += amount
                charge.refund_keys = [*charge.refund_keys, key]
        return StartedRefund(provider_id=f"re_{key}", done=True)

    def _sign(self, body: bytes) -> str:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()
