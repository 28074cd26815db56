"""Stripe Checkout against a stand-in API over real HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shop.errors import ProviderUnavailable, RefundRefused
from shop.payments.interface import PaymentHandle, PaymentRequest, StartedPayment
from shop.payments.stripe import StripeCheckout
from tests.shop.payments.local_server import UNUSABLE
from tests.shop.payments.one_payment import BACK, NOW, OnePayment, assert_it_says_itself_what_was_paid
from tests.shop.payments.stripe_server import KEY, REFUNDS, SECRETS, SESSIONS, StripeServer, refusal

AMOUNT = Decimal("11825.00")
OURS = OnePayment(AMOUNT)
standing = OURS.standing


class Now:
    """The time, until a test moves it."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def server(now: Now) -> Iterator[StripeServer]:
    with StripeServer(now) as server:
        yield server


@pytest.fixture
def provider(server: StripeServer, now: Now) -> StripeCheckout:
    return StripeCheckout(KEY, SECRETS, BACK, api_base_url=server.url, clock=now, timeout=0.2)


@pytest.fixture
def request_(now: Now) -> PaymentRequest:
    return OURS.request(now())


@pytest.fixture
def payment(provider: StripeCheckout, request_: PaymentRequest) -> PaymentHandle:
    """A payment that was opened."""
    return OURS.handle(provider.start(request_).provider_id)


def test_it_is_a_provider_that_says_itself_what_was_paid(provider):
    assert_it_says_itself_what_was_paid(provider, "stripe")


def test_a_session_asks_for_exactly_what_is_to_be_paid(provider, server, request_):
    started = provider.start(request_)
    assert started == StartedPayment("https://checkout.stripe.com/c/pay/cs_test_1", "cs_test_1")
    form = server.forms[0]
    expires_at = int(form.pop("expires_at"))
    assert form == {
        "mode": "payment",
        "client_reference_id": "ref-1001-1",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "ngn",
        "line_items[0][price_data][unit_amount]": "1182500",
        "line_items[0][price_data][product_data][name]": "1001",
        "metadata[reference]": "ref-1001-1",
        "metadata[order_number]": "1001",
        "payment_intent_data[metadata][reference]": "ref-1001-1",
        "adaptive_pricing[enabled]": "false",
        "success_url": BACK,
        "cancel_url": BACK,
    }
    assert timedelta(minutes=30) <= datetime.fromtimestamp(expires_at, UTC) - server.clock()


@pytest.mark.parametrize(
    ("minutes", "shortest", "longest"),
    [(-600, 31, 36), (1, 31, 36), (30, 31, 36), (31, 31, 31), (60, 60, 60), (1400, 1400, 1400)],
)
def test_a_session_lives_as_long_as_the_order_within_what_stripe_takes(
    provider, server, request_, now, minutes, shortest, longest
):
    provider.start(replace(request_, expires_at=now() + timedelta(minutes=minutes)))
    lives = datetime.fromtimestamp(int(server.forms[0]["expires_at"]), UTC) - now()
    assert timedelta(minutes=shortest) <= lives <= timedelta(minutes=longest)


def test_a_session_of_a_patient_order_lives_for_stripes_day(provider, server, request_, now):
    assert provider.start(replace(request_, expires_at=now() + timedelta(days=7))).url
    assert "expires_at" not in server.forms[0]


@pytest.mark.parametrize("minutes", [1, 30, 45, 24 * 60 + 10])
@pytest.mark.parametrize("later", [0, 1, 7, 29])
def test_the_same_reference_asked_again_later_is_the_same_session(
    provider, server, request_, now, minutes, later
):
    request = replace(request_, expires_at=now() + timedelta(minutes=minutes))
    first = provider.start(request)
    now.time += timedelta(minutes=later)
    assert provider.start(request) == first
    assert len(server.sessions) == 1


def test_a_lost_answer_opens_no_second_session(provider, server, request_):
    server.mood = "deaf"
    with pytest.raises(ProviderUnavailable):
        provider.start(request_)
    server.mood = "well"
    assert provider.start(request_).provider_id == "cs_test_1"
    assert len(server.sessions) == 1


