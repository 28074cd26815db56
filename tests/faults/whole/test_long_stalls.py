"""Stalls that take their whole time-out: a locked table, no connection left."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from db.engine import CONNECT_SECONDS, LOCK_MILLISECONDS
from db.models import Order
from shop.payments import flow
from shop.payments.offline import BankTransfer
from shop.service import Shop
from tests.faults.fast.test_stalls import AT_ONCE, SLACK, Silence, a_stranger_holds, seconds
from tests.faults.ledger import check_stock, nothing_written


@pytest.fixture
def menu(make_product):
    """A cake and a pie."""
    return [make_product(name=name, stock_quantity=9) for name in ("Cake", "Pie")]


def test_a_table_that_a_stranger_locks_is_given_up_and_nothing_is_written(
    scripted_shop, make_buyers, menu, database_url, sessions
):
    (buyer,) = make_buyers([[(menu[0], 1, ())]])
    with nothing_written(sessions):
        with a_stranger_holds(database_url, "LOCK TABLE orders IN EXCLUSIVE MODE"):
            error, waited = seconds(lambda: buyer.confirms(scripted_shop))
        assert isinstance(error, OperationalError)
        assert waited < LOCK_MILLISECONDS / 1000 + SLACK
    assert buyer.confirms(scripted_shop).result.placed is not None


def test_without_a_connection_left_a_turn_fails_in_seconds_and_goes_on_later(
    make_replica, scripted, make_buyers, menu, sessions
):
    """All twenty of one process are taken; the other process does not notice."""
    full, other = make_replica(scripted), make_replica(scripted)
    one, two = make_buyers([[(menu[0], 1, ())], [(menu[1], 1, ())]])
    told = one.says()
    engine = full.sessions.kw["bind"]
    held = [engine.connect() for _ in range(20)]
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(seconds, lambda: one.confirms(full, told))
        done, took = seconds(lambda: two.confirms(other))
        assert done.result.placed is not None
        assert took < AT_ONCE
        error, waited = stalled.result(30)
    assert isinstance(error, NoConnection)
    assert waited < CONNECT_SECONDS + SLACK
    for connection in held:
        connection.close()
    assert one.confirms(full, told).result.placed is not None
    with sessions() as session:
        check_stock(session, {product.id: 9 for product in menu})


def test_overdue_orders_of_a_silent_provider_do_not_keep_the_others_units(
    scripted_shop, scripted, make_buyers, menu, clock, sessions, settings
):
    """Five orders wait for a provider that says nothing; a sixth has nothing to do with it."""
    *stuck, free = make_buyers([[(menu[0], 1, ())]] * 5 + [[(menu[1], 1, ())]])
    for buyer in stuck:
        flow.open_payment(scripted_shop, buyer.confirms(scripted_shop).result.placed.payment_reference)
    number = by_transfer(scripted_shop, free, clock)
    silence = Silence(scripted, "read", limit=1.0)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        sweeping = pool.submit(flow.expire_due, scripted_shop)
        assert silence.asked.wait(5)
        while status_of(sessions, number) != "expired" and not sweeping.done():
            time.sleep(0.05)
        took = time.monotonic() - started
        silence.over.set()
        sweeping.result(10)
    assert status_of(sessions, number) == "expired"
    assert took < AT_ONCE + 1.0, f"{took:.1f} s: one time-out for each order of the silent provider"


def by_transfer(shop: Shop, buyer, clock) -> str:
    """An order that is paid by transfer and as overdue as the others, a little later; its number."""
    transfer = Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": BankTransfer()}, clock)
    number = buyer.confirms(transfer).result.placed.number
    clock.pass_minutes(30)

    def overdue(work) -> None:
        order = work.orders.find_by_number(number)
        order.expires_at = work.now
        order.payments[0].payment_method = "bank_transfer"

    transfer.run(overdue)
    return number


def status_of(sessions, number: str) -> str:
    """Where an order stands."""
    with sessions() as session:
        return session.query(Order).filter_by(number=number).one().status.value
