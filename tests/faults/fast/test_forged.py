"""Forged means nothing written: every table is the same afterwards, down to the last column."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest
from starlette.testclient import TestClient

from settings import read_settings
from shop.errors import PaymentRejected
from shop.payments import flow
from shop.payments.paystack import Paystack
from shop.payments.sandbox import SIGNATURE_HEADER
from shop.payments.stripe import SIGNATURE_TOLERANCE_SECONDS, StripeCheckout
from shop.service import Shop
from tests.faults.ledger import nothing_written
from web.app import make_app

SECRET = "whsec_of_the_tests"


@pytest.fixture
def placed(shop, make_product, make_buyers):
    """An order that awaits its payment through the sandbox."""
    cake = make_product(name="Cake", stock_quantity=5)
    placed = make_buyers([[(cake, 2, ())]])[0].confirms(shop).result.placed
    flow.open_payment(shop, placed.payment_reference)
    return placed


@pytest.fixture
def paid(sandbox, placed):
    """The true notification of its payment, not delivered yet."""
    return sandbox.settle(placed.payment_reference, "paid")


@pytest.fixture
def web(monkeypatch, database_url, redis_settings):
    """The web app."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_HOST", str(redis_settings.host))
    monkeypatch.setenv("REDIS_PORT", str(redis_settings.port))
    monkeypatch.setenv("REDIS_PASSWORD", redis_settings.password or "")
    with TestClient(make_app(read_settings())) as client:
        yield client


FORGERIES = {
    "no signature": lambda body, good: (body, {}),
    "a blank signature": lambda body, good: (body, {SIGNATURE_HEADER: ""}),
    "another signature": lambda body, good: (body, {SIGNATURE_HEADER: "0" * 64}),
    "in capitals": lambda body, good: (body, {SIGNATURE_HEADER: good.upper()}),
    "cut": lambda body, good: (body, {SIGNATURE_HEADER: good[:-1]}),
    "other letters": lambda body, good: (body, {SIGNATURE_HEADER: "é" * 64}),
    "the body altered": lambda body, good: (body.replace(b"evt_", b"evu_"), {SIGNATURE_HEADER: good}),
    "a blank behind": lambda body, good: (body + b" ", {SIGNATURE_HEADER: good}),
    "an empty body": lambda body, good: (b"", {SIGNATURE_HEADER: good}),
    "signed by its own digest": lambda body, good: (
        body,
        {SIGNATURE_HEADER: hashlib.sha256(body).hexdigest()},
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_notification_writes_nothing(shop, sessions, paid, forgery):
    body, headers = FORGERIES[forgery](paid.body, paid.headers[SIGNATURE_HEADER])
    with nothing_written(sessions), pytest.raises(PaymentRejected):
        flow.receive(shop, "sandbox", body, headers)
    assert flow.receive(shop, "sandbox", paid.body, paid.headers) == "verified", "the true one counts"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_webhook_is_refused_over_http(web, sessions, paid, forgery):
    body, headers = FORGERIES[forgery](paid.body, paid.headers[SIGNATURE_HEADER])
    sent = {name: value.encode() for name, value in headers.items()}
    with nothing_written(sessions):
        assert web.post("/payments/webhooks/sandbox", content=body, headers=sent).status_code == 400


@pytest.mark.parametrize("provider", ["stripe", "paystack", "bank_transfer", "cash", "monopoly", "", "\0"])
def test_another_providers_door_writes_nothing(shop, sessions, paid, provider):
    """Signed by the sandbox, delivered as somebody else's; also where that provider is offered."""
    providers = {**shop.providers, "stripe": stripe(), "paystack": paystack()}
    offered = Shop(shop.sessions, shop.policy, shop.flags, providers)
    for one in (shop, offered):
        with nothing_written(sessions), pytest.raises(PaymentRejected):
            flow.receive(one, provider, paid.body, paid.headers)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"id": "evt_1"},
        {"reference": "pay-1"},
        {"id": "evt_1", "reference": ""},
        {"id": "evt_1", "reference": "pay-of-somebody-else"},
        {"id": "evt_1", "reference": None},
        {"id": "evt_1", "reference": "' OR '1'='1"},
        {"id": "evt_1", "reference": {"$ne": ""}},
    ],
    ids=str,
)
def test_blank_fields_and_unknown_references_write_nothing(shop, sandbox, sessions, placed, told):
    """Rightly signed, yet about nothing of ours."""
    body = json.dumps(told).encode()
    with nothing_written(sessions), pytest.raises(PaymentRejected):
        flow.receive(shop, "sandbox", body, {SIGNATURE_HEADER: sandbox._sign(body)})


