"""Paystack against a stand-in API over real HTTP, every request checked against Paystack's description."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shop.errors import ProviderUnavailable, ReferenceSpent, RefundRefused
from shop.payments import paystack
from shop.payments.interface import StartedPayment
from shop.payments.paystack import Paystack
from tests.shop.payments.local_server import UNUSABLE
from tests.shop.payments.one_payment import BACK, NOW, OnePayment, assert_it_says_itself_what_was_paid
from tests.shop.payments.paystack_server import DESCRIPTION, KEY, PaystackServer, description, refusal

AMOUNT = Decimal("11825.50")
OURS = OnePayment(AMOUNT)
REQUEST, PAYMENT, standing = OURS.request(), OURS.handle(), OURS.standing
VERIFY = "/transaction/verify/ref-1001-1"


@pytest.fixture
def server() -> Iterator[PaystackServer]:
    if not DESCRIPTION.exists():
        pytest.skip(f"Paystack's OpenAPI description is not at {DESCRIPTION}")
    description()  # takes a second, which no time-out of a test should count
    with PaystackServer() as server:
        yield server
        assert server.broken_rules == []


@pytest.fixture
def provider(server: PaystackServer) -> Iterator[Paystack]:
    with httpx.Client() as client:
        yield make(client, server.url)


def make(client: httpx.Client, url: str) -> Paystack:
    return Paystack(KEY, "orders@shop.example", BACK, client, url, clock=lambda: NOW, timeout=0.3)


def test_it_is_a_provider_that_says_itself_what_was_paid(provider):
    assert_it_says_itself_what_was_paid(provider, "paystack")


def test_a_transaction_asks_for_kobo_and_tells_nothing_of_the_customer(provider, server):
    assert provider.start(REQUEST) == StartedPayment("https://checkout.paystack.com/ref-1001-1")
    assert server.bodies == [
        {
            "email": "orders@shop.example",
            "amount": 1182550,
            "currency": "NGN",
            "reference": "ref-1001-1",
            "callback_url": BACK,
            "metadata": {"order_number": "1001"},
        }
    ]


def test_the_stand_in_would_notice_a_request_that_paystack_does_not_describe(server):
    server.answer(
        "POST", "/refund", "", {"authorization": f"Bearer {KEY}"}, b'{"amount": 1.5, "transaction": ""}'
    )
    assert len(server.broken_rules) == 1
    server.broken_rules.clear()


def test_a_lost_link_is_lost_and_the_reference_is_spent(provider, server):
    """Nobody has the link of the first answer, so a fresh reference is safe; the same one never helps."""
    server.mood = "deaf"
    with pytest.raises(ProviderUnavailable):
        provider.start(REQUEST)
    server.mood = "well"
    for _ in range(2):
        with pytest.raises(ReferenceSpent):
            provider.start(REQUEST)
    assert len(server.transactions) == 1
    assert provider.start(replace(REQUEST, reference="ref-1001-2")).url


def test_a_refused_transaction_is_not_taken_for_a_lost_one(provider, server, caplog):
    server.spoilt = {("POST", "/transaction/initialize"): (400, b'{"status": false, "message": "canary@x"}')}
    with pytest.raises(ProviderUnavailable) as refusal:
        provider.start(REQUEST)
    assert type(refusal.value) is ProviderUnavailable
    assert "HTTP 400" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("currency", ["XOF", "EUR", "JPY"])
def test_money_that_paystack_counts_otherwise_is_not_asked_for(provider, server, currency):
    with pytest.raises(ProviderUnavailable):
        provider.start(replace(REQUEST, amount=Decimal(5000), currency=currency))
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "paid"),
    [
        ("success", True),
        ("failed", False),
        ("abandoned", None),
        ("pending", None),
        ("ongoing", None),
        ("queued", None),
        ("something new", None),
    ],
)
def test_a_payment_is_read_as_it_stands(provider, server, status, paid):
    provider.start(REQUEST)
    server.settle("ref-1001-1", status)
    assert provider.read(PAYMENT) == standing(paid)
    assert provider.close(PAYMENT) == standing(paid), "it cannot be closed, only read"


def test_a_reversed_payment_went_back_as_a_whole(provider, server):
    provider.start(REQUEST)
    server.settle("ref-1001-1", "reversed")
    assert provider.read(PAYMENT) == standing(False, AMOUNT)


@pytest.mark.parametrize(
    "unknown",
    [
        refusal(404, "Entity not found"),
        refusal(400, "Transaction reference not found."),
        refusal(400, "No such thing", "transaction_not_found"),
    ],
)
def test_a_reference_that_paystack_never_saw_is_unknown(provider, server, unknown):
    server.unknown = unknown
    assert (provider.read(PAYMENT), provider.close(PAYMENT)) == (None, None)
    with pytest.raises(RefundRefused):
        provider.refund(PAYMENT, AMOUNT, "refund-1")


def test_a_reference_cannot_lead_to_another_path(provider, server):
    assert provider.read(replace(PAYMENT, reference="../../refund?x=1")) is None
    assert server.requests == [("GET", "/transaction/verify/..%2F..%2Frefund%3Fx%3D1")]


def paid(provider: Paystack, server: PaystackServer) -> None:
    provider.start(REQUEST)
    server.settle("ref-1001-1", "success")


def test_money_goes_back_once_per_key(provider, server):
    paid(provider, server)
    first = provider.refund(PAYMENT, Decimal("100.00"), "refund-1")
    assert (first.provider_id, first.done) == (str(server.refunds[0]["id"]), False)
    assert provider.refund(PAYMENT, Decimal("100.00"), "refund-1") == first
    assert provider.refund(PAYMENT, Decimal("100.00"), "refund-2") != first
    assert server.count("POST", "/refund") == 2
    assert server.bodies[1] == {
        "transaction": "ref-1001-1",
        "amount": 10000,
        "currency": "NGN",
        "merchant_note": "refund-1",
    }


def test_what_went_back_is_told_when_it_is_asked_for(provider, server):
    paid(provider, server)
    for status, key in [("processed", "refund-1"), ("pending", "refund-2"), ("processed", "refund-3")]:
        server.refund_status = status
        provider.refund(PAYMENT, Decimal("100.00"), key)
    server.refund_status = "processed"
    server.add_refunds_of_others(101)
    assert provider.sent_back(PAYMENT) == Decimal("200.00")
    server.settle("ref-1001-1", "reversed")
    assert provider.sent_back(PAYMENT) == AMOUNT
    assert provider.sent_back(replace(PAYMENT, reference="ref-unknown")) == 0


def test_a_refund_that_was_taken_and_then_sent_is_found_done_under_its_key(provider, server):
    paid(provider, server)
    assert not provider.refund(PAYMENT, AMOUNT, "refund-1").done
    server.refunds[0]["status"] = "processed"
    assert provider.refund(PAYMENT, AMOUNT, "refund-1").done
    assert server.count("POST", "/refund") == 1


def test_a_refund_whose_answer_was_lost_is_found_again(provider, server):
    paid(provider, server)
    server.spoilt = {("POST", "/refund"): (502, b"")}
    with pytest.raises(ProviderUnavailable):
        provider.refund(PAYMENT, AMOUNT, "refund-1")
    server.spoilt = {}
    server.refunds.append(server._refund(1, "ref-1001-1", 1182550, "refund-1"))
    assert provider.refund(PAYMENT, AMOUNT, "refund-1").provider_id == str(server.refunds[0]["id"])
    assert server.count("POST", "/refund") == 1


@pytest.mark.parametrize("newer", [99, 100, 101, 250])
def test_an_earlier_refund_is_found_behind_those_of_others(provider, server, newer):
    paid(provider, server)
    first = provider.refund(PAYMENT, Decimal("100.00"), "refund-1")
    server.add_refunds_of_others(newer)
    assert provider.refund(PAYMENT, Decimal("100.00"), "refund-1") == first


def test_not_to_be_sure_is_no_reason_to_refund_twice(provider, server, monkeypatch):
    paid(provider, server)
    server.add_refunds_of_others(200)
    monkeypatch.setattr(paystack, "REFUND_PAGES", 2)
    with pytest.raises(ProviderUnavailable):
        provider.refund(PAYMENT, AMOUNT, "refund-1")
    assert server.count("POST", "/refund") == 0


@pytest.mark.parametrize(
    ("status", "done"),
    [("pending", False), ("processing", False), ("processed", True)],
)
def test_a_refund_is_done_when_paystack_says_so(provider, server, status, done):
    paid(provider, server)
    server.refund_status = status
    assert provider.refund(PAYMENT, AMOUNT, "refund-1").done is done


@pytest.mark.parametrize("status", ["failed", "needs-attention"])
def test_a_refund_that_paystack_cannot_send_is_for_a_person(provider, server, status):
    paid(provider, server)
    server.refund_status = status
    for _ in range(2):
        with pytest.raises(RefundRefused):
            provider.refund(PAYMENT, AMOUNT, "refund-1")
    assert server.count("POST", "/refund") == 1


def test_more_than_was_paid_and_what_was_not_paid_never_go_back(provider, server, caplog):
    provider.start(REQUEST)
    with pytest.raises(RefundRefused):
        provider.refund(PAYMENT, AMOUNT, "refund-1")
    server.settle("ref-1001-1", "success")
    with pytest.raises(RefundRefused) as caught:
        provider.refund(PAYMENT, AMOUNT + 1, "refund-1")
    assert server.refunds == []
    assert "canary" not in caplog.text + repr(caught.value)


def test_money_in_another_currency_is_for_a_person(provider, server):
    paid(provider, server)
    with pytest.raises(RefundRefused):
        provider.refund(replace(PAYMENT, currency="GHS"), AMOUNT, "refund-1")
    assert server.count("POST", "/refund") == 0


def questions(provider: Paystack) -> list[Callable[[], Any]]:
    return [
        lambda: provider.start(replace(REQUEST, reference="ref-other")),
        lambda: provider.read(PAYMENT),
        lambda: provider.close(PAYMENT),
        lambda: provider.refund(PAYMENT, AMOUNT, "refund-1"),
    ]


def test_a_silent_paystack_costs_a_bounded_time(provider, server):
    paid(provider, server)
    server.mood = "silent"
    for question in questions(provider):
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            question()
        assert time.monotonic() - began < 1.5


def test_an_unreachable_paystack_is_unavailable(server):
    server.__exit__()
    with httpx.Client() as client:
        for question in questions(make(client, server.url)):
            with pytest.raises(ProviderUnavailable) as caught:
                question()
            assert caught.value.__suppress_context__


@pytest.mark.parametrize("mood", UNUSABLE, ids=str)
def test_answers_that_say_nothing_are_no_answers(provider, server, mood, caplog):
    paid(provider, server)
    caplog.set_level(logging.INFO)
    server.mood = mood
    for question in questions(provider):
        with pytest.raises(ProviderUnavailable) as caught:
            question()
        assert "canary" not in repr(caught.value)
    assert "canary" not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("reply", UNUSABLE, ids=str)
def test_a_refund_that_got_no_sensible_answer_is_asked_for_again(provider, server, method, reply):
    paid(provider, server)
    server.spoilt = {(method, "/refund"): reply}
    with pytest.raises(ProviderUnavailable):
        provider.refund(PAYMENT, AMOUNT, "refund-1")
    server.spoilt = {}
    assert provider.refund(PAYMENT, AMOUNT, "refund-1").provider_id


@pytest.mark.parametrize(
    "transaction",
    [
        {"amount": 11825.5},
        {"amount": "1182550"},
        {"amount": True},
        {"amount": None},
        {"currency": ""},
        {"currency": "XOF"},
        {"reference": ""},
        {"status": None},
    ],
    ids=str,
)
def test_a_transaction_that_makes_no_sense_is_no_answer(provider, server, transaction):
    paid(provider, server)
    server.transactions["ref-1001-1"] |= transaction
    with pytest.raises(ProviderUnavailable):
        provider.read(PAYMENT)
