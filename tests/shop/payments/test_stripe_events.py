"""Stripe's notifications: its own library checks them, and nobody else is believed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from shop.errors import PaymentRejected
from shop.payments.stripe import StripeCheckout
from tests.shop.payments.local_server import KEY
from tests.shop.payments.notifications import (
    NO_EVENT,
    NOWHERE,
    Notification,
    assert_makes_no_sense,
    assert_nobody_believes,
    tampered,
)
from tests.shop.payments.one_payment import BACK
from tests.shop.payments.stripe_server import SECRETS


@pytest.fixture
def provider() -> StripeCheckout:
    """A provider without a server: notifications are verified without asking Stripe."""
    return StripeCheckout(KEY, SECRETS, BACK, NOWHERE)


def event(kind: str = "checkout.session.completed", **session: Any) -> bytes:
    """A notification as Stripe posts it, cut short."""
    about = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": "ref-1001-1",
        "payment_status": "paid",
        "amount_total": 1182500,
        "currency": "ngn",
        "customer_details": {"email": "canary@example.com", "phone": "+2348012345678", "name": "Ada"},
    }
    data = {"object": about | session}
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": data}).encode()


def signature(body: bytes, secret: str = SECRETS[0], age: float = 0) -> dict[str, str]:
    """Stripe docs, Webhooks, verify manually: HMAC-SHA256 of `<time>.<body>`."""
    sent_at = int(time.time() - age)
    digest = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={sent_at},v1={digest},v0=6ffbb59b"}


@pytest.mark.parametrize(
    "kind",
    [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    ],
)
def test_an_event_of_a_session_names_its_payment_and_no_person(provider, kind):
    body = event(kind)
    found = provider.verify(body, signature(body))
    assert (found.event_id, found.reference) == ("evt_1", "ref-1001-1")
    assert found.payload == {
        "id": "evt_1",
        "type": kind,
        "session": "cs_test_1",
        "payment_status": "paid",
        "amount": 1182500,
        "currency": "ngn",
    }


@pytest.mark.parametrize("kind", ["charge.refund.updated", "refund.updated", "refund.failed"])
def test_what_became_of_a_refund_names_its_payment_and_no_person(provider, kind):
    refund = {
        "id": "re_1",
        "object": "refund",
        "status": "failed",
        "amount": 10000,
        "currency": "ngn",
        "metadata": {"key": "refund-1", "reference": "ref-1001-1"},
        "destination_details": {"name": "canary@example.com"},
    }
    body = json.dumps({"id": "evt_2", "object": "event", "type": kind, "data": {"object": refund}}).encode()
    found = provider.verify(body, signature(body))
    assert (found.event_id, found.reference, found.of_refund) == ("evt_2", "ref-1001-1", True)
    assert found.payload == {
        "id": "evt_2",
        "type": kind,
        "refund": "re_1",
        "status": "failed",
        "amount": 10000,
        "currency": "ngn",
    }


@pytest.mark.parametrize("metadata", [None, {}, {"reference": ""}, {"reference": 7}])
def test_a_refund_that_somebody_made_at_stripe_names_no_payment_of_ours(provider, metadata):
    body = event("refund.updated", id="re_1", object="refund", metadata=metadata)
    assert provider.verify(body, signature(body)) is None


def test_either_secret_counts_while_one_is_rotated(provider):
    body = event()
    for secret in SECRETS:
        assert provider.verify(body, signature(body, secret)) is not None


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.refunded", "v2.core.account.updated"])
def test_events_about_other_things_say_nothing(provider, kind):
    body = event(kind, object="something")
    assert provider.verify(body, signature(body)) is None


def forged() -> list[Notification]:
    body = event()
    good = signature(body)
    value = good["stripe-signature"]
    return [
        (body, {}),
        (body, {"stripe-signature": ""}),
        (body, {"stripe-signature": "v1=abc"}),
        (body, {"stripe-signature": "t=,v1="}),
        (body, {"stripe-signature": value.replace("v1=", "v0=")}),
        (body, {"stripe-signature": value.upper()}),
        (body, {"stripe-signature": value.split(",")[0] + ",v1=" + "é" * 64}),
        (body, {"stripe-signature": value.replace("t=", "t=1")}),
        (body, signature(body, "whsec_of_somebody_else")),
        (body, signature(body, "")),
        (body, signature(body, age=301)),
        *tampered(body, good, b"1182500"),
    ]


@pytest.mark.parametrize("case", range(len(forged())))
def test_a_forged_or_stale_notification_is_rejected(provider, case):
    assert_nobody_believes(provider, *forged()[case])


def test_without_a_secret_nothing_is_believed():
    body = event()
    for secrets in ((), ("",)):
        with pytest.raises(PaymentRejected):
            StripeCheckout(KEY, secrets, BACK, NOWHERE).verify(body, signature(body, ""))


@pytest.mark.parametrize(
    "body",
    [
        *NO_EVENT,
        b'{"id": "evt_1"}',
        b'{"id": " ", "type": "payment_intent.succeeded"}',
        b'{"id": "evt_1", "type": "checkout.session.completed"}',
        b'{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": null}}',
        event(client_reference_id=None),
        event(client_reference_id=""),
        event(client_reference_id="  "),
        event(client_reference_id=7),
        event(object="charge"),
        event("refund.failed"),
        event("refund.failed", object="refund", id=""),
        event(id=""),
    ],
)
def test_a_signed_notification_without_sense_is_rejected(provider, body):
    assert_makes_no_sense(provider, body, signature(body))