@pytest.mark.parametrize("event_id", ["", " "])
def test_a_blank_event_id_is_no_event(shop, sandbox, sessions, placed, event_id):
    """It would be stored once, and every other event without an id would be its duplicate."""
    body = json.dumps({"id": event_id, "reference": placed.payment_reference}).encode()
    with nothing_written(sessions), pytest.raises(PaymentRejected):
        flow.receive(shop, "sandbox", body, {SIGNATURE_HEADER: sandbox._sign(body)})


def test_a_reference_that_postgresql_cannot_hold_writes_nothing(web, sandbox, sessions, placed):
    """A NUL byte in a signed body: refused, not a failure of ours."""
    body = json.dumps({"id": "evt_1", "reference": "pay-\0"}).encode()
    headers = {SIGNATURE_HEADER: sandbox._sign(body)}
    with nothing_written(sessions):
        assert web.post("/payments/webhooks/sandbox", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/payments/webhooks/sandbox", "/payments/webhooks/stripe"])
def test_a_megabyte_is_refused_before_it_is_read(web, sessions, paid, path):
    with nothing_written(sessions):
        answer = web.post(path, content=b"x" * 1024 * 1024, headers=paid.headers)
        assert answer.status_code == 413


def test_a_replay_of_a_true_notification_counts_no_second_time(shop, sessions, paid):
    assert flow.receive(shop, "sandbox", paid.body, paid.headers) == "verified"
    with nothing_written(sessions):
        for _ in range(3):
            assert flow.receive(shop, "sandbox", paid.body, paid.headers) == "duplicate"


def stripe() -> StripeCheckout:
    """Stripe with a secret of the tests."""
    return StripeCheckout("sk_test_1", (SECRET,), "http://127.0.0.1:4000/payments/thanks")


def paystack() -> Paystack:
    """Paystack with a key of the tests; nobody is asked."""
    import httpx

    return Paystack("sk_test_1", "shop@example.com", "http://127.0.0.1:4000", httpx.Client())


def of_stripe(reference: str, signed_at: int, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A notification as Stripe signs it."""
    session = {"object": "checkout.session", "id": "cs_1", "client_reference_id": reference}
    event = {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": session}}
    body = json.dumps(event).encode()
    digest = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"stripe-signature": f"t={signed_at},v1={digest}"}


@pytest.mark.parametrize(
    ("age", "secret"),
    [
        (SIGNATURE_TOLERANCE_SECONDS + 2, SECRET),
        (86_400, SECRET),
        (0, "whsec_of_somebody_else"),
    ],
)
def test_an_old_or_foreign_stripe_signature_writes_nothing(shop, sessions, placed, age, secret):
    offered = Shop(shop.sessions, shop.policy, shop.flags, {**shop.providers, "stripe": stripe()})
    body, headers = of_stripe(placed.payment_reference, int(time.time()) - age, secret)
    with nothing_written(sessions), pytest.raises(PaymentRejected, match="wrong signature"):
        flow.receive(offered, "stripe", body, headers)


def test_a_young_stripe_signature_about_anothers_payment_writes_nothing(shop, sessions, placed):
    """Rightly signed by Stripe, but the payment went through the sandbox."""
    offered = Shop(shop.sessions, shop.policy, shop.flags, {**shop.providers, "stripe": stripe()})
    body, headers = of_stripe(placed.payment_reference, int(time.time()))
    with nothing_written(sessions), pytest.raises(PaymentRejected, match="another provider"):
        flow.receive(offered, "stripe", body, headers)


def test_an_altered_stripe_body_or_time_writes_nothing(shop, sessions, placed):
    offered = Shop(shop.sessions, shop.policy, shop.flags, {**shop.providers, "stripe": stripe()})
    now = int(time.time())
    body, headers = of_stripe(placed.payment_reference, now - 1000)
    younger = {"stripe-signature": headers["stripe-signature"].replace(str(now - 1000), str(now))}
    good_body, good = of_stripe(placed.payment_reference, now)
    with nothing_written(sessions):
        for forged in ((body, younger), (good_body + b" ", good), (good_body, {}), (b"", good)):
            with pytest.raises(PaymentRejected):
                flow.receive(offered, "stripe", *forged)
