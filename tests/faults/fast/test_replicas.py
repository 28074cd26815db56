"""Jobs with several replicas: each due row is worked off once, however many work at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import select

from db.models import (
    Cart,
    CartStatus,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    Refund,
    RefundStatus,
    StockReservation,
)
from jobs import shop_jobs
from jobs.dispatcher import dispatch_outbox
from shop import order_status
from shop.payments import flow
from tests.faults.crowd import Crowd
from tests.faults.ledger import check_money, check_orders, check_stock, check_told
from whatsapp.conversation_queue import inbound_queue
from whatsapp.inbound import InboundMessage
from whatsapp.redis import connect

ORDERS = 12
STOCK = 100


@pytest.fixture
def replicas(make_replica, scripted):
    """Three sender processes."""
    return [make_replica(scripted, pool_size=6) for _ in range(3)]


@pytest.fixture
def cake(make_product):
    """Cakes enough for everybody."""
    return make_product(name="Cake", stock_quantity=STOCK)


@pytest.fixture
def place(replicas, make_buyers, cake):
    """Places orders of one cake each and opens their payments; their references."""

    def place(number):
        references = []
        for buyer in make_buyers([[(cake, 1, ())]] * number):
            references.append(buyer.confirms(replicas[0]).result.placed.payment_reference)
            flow.open_payment(replicas[0], references[-1])
        return references

    return place


def every_job_everywhere(replicas, rounds=2):
    """Every job on every replica at the same moment; how much all runs of each say they did."""
    done = Counter()
    for _ in range(rounds):
        doings = [(job, partial(job, replica)) for job in shop_jobs.PAUSES for replica in replicas]
        counts = Crowd().at_once([doing for _, doing in doings])
        for (job, _), count in zip(doings, counts, strict=True):
            done[job.__name__] += count
    return done


def told(sessions, event):
    """To how many orders something was told, and how often in all."""
    with sessions() as session:
        rows = session.scalars(select(OutboxEvent).where(OutboxEvent.event == event)).all()
        return len({row.data["order_number"] for row in rows}), len(rows)


def test_each_order_expires_once(replicas, scripted, place, cake, clock, sessions):
    place(ORDERS)
    clock.pass_minutes(31)
    assert every_job_everywhere(replicas)["expire_orders"] == ORDERS
    assert told(sessions, "payment_expired") == (ORDERS, ORDERS)
    with sessions() as session:
        assert {order.status for order in session.query(Order)} == {OrderStatus.EXPIRED}
        assert session.query(StockReservation).count() == 0
        check_stock(session, {cake.id: STOCK})


def test_each_refund_is_sent_once(replicas, scripted, place, cake, sessions):
    for reference in place(ORDERS):
        scripted.pay(reference)
        assert flow.receive(replicas[0], "sandbox", *scripted.event(reference, reference)) == "verified"
    with sessions() as session:
        numbers = [order.number for order in session.query(Order)]
    for number in numbers:
        replicas[0].run(lambda work, number=number: order_status.cancel(work, number, "Ada", "no gas"))
    assert every_job_everywhere(replicas)["send_refunds"] == ORDERS
    assert set(scripted.refund_calls.values()) == {1}, "no key was asked for twice"
    assert told(sessions, "payment_refunded") == (ORDERS, ORDERS)
    with sessions() as session:
        assert [refund.status for refund in session.query(Refund)] == [RefundStatus.DONE] * ORDERS
        check_money(session, scripted)
        check_stock(session, {cake.id: STOCK})


def test_each_customer_is_reminded_once(replicas, place, clock, sessions):
    place(ORDERS)
    clock.pass_minutes(21)
    assert every_job_everywhere(replicas)["remind"] == ORDERS
    assert told(sessions, "payment_reminder") == (ORDERS, ORDERS)


def test_each_forgotten_payment_is_asked_about_once_and_counts_once(
    replicas, scripted, place, cake, clock, sessions
):
    """Their notifications were lost."""
    for reference in place(ORDERS):
        scripted.pay(reference)
    clock.pass_minutes(3)
    assert every_job_everywhere(replicas)["check_payments"] == ORDERS
    assert scripted.asked["read"] == ORDERS
    assert told(sessions, "payment_confirmed") == (ORDERS, ORDERS)
    with sessions() as session:
        check_stock(session, {cake.id: STOCK})
        check_orders(session)


def test_each_cart_is_given_up_once(replicas, make_buyers, cake, clock, sessions):
    make_buyers([[(cake, 1, ())]] * ORDERS)
    with sessions.begin() as session:
        session.query(Cart).update({Cart.expires_at: clock.now})
    assert every_job_everywhere(replicas)["abandon_carts"] == ORDERS
    with sessions() as session:
        assert {cart.status for cart in session.query(Cart)} == {CartStatus.ABANDONED}


def test_all_jobs_at_once_on_all_that_can_be_due(replicas, scripted, place, cake, clock, sessions, chance):
    """Overdue orders of which some were paid unheard, refunds, reminders: one outcome for each."""
    overdue = place(ORDERS)
    clock.pass_minutes(21)
    waiting = place(ORDERS)
    clock.pass_minutes(12)
    for reference in chance.sample(overdue, 5) + chance.sample(waiting, 5):
        scripted.pay(reference)
    every_job_everywhere(replicas, rounds=3)
    with sessions() as session:
        check_stock(session, {cake.id: STOCK})
        check_orders(session)
        check_money(session, scripted)
        check_told(session)
        paid = session.query(Order).filter_by(status=OrderStatus.PAID).count()
        expired = session.query(Order).filter_by(status=OrderStatus.EXPIRED).count()
        assert (paid, expired) == (10, ORDERS - 5)
        assert session.query(Payment).filter_by(status="verified").count() == 10


async def test_each_notice_is_dispatched_effectively_once(
    replicas, scripted, place, redis, redis_settings, sessions
):
    """Rows are on the stream once, and marked, whoever dispatched them."""
    for reference in place(ORDERS):
        scripted.pay(reference)
        flow.receive(replicas[0], "sandbox", *scripted.event(reference, reference))
    clients = [connect(redis_settings) for _ in replicas]
    for _ in range(2):
        pairs = zip(replicas, clients, strict=True)
        await asyncio.gather(*(dispatch_outbox(shop, inbound_queue(client)) for shop, client in pairs))
    rows = await redis.xrange("chatcart:inbound")
    events = [InboundMessage.from_json(fields["body"]).id for _, fields in rows]
    with sessions() as session:
        written = session.query(OutboxEvent).all()
        assert sorted(events) == sorted(str(row.id) for row in written)
        assert None not in [row.dispatched_at for row in written]
    for client in clients:
        await client.aclose()
