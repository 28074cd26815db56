"""An unclear commit is safe: the connection is cut at any COMMIT of a whole order, all ends the same."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from db.models import CommandResult, Order, OutboxEvent, Payment, Refund, StaffAction, StockReservation
from shop import cart, checkout, order_status, orders
from shop.cart_view import CartView
from shop.errors import CannotMove
from shop.payments import flow
from tests.e2e.tap import TapLoop
from tests.faults.conftest import SEED
from tests.faults.crowd import Crowd
from tests.faults.ledger import check_orders, check_stock

STOCK = 7
NEVER = 10_000


@pytest.fixture(scope="module")
def tap(database_url, tmp_path_factory):
    """A tap on the database's socket, and the address that goes through it."""
    url = make_url(database_url)
    home = url.query.get("host")
    if not isinstance(home, str) or not home.startswith("/"):
        pytest.skip("the database is not reached by a unix socket")
    loop = TapLoop()
    tap = loop.unix(Path(home) / ".s.PGSQL.5432")
    folder = tmp_path_factory.mktemp("tap")
    tap.listen_unix(folder / ".s.PGSQL.5432")
    tap.url = url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
    yield tap
    time.sleep(0.1)  # the last connections end
    loop.stop()


@pytest.fixture
def tapped(tap, make_replica, scripted):
    """A shop whose every word to the database goes through the tap."""
    return make_replica(scripted, tap.url, pool_size=1)


def whole_order(shop, provider, buyer, cake):
    """From the cart to the money that goes back; each step is asked again where it failed."""
    patiently = Crowd().patiently
    words = [buyer.says() for _ in range(4)]

    def do(number, kind, operation, *args):
        def bound(work, who):
            return operation(work, who, *args)

        return patiently(lambda: shop.execute(words[number], operation.__name__, kind, bound)).result

    do(0, cart.CartChange, cart.add, str(cake.id), 1)
    do(1, CartView, checkout.review)
    placed = do(2, checkout.Confirmation, checkout.confirm).placed
    reference = placed.payment_reference
    patiently(lambda: flow.open_payment(shop, reference))
    provider.pay(reference)
    patiently(lambda: flow.receive(shop, "sandbox", *provider.event(reference, f"evt-{reference}")))
    do(3, orders.OrderState, orders.complete_payment, placed.number)
    return placed.number


def after_the_sale(shop, number, cancel):
    """The shop cancels, the money goes back."""
    patiently = Crowd().patiently
    patiently(lambda: cancel(shop, number))
    for _ in range(2):
        patiently(lambda: flow.send_refunds(shop))
        shop._clock.pass_minutes(1)


def cancel_if_not_yet(shop, number):
    """A person who is told "failed" looks first whether it did."""
    status = shop.run(lambda work: work.orders.find_by_number(number).status.value)
    if status != "cancelled":
        with contextlib.suppress(CannotMove):
            shop.run(lambda work: order_status.cancel(work, number, "Ada", "no gas"))


def outcome(sessions):
    """Everything that is there in the end, without ids and times."""
    with sessions() as session:
        check_orders(session)
        return {
            "orders": Counter(row.status.value for row in session.query(Order)),
            "payments": Counter(row.status.value for row in session.query(Payment)),
            "refunds": Counter((row.status.value, row.amount) for row in session.query(Refund)),
            "held": session.query(StockReservation).count(),
            "told": Counter(session.scalars(select(OutboxEvent.event))),
            "commands": Counter(session.scalars(select(CommandResult.command))),
        }


def test_cut_at_any_commit_of_a_whole_order(
    tap, tapped, scripted, make_buyers, make_product, sessions, chance
):
    """Before PostgreSQL heard the COMMIT, and after it carried it out but before anybody knew.

    About fifty moments; each run takes some of them by chance.
    """
    cake = make_product(name="Cake", stock_quantity=STOCK * 100)

    def play():
        (buyer,) = make_buyers([[(cake, 1, ())]])
        number = whole_order(tapped, scripted, buyer, cake)
        after_the_sale(tapped, number, cancel_if_not_yet)
        found = outcome(sessions)
        forget(sessions)
        return found

    forget(sessions)
    counter = tap.set(b"COMMIT", after=False, kill=lambda: None, skip=NEVER)
    undisturbed = play()
    commits = NEVER - counter.skip
    assert undisturbed["orders"] == {"cancelled": 1}
    assert undisturbed["refunds"] == {("done", Decimal("11825.00")): 1}
    assert commits >= 12, "the tap no longer sees the transactions"
    moments = [(skip, after) for skip in range(commits) for after in (False, True)]
    for skip, after in chance.sample(moments, 16 if SEED else 10):
        trap = tap.set(b"COMMIT", after=after, kill=lambda: None, skip=skip)
        found = play()
        assert trap.sprung.is_set()
        assert found == undisturbed, f"cut {'after' if after else 'before'} COMMIT number {skip + 1}"
    assert set(scripted.refund_calls.values()) == {1}


def forget(sessions):
    """Start the next history on empty tables; the cakes stay."""
    with sessions.begin() as session:
        for model in (StaffAction, CommandResult, OutboxEvent, Refund, Payment, StockReservation):
            session.query(model).delete()
        for order in session.query(Order):
            session.delete(order)


@pytest.mark.parametrize("after", [False, True])
def test_a_yes_whose_commit_nobody_heard_of_is_one_order(
    tap, tapped, make_buyers, make_product, sessions, after
):
    cake = make_product(name="Cake", stock_quantity=STOCK)
    (buyer,) = make_buyers([[(cake, 2, ())]])
    told = buyer.says()
    trap = tap.set(b"COMMIT", after=after, kill=lambda: None, armed_by=b"INSERT INTO orders")
    first = buyer.confirms(tapped, told)
    assert trap.sprung.is_set()
    assert buyer.confirms(tapped, told) == first
    with sessions() as session:
        assert session.query(Order).one().number == first.result.placed.number
        assert session.query(CommandResult).count() == 1
        check_stock(session, {cake.id: STOCK})


def test_a_refund_by_the_staff_whose_commit_nobody_heard_of_is_one_refund(
    tap, tapped, scripted, make_buyers, make_product, sessions
):
    """Ten naira were to go back: not twenty."""
    cake = make_product(name="Cake", stock_quantity=STOCK)
    (buyer,) = make_buyers([[(cake, 1, ())]])
    number = whole_order(tapped, scripted, buyer, cake)
    trap = tap.set(b"COMMIT", after=True, kill=lambda: None, armed_by=b"INSERT INTO refunds")
    refund = functools.partial(order_status.refund, staff="Ada", reason="cold")
    told = tapped.once("staff:1", "refund", Decimal, lambda work: refund(work, number, Decimal("10.00")))
    assert told == Decimal("10.00")
    assert trap.sprung.is_set()
    with sessions() as session:
        assert [refund.amount for refund in session.query(Refund)] == [Decimal("10.00")]
