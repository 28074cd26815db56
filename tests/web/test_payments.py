"""How money is reported over HTTP: by the sandbox's page, and by signed webhooks only."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from db.models import Order, OutboxEvent, Payment, PaymentEvent
from settings import read_settings
from shop import cart, checkout
from shop.payments import flow
from shop.payments.sandbox import SIGNATURE_HEADER
from web.app import make_app

WEBHOOK = "/payments/webhooks/sandbox"


@pytest.fixture
def placed(shop, customer, test_burger) -> checkout.PlacedOrder:
    """Two burgers, ordered and not yet paid."""

    def order(work) -> checkout.PlacedOrder:
        who = work.customers.find_by_id(customer.id)
        cart.add(work, who, str(test_burger.id), 2)
        return checkout.place(work, who)

    return shop.run(order)


@pytest.fixture
def page(shop, placed) -> str:
    """The path of the order's pay page."""
    url = flow.open_payment(shop, placed.payment_reference)
    assert url is not None
    return url.removeprefix("http://127.0.0.1:4000")


def standing(sessions) -> tuple[str, str, int, int]:
    """Order status, payment status, events stored, notices written."""
    with sessions() as session:
        order, payment = session.query(Order).one(), session.query(Payment).one()
        return (
            order.status.value,
            payment.status.value,
            session.query(PaymentEvent).count(),
            session.query(OutboxEvent).count(),
        )


UNTOUCHED = ("awaiting_payment", "pending", 0, 0)


def test_the_pay_page_shows_what_is_to_pay(web, page):
    answer = web.get(page)
    assert answer.status_code == 200
    assert "₦11,825.00" in answer.text
    assert "Test Kitchen" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_looking_at_the_pay_page_pays_nothing(web, page, sessions):
    web.get(page, params={"outcome": "paid"})
    assert standing(sessions) == UNTOUCHED


def test_a_press_on_pay_pays_the_order_and_the_customer_will_be_told(web, page, sessions):
    answer = web.post(page, data={"outcome": "paid"})
    assert answer.status_code == 200
    assert "Paid" in answer.text
    assert standing(sessions) == ("paid", "verified", 1, 1)
    with sessions() as session:
        assert session.query(Payment).one().verified_at is not None
        assert session.query(Payment).one().amount == Decimal("11825.00")
        assert session.query(OutboxEvent).one().event == "payment_confirmed"


def test_who_presses_pay_twice_pays_once(web, page, sessions):
    for _ in range(2):
        assert web.post(page, data={"outcome": "paid"}).status_code == 200
    status, payment, _, told = standing(sessions)
    assert (status, payment, told) == ("paid", "verified", 1)


def test_a_failed_payment_can_be_tried_again(web, page, sessions):
    answer = web.post(page, data={"outcome": "failed"})
    assert "failed" in answer.text
    assert "₦11,825.00" in answer.text
    assert standing(sessions) == ("awaiting_payment", "failed", 1, 1)
    assert web.post(page, data={"outcome": "paid"}).status_code == 200
    assert standing(sessions) == ("paid", "verified", 2, 2)


def test_what_was_paid_cannot_be_made_to_fail(web, page, sessions):
    web.post(page, data={"outcome": "paid"})
    web.post(page, data={"outcome": "failed"})
    assert standing(sessions)[:2] == ("paid", "verified")


def test_an_unknown_reference_is_not_found(web, placed, sessions):
    assert web.get("/payments/sandbox/sbx_unknown").status_code == 404
    assert web.get("/payments/sandbox/%00").status_code == 404
    assert web.post("/payments/sandbox/sbx_unknown", data={"outcome": "paid"}).status_code in (400, 404)
    assert standing(sessions) == UNTOUCHED


@pytest.mark.parametrize("body", [b"outcome=free", b"outcome=", b"", b"outcome=PAID", b"\xff\xfe", b"paid"])
def test_an_outcome_that_does_not_exist_is_refused(web, page, sessions, body):
    assert web.post(page, content=body).status_code == 400
    assert standing(sessions) == UNTOUCHED


def forged(reference: str) -> bytes:
    """What somebody who wants a free meal would post."""
    return json.dumps({"id": "evt_1", "reference": reference, "paid": True}).encode()


@pytest.mark.parametrize("signature", [None, "", "0" * 64, "é"])
def test_a_forged_webhook_is_refused_and_writes_nothing(web, page, sessions, signature):
    headers = {} if signature is None else {SIGNATURE_HEADER: signature.encode()}
    answer = web.post(WEBHOOK, content=forged(page.rsplit("/", 1)[1]), headers=headers)
    assert answer.status_code == 400
    assert standing(sessions) == UNTOUCHED


def test_a_signed_webhook_settles_the_order_however_often_it_is_posted(web, page, sessions, sandbox):
    told = sandbox.settle(page.rsplit("/", 1)[1], "paid")
    answers = [web.post(WEBHOOK, content=told.body, headers=told.headers) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"outcome": "verified"}, {"outcome": "duplicate"}]
    assert standing(sessions) == ("paid", "verified", 1, 1)


def test_a_signature_counts_for_its_own_body_only(web, page, sessions, sandbox):
    told = sandbox.settle(page.rsplit("/", 1)[1], "paid")
    answer = web.post(WEBHOOK, content=told.body + b" ", headers=told.headers)
    assert answer.status_code == 400
    assert standing(sessions) == UNTOUCHED


@pytest.mark.parametrize("provider", ["unknown", "Sandbox", "..", "%00", "a" * 500])
def test_an_unknown_provider_is_refused(web, placed, sessions, provider):
    answer = web.post(f"/payments/webhooks/{provider}", content=b"{}")
    assert answer.status_code in (400, 404)
    assert standing(sessions) == UNTOUCHED


def test_a_body_of_a_megabyte_is_refused(web, page, sessions):
    megabyte = b"outcome=paid&x=" + b"a" * 1024 * 1024
    assert web.post(WEBHOOK, content=megabyte).status_code == 413
    assert web.post(page, content=megabyte).status_code == 413
    assert standing(sessions) == UNTOUCHED


def test_a_rejected_webhook_is_one_log_line_without_its_body(web, page, caplog):
    caplog.set_level("WARNING", logger="web")
    web.post(WEBHOOK, content=b'{"card": "4111111111111111"}')
    assert len(caplog.records) == 1
    assert "4111" not in caplog.text


def test_in_production_neither_sandbox_nor_local_whatsapp_exists(reachable, monkeypatch, page, sessions):
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("ENABLE_PAYMENT_PROCESSING", "false")
    settings = read_settings()
    with TestClient(make_app(settings)) as web:
        assert web.get(page).status_code == 404
        assert web.post(page, data={"outcome": "paid"}).status_code == 404
        assert web.post(WEBHOOK, content=forged("sbx_1")).status_code == 400
        api = f"/2010-04-01/Accounts/{settings.whatsapp.account_sid}/Messages.json"
        for path in ("/", "/local-whatsapp/events?phone=%2B2348031234567", api):
            assert web.get(path).status_code == 404
        for path in ("messages", "controls", "pictures"):
            assert web.post(f"/local-whatsapp/{path}", json={}).status_code == 404
        for path in ("transcript", "media/ME1"):
            assert web.get(f"/local-whatsapp/{path}").status_code == 404
        assert web.get("/health/live").status_code == 200
    assert standing(sessions) == UNTOUCHED