def test_a_reference_is_never_reused_for_other_money(provider, request_):
    provider.start(request_)
    with pytest.raises(ProviderUnavailable):
        provider.start(replace(request_, amount=Decimal("1.00")))


def test_a_payment_is_read_as_it_stands(provider, server, payment):
    assert provider.read(payment) == standing(None)
    server.pay(payment.provider_id)
    assert provider.read(payment) == standing(True)


def test_a_slow_payment_is_undecided_until_it_is_not(provider, server, payment):
    server.submit_slow_payment(payment.provider_id)
    assert provider.read(payment) == standing(None)
    server.fail(payment.provider_id)
    assert provider.read(payment) == standing(False)


def test_an_expired_session_was_not_paid(provider, server, payment):
    server.let_expire(payment.provider_id)
    assert provider.read(payment) == standing(False)


def test_a_payment_that_stripe_never_saw_is_unknown(provider, server, payment):
    nowhere = replace(payment, provider_id=None)
    assert (provider.read(nowhere), provider.close(nowhere)) == (None, None)
    other = replace(payment, provider_id="cs_test_of_somebody_else")
    assert (provider.read(other), provider.close(other)) == (None, None)
    with pytest.raises(RefundRefused):
        provider.refund(nowhere, AMOUNT, "key-1")


def test_zero_decimal_money_comes_back_as_it_went(provider, server, request_):
    started = provider.start(replace(request_, amount=Decimal(1980), currency="JPY"))
    server.pay(started.provider_id)
    read = provider.read(PaymentHandle("ref-1001-1", started.provider_id, Decimal(1980), "JPY"))
    assert (read.amount, read.currency, read.paid) == (Decimal(1980), "JPY", True)


def test_a_closed_session_cannot_be_paid(provider, server, payment):
    assert provider.close(payment) == standing(False)
    assert server.sessions[payment.provider_id]["status"] == "expired"
    assert provider.close(payment) == standing(False), "closing again is no error"


def test_closing_too_late_tells_that_it_was_paid(provider, server, payment):
    server.pay(payment.provider_id)
    assert provider.close(payment) == standing(True)


def test_money_goes_back_once_per_key(provider, server, payment):
    server.pay(payment.provider_id)
    first = provider.refund(payment, Decimal("100.00"), "refund-1")
    assert (first.provider_id, first.done) == (server.refunds[0]["id"], True)
    assert provider.refund(payment, Decimal("100.00"), "refund-1") == first
    server.forget_keys()
    assert provider.refund(payment, Decimal("100.00"), "refund-1") == first, "days later"
    assert provider.read(payment) == standing(True, "100.00")
    assert provider.refund(payment, Decimal("11725.00"), "refund-2") != first
    assert provider.read(payment) == standing(True, "11825.00")
    assert [refund["amount"] for refund in server.refunds] == [10000, 1172500]


def test_a_refund_whose_answer_was_lost_is_found_again(provider, server, payment):
    server.pay(payment.provider_id)
    server.mood = "deaf"
    with pytest.raises(ProviderUnavailable):
        provider.refund(payment, AMOUNT, "refund-1")
    server.mood = "well"
    assert provider.refund(payment, AMOUNT, "refund-1").done
    assert len(server.refunds) == 1


def test_more_than_was_paid_never_goes_back(provider, server, payment):
    server.pay(payment.provider_id)
    with pytest.raises(RefundRefused):
        provider.refund(payment, AMOUNT + 1, "refund-1")
    assert server.refunds == []


def test_money_in_another_currency_is_for_a_person(provider, server, payment):
    server.pay(payment.provider_id)
    with pytest.raises(RefundRefused):
        provider.refund(replace(payment, currency="JPY"), Decimal(100), "refund-1")
    assert server.refunds == []


def test_what_was_not_paid_cannot_go_back(provider, server, payment):
    with pytest.raises(RefundRefused):
        provider.refund(payment, AMOUNT, "refund-1")
    server.submit_slow_payment(payment.provider_id)
    with pytest.raises(RefundRefused):
        provider.refund(payment, AMOUNT, "refund-1")


