"""A small Paystack that checks every request against Paystack's own OpenAPI description.

The description stays where it is published (shared/specs beside the repository): nothing of it is here.
"""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from tests.shop.payments.local_server import KEY, LocalServer, Reply

DESCRIPTION = Path(__file__).resolve().parents[4] / "shared" / "specs" / "paystack.yaml"
API = "https://api.paystack.co"
CUSTOMER = {"id": 7, "email": "canary@example.com", "phone": "+2348012345678", "first_name": "Ada"}


@cache
def description() -> OpenAPI:
    """Paystack's description, read once."""
    return OpenAPI.from_dict(yaml.load(DESCRIPTION.read_text(), Loader=yaml.CSafeLoader))


def refusal(status: int, message: str, code: str = "") -> Reply:
    """No, as Paystack says it."""
    return status, {"status": False, "message": message, "type": "validation_error", "code": code}


class PaystackServer(LocalServer):
    """Transactions by their reference; `broken_rules` is what the description has against the requests."""

    def __init__(self) -> None:
        self.transactions: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.broken_rules: list[str] = []
        self.refund_status = "pending"
        self.unknown: Reply = refusal(404, "Transaction reference not found.")
        self._ids = itertools.count(1)
        super().__init__()

    def settle(self, reference: str, status: str) -> None:
        """What becomes of a transaction."""
        self.transactions[reference]["status"] = status

    def add_refunds_of_others(self, number: int) -> None:
        """Refunds of other transactions, newer than ours."""
        for _ in range(number):
            self.refunds.insert(0, self._refund(999, "ref-of-another", 100, "refund-1"))

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """One request, checked first."""
        self._check(method, path, query, headers, body)
        if headers.get("authorization") != f"Bearer {KEY}":
            return refusal(401, "Invalid key")
        if method == "GET" and path == "/refund":
            return self._list(dict(parse_qsl(query)))
        if method == "GET":
            found = self.transactions.get(unquote(path.removeprefix("/transaction/verify/")))
            return (200, _said(found)) if found else self.unknown
        content = json.loads(body)
        self.bodies.append(content)
        return self._initialize(content) if path == "/transaction/initialize" else self._send_back(content)

    def _check(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
        asked = MockRequest(API, method, path, args=dict(parse_qsl(query)), headers=headers, data=body)
        asked.content_type = headers.get("content-type", "application/json")
        try:
            description().validate_request(asked)
        except Exception as error:  # whatever it is, a test has to hear of it
            self.broken_rules.append(f"{method} {path}: {error} {error.__cause__}")

    def _initialize(self, content: dict[str, Any]) -> Reply:
        reference = content["reference"]
        if reference in self.transactions:
            return refusal(400, "Duplicate Transaction Reference", "duplicate_reference")
        self.transactions[reference] = {
            "id": next(self._ids),
            "status": "abandoned",
            "reference": reference,
            "amount": content["amount"],
            "currency": content["currency"],
            "created_at": "2026-11-22T12:00:00.000Z",
            "customer": CUSTOMER,
        }
        link = f"https://checkout.paystack.com/{reference}"
        return 200, _said({"authorization_url": link, "access_code": "x", "reference": reference})

    def _send_back(self, content: dict[str, Any]) -> Reply:
        transaction = self.transactions.get(content["transaction"])
        if transaction is None or transaction["status"] != "success":
            return refusal(400, "about canary@example.com")
        before = sum(r["amount"] for r in self.refunds if r["transaction"] == transaction["id"])
        if before + content["amount"] > transaction["amount"]:
            return refusal(400, "about canary@example.com")
        reference, note = transaction["reference"], content["merchant_note"]
        refund = self._refund(transaction["id"], reference, content["amount"], note)
        self.refunds.insert(0, refund)
        return 200, _said(refund | {"transaction": transaction})

    def _refund(self, transaction: int, reference: str, amount: int, note: str) -> dict[str, Any]:
        return {
            "id": next(self._ids),
            "transaction": transaction,
            "transaction_reference": reference,
            "amount": amount,
            "status": self.refund_status,
            "merchant_note": note,
            "customer": CUSTOMER,
        }

    def _list(self, params: dict[str, str]) -> Reply:
        size, page = int(params["perPage"]), int(params["page"])
        return 200, _said(self.refunds[(page - 1) * size : page * size])


def _said(data: Any) -> dict[str, Any]:
    return {"status": True, "message": "said", "data": data}
