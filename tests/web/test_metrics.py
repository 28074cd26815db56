"""What Prometheus is told by the web app: how the shop and the queues stand, and how requests went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from sqlalchemy import text
from starlette.testclient import TestClient

from db.models import Handoff, HandoffReason, HandoffStatus
from settings import read_settings
from shop import cart, checkout
from shop.payments import flow
from web.app import make_app
from whatsapp.redis import connection_options

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(client: TestClient) -> Figures:
    """Every figure by name and labels; each stands there once."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found: Figures = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def one(found: Figures, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


@pytest.fixture
def in_redis(redis_settings) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis(**connection_options(redis_settings)) as redis:
        redis.flushall()
        yield redis


@pytest.fixture
def paid_order(shop, sandbox, customer, test_burger, clock) -> str:
    """Two burgers, paid right now; the payment's reference."""
    clock.now = datetime.now(UTC)

    def order(work) -> str:
        who = work.customers.find_by_id(customer.id)
        cart.add(work, who, str(test_burger.id), 2)
        placed = checkout.place(work, who)
        return work.orders.find_by_number(placed.number).payment_reference

    reference = shop.run(order)
    flow.open_payment(shop, reference)
    told = sandbox.settle(reference, "paid")
    assert flow.receive(shop, "sandbox", told.body, told.headers) == "verified"
    return reference


def test_orders_money_and_what_waits_are_told(web, paid_order):
    found = figures(web)
    assert one(found, "chatcart_orders", status="paid") == 1
    assert one(found, "chatcart_orders", status="ready") == 0
    assert one(found, "chatcart_recent_orders", status="paid") == 1
    assert one(found, "chatcart_recent_sales", currency="NGN") == 11825
    assert one(found, "chatcart_payments", status="pending") == 0
    assert one(found, "chatcart_outbox_events") == 1, "that it was paid is still to be told"
    assert one(found, "chatcart_outbox_oldest_seconds") >= 0
    assert one(found, "chatcart_handoffs", status="waiting") == 0
    assert one(found, "chatcart_handoff_oldest_seconds") == 0
    assert one(found, "chatcart_store_up", store="postgresql") == 1


def test_a_customer_who_waits_for_a_person_is_told(web, customer, sessions):
    with sessions.begin() as session:
        values = {"reason": HandoffReason.ASKED, "status": HandoffStatus.WAITING}
        session.add(
            Handoff(customer_id=customer.id, requested_at=datetime.now(UTC) - timedelta(minutes=5), **values)
        )
    found = figures(web)
    assert one(found, "chatcart_handoffs", status="waiting") == 1
    assert 300 <= one(found, "chatcart_handoff_oldest_seconds") < 400


def test_both_queues_are_told_whoever_serves_them(web, in_redis):
    minute_ago = int(time.time() - 60) * 1000
    in_redis.xadd("chatcart:inbound", {"conversation": "ada", "body": "hi"}, id=f"{minute_ago}-0")
    found = figures(web)
    assert one(found, "chatcart_queue_waiting_entries", queue="inbound") == 1
    assert 59 <= one(found, "chatcart_queue_oldest_seconds", queue="inbound") < 120
    assert one(found, "chatcart_queue_waiting_entries", queue="outbound") == 0
    assert one(found, "chatcart_sender_up") == 0


def test_what_all_replicas_counted_in_redis_is_told(web, in_redis):
    counted = {"customer_hits": 7, "customer_misses": 3, "catalogue_hits": 20, "catalogue_misses": 1}
    in_redis.hset("chatcart:cache", mapping=counted)
    in_redis.hset("chatcart:deliveries", mapping={"delivered": 5, "undelivered": 1, "error:63016": 1})
    found = figures(web)
    assert one(found, "chatcart_cache_requests_total", cache="customer", result="hit") == 7
    assert one(found, "chatcart_cache_requests_total", cache="customer", result="miss") == 3
    assert one(found, "chatcart_cache_requests_total", cache="catalogue", result="hit") == 20
    assert one(found, "chatcart_cache_requests_total", cache="catalogue", result="miss") == 1
    assert one(found, "chatcart_deliveries_total", status="delivered") == 5
    assert one(found, "chatcart_delivery_errors_total", code="63016") == 1


def test_requests_are_counted_by_area_and_not_by_address(web):
    web.get("/receipts/of-somebody")
    web.get("/wp-login.php")
    web.request("BREW", "/health/live")
    found = figures(web)
    assert one(found, "chatcart_http_requests_total", area="receipts", method="GET", status="404") == 1
    assert one(found, "chatcart_http_requests_total", area="other", method="GET", status="404") == 1
    assert one(found, "chatcart_http_requests_total", area="health", method="other", status="405") == 1
    assert "of-somebody" not in web.get("/metrics").text


def test_an_error_that_nobody_caught_is_a_500_and_the_systems(reachable, monkeypatch):
    def explode(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("shop.payments.flow.receive", explode)
    with TestClient(make_app(read_settings()), raise_server_exceptions=False) as client:
        assert client.post("/payments/webhooks/sandbox").status_code == 500
        found = figures(client)
    assert one(found, "chatcart_http_requests_total", area="payments", method="POST", status="500") == 1
    errors = {"module": "web.payments", "category": "system", "error": "KeyError"}
    assert one(found, "chatcart_errors_total", **errors) == 1


def test_what_is_refused_and_a_database_that_fails_are_counted(web, sessions):
    assert web.post("/payments/webhooks/sandbox", content=b"{}").status_code == 400
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE orders RENAME TO gone"))
    try:
        assert web.get("/receipts/" + "t" * 43).status_code == 503
    finally:
        with sessions.begin() as session:
            session.execute(text("ALTER TABLE gone RENAME TO orders"))
    found = {
        (labels["category"], labels["error"]): value
        for (name, pairs), value in figures(web).items()
        if name == "chatcart_errors_total" and (labels := dict(pairs))
    }
    assert found == {("user_input", "PaymentRejected"): 1, ("system", "ProgrammingError"): 1}


@pytest.mark.parametrize(
    ("name", "value", "store"),
    [
        ("DATABASE_URL", "postgresql://shop:secret@127.0.0.1:1/shop", "postgresql"),
        ("REDIS_PORT", "1", "redis"),
    ],
)
def test_a_store_that_is_down_is_told_and_the_rest_as_ever(reachable, monkeypatch, name, value, store):
    monkeypatch.setenv(name, value)
    with TestClient(make_app(read_settings())) as client:
        found = figures(client)
    assert one(found, "chatcart_store_up", store=store) == 0
    assert sum(one(found, "chatcart_store_up", store=each) for each in ("postgresql", "redis")) == 1
    assert ("chatcart_orders", frozenset({("status", "paid")})) in found or store == "postgresql"


def test_who_comes_through_a_proxy_is_told_nothing(web):
    assert web.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
