"""A stalled part stalls only its own users, for a bounded time: locks, and providers that say nothing."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from actions.server import make_executor
from db.engine import LOCK_MILLISECONDS, make_engine
from db.models import Order, OrderStatus
from shop.errors import ProviderUnavailable
from shop.payments import flow
from tests.actions.tracker import Talk
from tests.faults.ledger import check_orders, check_stock

SLACK = 1.5
"""What a busy test machine may add."""
AT_ONCE = 1.5
"""Seconds within which whoever has nothing to do with the stall is served."""


@contextmanager
def a_stranger_holds(database_url, statement, **values):
    """Somebody who is not Chatcart holds locks and does nothing."""
    engine = make_engine(database_url, 1)
    with engine.connect() as connection:
        connection.execute(text(statement), values)
        yield
        connection.rollback()
    engine.dispose()


def seconds(doing):
    """How long something takes, and what it leads to."""
    started = time.monotonic()
    try:
        return doing(), time.monotonic() - started
    except Exception as error:
        return error, time.monotonic() - started


@pytest.fixture
def menu(make_product):
    """A cake and a pie."""
    return [make_product(name=name, stock_quantity=9) for name in ("Cake", "Pie")]


def test_a_lock_that_a_stranger_holds_stalls_only_its_product_for_seconds(
    scripted_shop, make_buyers, menu, database_url, sessions
):
    cake, pie = menu
    stuck, free = make_buyers([[(cake, 1, ())], [(pie, 1, ())]])
    told = stuck.says()
    lock = "SELECT 1 FROM products WHERE id = :id FOR UPDATE"
    with a_stranger_holds(database_url, lock, id=cake.id), ThreadPoolExecutor(2) as pool:
        stalled = pool.submit(seconds, lambda: stuck.confirms(scripted_shop, told))
        time.sleep(0.3)
        other, took = seconds(lambda: free.confirms(scripted_shop))
        assert other.result.placed is not None
        assert took < AT_ONCE
        error, waited = stalled.result(30)
    assert isinstance(error, OperationalError)
    assert waited < LOCK_MILLISECONDS / 1000 + SLACK, "once, not once for each attempt"
    assert stuck.confirms(scripted_shop, told).result.placed is not None, "asked again, it is carried out"
    with sessions() as session:
        check_stock(session, {cake.id: 9, pie.id: 9})
        check_orders(session)


class Silence:
    """A provider that answers nothing until its time-out."""

    def __init__(self, provider, call, limit=2.0):
        self.asked, self.over = Event(), Event()
        self._provider, self._call, self._limit = provider, call, limit
        provider.wait = self._wait

    def _wait(self, call):
        if call == self._call and not self.over.is_set():
            self.asked.set()
            self.over.wait(self._limit)
            raise ProviderUnavailable(self._provider.name)

    def end(self):
        """It answers again."""
        self.over.set()
        self._provider.wait = lambda call: None


def open_transactions(sessions):
    """Transactions that somebody began and does nothing in."""
    with sessions() as session:
        mine = "datname = current_database() AND pid <> pg_backend_pid()"
        state = "state LIKE 'idle in transaction%'"
        return session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {mine} AND {state}"))


@pytest.mark.parametrize("what", ["open", "check", "notify", "expire", "refund"])
def test_a_silent_provider_holds_no_lock_and_delays_no_buyer(
    scripted_shop, scripted, make_buyers, menu, clock, sessions, what
):
    """Whoever waits for the provider waits alone: no transaction is open, the same product can be bought."""
    first, other = make_buyers([[(menu[0], 1, ())], [(menu[0], 1, ())]])
    reference = first.confirms(scripted_shop).result.placed.payment_reference
    if what != "open":
        flow.open_payment(scripted_shop, reference)
    if what == "refund":
        scripted.pay(reference)
        flow.check(scripted_shop, reference)
        cancel_by_staff(scripted_shop)
    if what == "expire":
        clock.pass_minutes(30)
    doing, call = {
        "open": (partial(flow.open_payment, scripted_shop, reference), "start"),
        "check": (partial(flow.check, scripted_shop, reference), "read"),
        "notify": (partial(flow.receive, scripted_shop, "sandbox", *scripted.event(reference, "e")), "read"),
        "expire": (partial(flow.expire_due, scripted_shop), "read"),
        "refund": (partial(flow.send_refunds, scripted_shop), "refund"),
    }[what]
    silence = Silence(scripted, call)
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(seconds, doing)
        assert silence.asked.wait(5)
        assert open_transactions(sessions) == 0
        done, took = seconds(lambda: other.confirms(scripted_shop))
        silence.over.set()
        stalled.result(10)
    assert done.result.placed is not None
    assert took < AT_ONCE
    silence.end()
    clock.pass_minutes(1)
    doing()
    with sessions() as session:
        check_stock(session, {menu[0].id: 9})
        check_orders(session)


def cancel_by_staff(shop):
    """The shop cancels the only paid order."""
    from shop import order_status

    number = shop.run(lambda work: work.session.query(Order).filter_by(status=OrderStatus.PAID).one().number)
    shop.run(lambda work: order_status.cancel(work, number, "Ada", "no gas"))


async def test_customers_who_wait_for_a_silent_provider_do_not_stop_the_others(
    scripted_shop, scripted, make_buyers, menu, settings
):
    """Eighteen ask how to pay while the provider says nothing; somebody else looks into the cart."""
    waiting = make_buyers([[(menu[0], 1, ())]] * 9 + [[(menu[1], 1, ())]] * 9)
    (other,) = make_buyers([[(menu[1], 1, ())]])
    for buyer in waiting:
        buyer.confirms(scripted_shop)
    executor = make_executor(scripted_shop, settings)
    silence = Silence(scripted, "start", limit=3.0)
    talks = [Talk(executor, buyer.lookup, buyer.address) for buyer in waiting]
    asked = [asyncio.create_task(talk.turn("action_how_to_pay", "how do I pay")) for talk in talks]
    await asyncio.sleep(1.0)
    assert silence.asked.is_set()
    started = time.monotonic()
    shown = await Talk(executor, other.lookup, other.address).turn("action_view_cart", "my cart")
    took = time.monotonic() - started
    silence.over.set()
    await asyncio.gather(*asked)
    assert "Pie" in shown.text
    assert took < AT_ONCE, f"the others' silent provider kept this customer waiting for {took:.1f} s"
