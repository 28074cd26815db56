"""A small Stripe: Checkout Sessions and refunds, as far as the shop asks for them.

Written from Stripe's documentation: form-encoded bodies, expansion, idempotency keys that are taken again
only with the same parameters, expiry between 30 minutes and a day, and sessions that expire only when open.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.shop.payments.local_server import KEY, LocalServer, Reply

SECRETS = ("whsec_current", "whsec_next")
SESSIONS, REFUNDS = "/v1/checkout/sessions", "/v1/refunds"


def refusal(status: int, code: str, kind: str = "invalid_request_error", param: str | None = None) -> Reply:
    """An error as Stripe words it, with a canary where Stripe's text would be."""
    error = {"type": kind, "code": code, "message": "about canary@example.com", "param": param}
    return status, {"error": error}


class StripeServer(LocalServer):
    """Sessions by their id; `pay`, `fail` and `let_expire` do what customers and time do."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.forms: list[dict[str, str]] = []
        self.refuses: Reply | None = None
        self.refund_status = "succeeded"
        self._replies: dict[str, tuple[str, dict[str, str], Reply]] = {}
        self._ids = itertools.count(1)
        super().__init__()

    def pay(self, session_id: str) -> None:
        """The customer pays at once."""
        self.submit_slow_payment(session_id)
        session = self.sessions[session_id]
        session["payment_status"] = "paid"
        charge = {"id": f"ch_{next(self._ids)}", "object": "charge", "amount_refunded": 0}
        session["payment_intent"] |= {"status": "succeeded", "latest_charge": charge}

    def submit_slow_payment(self, session_id: str) -> None:
        """The customer chose a payment method that takes days."""
        session = self.sessions[session_id]
        session["status"], session["url"] = "complete", None
        session["customer_details"] = {"email": "canary@example.com", "phone": "+2348012345678"}
        session["payment_intent"] = {
            "id": f"pi_{next(self._ids)}",
            "object": "payment_intent",
            "status": "processing",
            "latest_charge": None,
        }

    def fail(self, session_id: str) -> None:
        """The slow payment came to nothing."""
        self.sessions[session_id]["payment_intent"]["status"] = "requires_payment_method"

    def let_expire(self, session_id: str) -> None:
        """The session's time is over."""
        self.sessions[session_id] |= {"status": "expired", "url": None}

    def forget_keys(self) -> None:
        """Stripe prunes idempotency keys that are a day old."""
        self._replies.clear()

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """One request."""
        if headers.get("authorization") != f"Bearer {KEY}":
            return refusal(401, "api_key_invalid")
        if method == "POST":
            assert headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(parse_qsl(body.decode() or query, strict_parsing=bool(body or query)))
        if method == "GET":
            return self._do(method, path, form)
        self.forms.append(form)
        return self._once(headers["idempotency-key"], method, path, form)

    def _once(self, key: str, method: str, path: str, form: dict[str, str]) -> Reply:
        if key in self._replies:
            *request, reply = self._replies[key]
            return reply if request == [path, form] else refusal(400, "", "idempotency_error")
        reply = copy.deepcopy(self._do(method, path, form))
        if reply[0] == 200:
            self._replies[key] = (path, form, reply)
        return reply

    def _do(self, method: str, path: str, form: dict[str, str]) -> Reply:
        if self.refuses is not None:
            return self.refuses
        if (method, path) == ("POST", SESSIONS):
            return self._create(form)
        if (method, path) == ("POST", REFUNDS):
            return self._refund(form)
        if (method, path) == ("GET", REFUNDS):
            return self._list_refunds(form)
        session = self.sessions.get(path.removeprefix(f"{SESSIONS}/").removesuffix("/expire"))
        if session is None:
            return refusal(404, "resource_missing")
        if path.endswith("/expire"):
            if session["status"] != "open":
                return refusal(400, "")
            self.let_expire(session["id"])
        return 200, _expanded(session, form)

    def _create(self, form: dict[str, str]) -> Reply:
        now = self.clock().timestamp()
        expires_at = int(form.get("expires_at", now + 24 * 3600))
        if not now + 30 * 60 <= expires_at <= now + 24 * 3600:
            return refusal(400, "", param="expires_at")
        amount = int(form["line_items[0][price_data][unit_amount]"])
        session_id = f"cs_test_{next(self._ids)}"
        self.sessions[session_id] = {
            "id": session_id,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "client_reference_id": form["client_reference_id"],
            "amount_total": amount * int(form["line_items[0][quantity]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "expires_at": expires_at,
            "payment_intent": None,
            "customer_details": None,
            "url": f"https://checkout.stripe.com/c/pay/{session_id}",
        }
        return 200, self.sessions[session_id]

    def _refund(self, form: dict[str, str]) -> Reply:
        intents = [session["payment_intent"] for session in self.sessions.values()]
        found = [intent for intent in intents if intent and intent["id"] == form["payment_intent"]]
        if not found or found[0]["latest_charge"] is None:
            return refusal(400, "payment_intent_unexpected_state")
        charge, amount = found[0]["latest_charge"], int(form["amount"])
        paid = next(s["amount_total"] for s in self.sessions.values() if s["payment_intent"] == found[0])
        if charge["amount_refunded"] + amount > paid:
            return refusal(400, "charge_already_refunded")
        charge["amount_refunded"] += amount
        refund = {
            "id": f"re_{next(self._ids)}",
            "object": "refund",
            "amount": amount,
            "status": self.refund_status,
            "payment_intent": form["payment_intent"],
            "metadata": {"key": form["metadata[key]"]},
        }
        self.refunds.append(refund)
        return 200, refund

    def _list_refunds(self, form: dict[str, str]) -> Reply:
        found = [r for r in self.refunds if r["payment_intent"] == form["payment_intent"]]
        return 200, {"object": "list", "url": REFUNDS, "has_more": False, "data": found}


def _expanded(session: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    shown = copy.deepcopy(session)
    intent = shown["payment_intent"]
    if intent and form.get("expand[0]") != "payment_intent.latest_charge":
        shown["payment_intent"] = intent["id"]
    return shown
