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

from sqlalchemy.orm import Session

from db.models import SandboxCharge
from shop.errors import PaymentRejected
from shop.payments.interface import PaymentLink, PaymentRequest, ProviderEvent, ProviderPayment

SIGNATURE_HEADER = "x-sandbox-signature"
OUTCOMES = ("paid", "failed")


@dataclass(frozen=True)
class Notification:
    """A signed notification, as the sandbox would post it."""

    body: bytes
    headers: dict[str, str]


class SandboxProvider:
    """Pays with a button. `key` signs its notifications."""

    name = "sandbox"

    def __init__(self, public_base_url: str, key: bytes) -> None:
        self._base_url = public_base_url
        self._key = key

    def start(self, session: Session, request: PaymentRequest) -> PaymentLink:
        """Open a charge in the sandbox's ledger."""
        reference = f"sbx_{secrets.token_hex(16)}"
        session.add(SandboxCharge(reference=reference, amount=request.amount, currency=request.currency))
        session.flush()
        return PaymentLink(reference, self.link(reference))

    def link(self, reference: str) -> str:
        """The address of the pay page."""
        return f"{self._base_url}/payments/sandbox/{reference}"

    def settle(self, session: Session, reference: str, outcome: str) -> Notification:
        """Decide a charge, as the customer's button does, and make the notification of it.

        A charge that was paid stays paid.

        Raises:
            PaymentRejected: unknown reference or outcome.
        """
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

    def read(self, session: Session, reference: str) -> ProviderPayment | None:
        """Ask the sandbox's ledger."""
        charge = session.get(SandboxCharge, reference)
        if charge is None:
            return None
        paid = None if charge.outcome is None else charge.outcome == "paid"
        return ProviderPayment(reference, paid, Decimal(charge.amount), charge.currency)

    def _sign(self, body: bytes) -> str:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()
