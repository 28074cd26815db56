"""Paystack's notifications, signed in either form: nobody else is believed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shop.payments.paystack import Paystack
from tests.shop.payments.local_server import KEY
from tests.shop.payments.notifications import (
    NO_EVENT,
    NOWHERE,
    Notification,
    assert_makes_no_sense,
    assert_nobody_believes,
    tampered,
)
from tests.shop.payments.one_payment import BACK, NOW


@pytest.fixture
def listener() -> Iterator[Paystack]:
    """A provider without a server: notifications are verified without asking Paystack."""
    with httpx.Client() as client:
        yield Paystack(KEY, "orders@shop.example", BACK, client, NOWHERE, clock=lambda: NOW)


def event(kind: str = "charge.success", **charge: Any) -> bytes:
    """A notification as Paystack posts it, cut short."""
    data = {
        "id": 302961,
        "status": "success",
        "reference": "ref-1001-1",
        "amount": 1182550,
        "currency": "NGN",
        "ip_address": "41.242.49.37",
        "customer": {"email": "canary@example.com", "phone": "+2348012345678", "first_name": "Ada"},
        "authorization": {"last4": "4081", "account_name": "Ada"},
    }
    return json.dumps({"event": kind, "data": data | charge}).encode()


def signature(body: bytes, key: str = KEY) -> dict[str, str]:
    """Paystack docs, Webhooks: HMAC-SHA512 of the body."""
    return {"x-paystack-signature": hmac.new(key.encode(), body, hashlib.sha512).hexdigest()}


def dated(body: bytes, key: str = KEY, age: int = 0) -> dict[str, str]:
    """The form that some sources tell of."""
    sent_at = int(NOW.timestamp()) - age
    digest = hmac.new(key.encode(), f"{sent_at}.".encode() + body, hashlib.sha512).hexdigest()
    return {"x-paystack-signature": f"t={sent_at},v1={digest}"}


@pytest.mark.parametrize("sign", [signature, dated])
def test_a_successful_charge_names_its_payment_and_no_person(listener, sign):
    body = event()
    found = listener.verify(body, sign(body))
    assert (found.event_id, found.reference) == ("charge.success:302961", "ref-1001-1")
    assert found.payload == {
        "event": "charge.success",
        "id": 302961,
        "reference": "ref-1001-1",
        "status": "success",
        "amount": 1182550,
        "currency": "NGN",
    }


@pytest.mark.parametrize("kind", ["refund.processed", "refund.failed", "refund.needs-attention"])
@pytest.mark.parametrize("amount", ["10000", 10000])
def test_what_became_of_a_refund_names_its_payment_and_no_person(listener, kind, amount):
    """Paystack's documentation shows the amount as text, its API as a number."""
    refund = {
        "status": kind.removeprefix("refund."),
        "transaction_reference": "ref-1001-1",
        "refund_reference": "132013318360",
        "amount": amount,
        "currency": "NGN",
        "customer": {"email": "canary@example.com", "first_name": "Ada"},
    }
    body = json.dumps({"event": kind, "data": refund}).encode()
    found = listener.verify(body, signature(body))
    assert (found.reference, found.of_refund) == ("ref-1001-1", True)
    assert "canary" not in str(found.payload)
    assert found.payload["amount"] == amount
    assert listener.verify(body, signature(body)) == found, "sent again, the same event"
    other = body.replace(b"132013318360", b"132013318361")
    assert listener.verify(other, signature(other)).event_id != found.event_id


@pytest.mark.parametrize("kind", ["refund.pending", "transfer.success", "charge.dispute.create"])
def test_events_about_other_things_say_nothing(listener, kind):
    body = event(kind, id="not even a number")
    assert listener.verify(body, signature(body)) is None


def test_clocks_may_differ_by_minutes(listener):
    body = event()
    for age in (-300, -1, 299, 300):
        assert listener.verify(body, dated(body, age=age)) is not None


def forged() -> list[Notification]:
    body, name = event(), "x-paystack-signature"
    good, new = signature(body), dated(body)[name]
    return [
        (body, {}),
        (body, {name: ""}),
        (body, {name: good[name].upper()}),
        (body, {name: good[name][:-1]}),
        (body, {name: "é" * 128}),
        (body, {name: f"v1={good[name]}"}),
        (body, {name: f"t=,v1={good[name]}"}),
        (body, {name: f"t={int(NOW.timestamp())},v1={good[name]}"}),
        (body, {name: "t=1,v1=" + new.split("v1=")[1]}),
        (body, {name: "t=" + "9" * 5000 + ",v1=x"}),
        (body, {name: "t=²,v1=x"}),
        (body, {name: new.split(",")[0]}),
        (body, {name: "=,=,t,v1"}),
        (body, signature(body, "sk_of_somebody_else")),
        (body, dated(body, "sk_of_somebody_else")),
        (body, dated(body, age=301)),
        (body, dated(body, age=-301)),
        *tampered(body, good, b"1182550"),
    ]


@pytest.mark.parametrize("case", range(len(forged())))
def test_a_forged_or_stale_notification_is_rejected(listener, case):
    assert_nobody_believes(listener, *forged()[case])


@pytest.mark.parametrize(
    "body",
    [
        *NO_EVENT,
        b"\xff\xfe",
        b'{"event": ""}',
        b'{"event": "charge.success"}',
        b'{"event": "charge.success", "data": null}',
        event("refund.processed"),
        event("refund.failed", transaction_reference=" "),
        event(reference=None),
        event(reference=" "),
        event(id=None),
        event(id=""),
        event(id=True),
    ],
)
def test_a_signed_notification_without_sense_is_rejected(listener, body):
    assert_makes_no_sense(listener, body, signature(body))