@pytest.mark.parametrize(("status", "done"), [("pending", False), ("requires_action", False)])
def test_a_refund_under_way_is_not_done(provider, server, payment, status, done):
    server.pay(payment.provider_id)
    server.refund_status = status
    assert provider.refund(payment, AMOUNT, "refund-1").done is done


def test_a_refund_that_was_taken_and_then_sent_is_found_done_under_its_key(provider, server, payment):
    server.pay(payment.provider_id)
    server.refund_status = "pending"
    assert not provider.refund(payment, AMOUNT, "refund-1").done
    server.refunds[0]["status"] = "succeeded"
    assert provider.refund(payment, AMOUNT, "refund-1").done
    assert len(server.refunds) == 1


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_is_for_a_person(provider, server, payment, status):
    server.pay(payment.provider_id)
    server.refund_status = status
    for _ in range(2):
        with pytest.raises(RefundRefused):
            provider.refund(payment, AMOUNT, "refund-1")


def test_too_many_requests_mean_later_and_not_never(provider, server, payment):
    server.pay(payment.provider_id)
    server.refuses = refusal(429, "rate_limit")
    with pytest.raises(ProviderUnavailable):
        provider.refund(payment, AMOUNT, "refund-1")


def questions(provider: StripeCheckout, request: PaymentRequest, payment: PaymentHandle) -> list[Any]:
    return [
        lambda: provider.start(replace(request, reference="ref-other")),
        lambda: provider.read(payment),
        lambda: provider.close(payment),
        lambda: provider.refund(payment, AMOUNT, "refund-1"),
    ]


def test_a_silent_stripe_costs_a_bounded_time(provider, server, request_, payment):
    server.mood = "silent"
    for question in questions(provider, request_, payment):
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            question()
        assert time.monotonic() - began < 3, "two tries of 0.2 s and half a second between them"


def test_an_unreachable_stripe_is_unavailable(server, request_, payment):
    server.__exit__()
    stranger = StripeCheckout(KEY, SECRETS, BACK, server.url, timeout=0.2)
    for question in questions(stranger, request_, payment):
        with pytest.raises(ProviderUnavailable):
            question()


def test_a_failing_stripe_is_asked_twice_with_the_same_key(provider, server, request_):
    server.mood = (500, b'{"error": {"type": "api_error"}}')
    with pytest.raises(ProviderUnavailable):
        provider.start(request_)
    assert server.count("POST", SESSIONS) == 2


@pytest.mark.parametrize("mood", UNUSABLE, ids=str)
def test_answers_that_say_nothing_are_no_answers(provider, server, payment, mood, caplog):
    server.mood = mood
    caplog.set_level(logging.INFO, logger="shop")
    with pytest.raises(ProviderUnavailable) as caught:
        provider.read(payment)
    assert "canary" not in repr(caught.value) + "".join(
        r.getMessage() for r in caplog.records if "shop" in r.name
    )


@pytest.mark.parametrize("mood", UNUSABLE, ids=str)
def test_nothing_is_started_on_an_answer_that_says_nothing(provider, server, request_, mood):
    server.mood = mood
    with pytest.raises(ProviderUnavailable):
        provider.start(request_)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("reply", [r for r in UNUSABLE if r[0] < 500], ids=str)
def test_a_refund_that_got_no_sensible_answer_is_asked_for_again(provider, server, payment, method, reply):
    server.pay(payment.provider_id)
    server.spoilt = {(method, REFUNDS): reply}
    with pytest.raises(ProviderUnavailable):
        provider.refund(payment, AMOUNT, "refund-1")
    server.spoilt = {}
    assert provider.refund(payment, AMOUNT, "refund-1").done


def test_stripes_words_about_a_person_reach_neither_error_nor_log(
    provider, server, request_, payment, caplog
):
    server.pay(payment.provider_id)
    server.refuses = refusal(400, "parameter_invalid")
    for question in questions(provider, request_, payment):
        with pytest.raises((ProviderUnavailable, RefundRefused)) as caught:
            question()
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        assert "canary" not in repr(caught.value)
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("shop"))
    assert "parameter_invalid" in ours
    assert "canary" not in ours
    assert KEY not in caplog.text
