"""The last units: many buyers, never more sold than there is, nobody stuck."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.models import Customer, Order, OrderStatus, Payment, Product, StockReservation
from shop import cart, checkout, stock
from shop.customers import recognise
from shop.errors import LineChange, OrderChanged, ShopError
from shop.payments import flow

BUYERS = 20
HELD_MINUTES = 32
"""An order waits 30 minutes for its payment; its units are held a little longer."""


@pytest.fixture
def make_buyer(shop, caller) -> Callable[..., Customer]:
    """Makes a customer of their own with a cart; quantities by product."""
    count = iter(range(1000))

    def make(quantities: dict[Product, int]) -> Customer:
        who = caller(number=f"+23480300{next(count):05d}")
        buyer = shop.run(lambda work: recognise(work, who.lookup, who.address, None))
        for product, quantity in quantities.items():
            add = str(product.id), quantity
            shop.run(lambda work, add=add: cart.add(work, buyer, *add))
        return buyer

    return make


@pytest.fixture
def units(sessions) -> Callable[[Product], tuple[int, int]]:
    """A product's units: in stock, and reserved of these."""

    def units(product: Product) -> tuple[int, int]:
        with sessions.begin() as session:
            row = session.get(Product, product.id)
            return row.stock_quantity, row.reserved_quantity

    return units


def place_all(shop: Any, buyers: list[Customer]) -> list[Any]:
    """All buyers say yes at the same moment; the orders and the refusals."""
    barrier = Barrier(len(buyers))

    def place(buyer: Customer) -> Any:
        barrier.wait(20)
        try:
            return shop.run(lambda work: checkout.place(work, buyer))
        except ShopError as refusal:
            return refusal

    with ThreadPoolExecutor(len(buyers)) as pool:
        return list(pool.map(place, buyers))


def short(product: str, wanted: int, left: int) -> LineChange:
    """What a buyer is told of a product of which too few are left."""
    return LineChange("stock", product, Decimal(wanted), Decimal(left))


@pytest.mark.parametrize("paying", [True, False])
@pytest.mark.parametrize("left", [1, 3])
def test_the_last_units_go_to_exactly_as_many_buyers(
    make_shop, make_product, make_buyer, sessions, units, left, paying
):
    shop = make_shop(payment_processing=paying)
    cake = make_product(name="Cake", stock_quantity=left)
    buyers = [make_buyer({cake: 1}) for _ in range(BUYERS)]
    results = place_all(shop, buyers)
    assert sum(isinstance(result, checkout.PlacedOrder) for result in results) == left
    refusals = [result for result in results if isinstance(result, OrderChanged)]
    assert [refusal.changes for refusal in refusals] == [(short("Cake", 1, 0),)] * (BUYERS - left)
    assert units(cake) == ((left, left) if paying else (0, 0))
    with sessions.begin() as session:
        assert session.query(Order).count() == left, "who lost left no orphan order"
        assert session.query(Payment).count() == (left if paying else 0)
        assert session.query(StockReservation).count() == (left if paying else 0)


def test_two_products_in_opposite_order_neither_oversell_nor_deadlock(
    shop, make_product, make_buyer, units, caplog
):
    pie, cake = make_product(name="Pie", stock_quantity=5), make_product(name="Cake", stock_quantity=3)
    buyers = [make_buyer({pie: 1, cake: 1} if number % 2 else {cake: 1, pie: 1}) for number in range(BUYERS)]
    with caplog.at_level(logging.WARNING, logger="shop.service"):
        results = place_all(shop, buyers)
    assert sum(isinstance(result, checkout.PlacedOrder) for result in results) == 3
    assert (units(pie), units(cake)) == ((5, 3), (3, 3)), "all or nothing: no pie without cake"
    assert "40P01" not in caplog.text


def test_buyers_of_several_units_share_what_there_is(shop, make_product, make_buyer, units):
    cake = make_product(name="Cake", stock_quantity=7)
    results = place_all(shop, [make_buyer({cake: 2}) for _ in range(10)])
    assert sum(isinstance(result, checkout.PlacedOrder) for result in results) == 3
    refusals = [result for result in results if isinstance(result, ShopError)]
    assert {type(refusal) for refusal in refusals} == {OrderChanged}
    assert {refusal.changes for refusal in refusals} == {(short("Cake", 2, 1),)}
    assert units(cake) == (7, 6)


def test_an_expired_hold_is_free_for_the_next_buyer_at_once(
    shop, make_product, make_buyer, clock, sessions, units
):
    """No sweeper ran, yet the unit can be bought: expired holds end inside the buyer's lock."""
    cake = make_product(name="Cake", stock_quantity=1)
    slow, quick = make_buyer({cake: 1}), make_buyer({cake: 1})
    shop.run(lambda work: checkout.place(work, slow))
    for pause in (0, HELD_MINUTES - 0.1):
        clock.pass_minutes(pause)
        with pytest.raises(OrderChanged) as refusal:
            shop.run(lambda work: checkout.place(work, quick))
        assert refusal.value.changes == (short("Cake", 1, 0),)
    clock.pass_minutes(0.1)
    shop.run(lambda work: checkout.place(work, quick))
    assert units(cake) == (1, 1)
    with sessions.begin() as session:
        (held,) = session.query(StockReservation).all()
        assert session.get(Order, held.order_id).customer_id == quick.id

    assert flow.expire_due(shop) == 1, "the sweeper then ends the order, but frees nothing twice"
    assert units(cake) == (1, 1)
    with sessions.begin() as session:
        assert session.query(Order).filter_by(customer_id=slow.id).one().status == OrderStatus.EXPIRED


def wait_until_somebody_waits_for_a_lock(sessions: Any) -> None:
    """Returns when a statement on this database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type"
    for _ in range(20_000):
        with sessions.begin() as session:
            if session.scalar(text(f"{waiting} = 'Lock'")):
                return
    raise AssertionError("nobody waits")


def test_a_buyer_and_the_sweeper_free_the_same_hold_once(
    shop, make_product, make_buyer, clock, sessions, units
):
    """The sweeper waits for the lock in which a buyer already freed the expired hold."""
    cake = make_product(name="Cake", stock_quantity=2)
    slow, quick = make_buyer({cake: 1}), make_buyer({cake: 2})
    shop.run(lambda work: checkout.place(work, slow))
    clock.pass_minutes(HELD_MINUTES)
    sold, go_on = Event(), Event()

    def buy(work):
        checkout.place(work, quick)
        sold.set()
        go_on.wait(2.5)

    with ThreadPoolExecutor(2) as pool:
        buying = pool.submit(shop.run, buy)
        assert sold.wait(10)
        sweeping = pool.submit(flow.expire_due, shop)
        wait_until_somebody_waits_for_a_lock(sessions)
        go_on.set()
        buying.result(10)
        assert sweeping.result(10) == 1
    assert units(cake) == (2, 2), "both units are quick's; none came free by mistake"


def test_buyers_and_the_sweeper_at_once(shop, make_product, make_buyer, clock, units, caplog):
    """Expired orders of two products are swept while others buy them: all end well, nothing is lost."""
    pie, cake = make_product(name="Pie", stock_quantity=6), make_product(name="Cake", stock_quantity=6)
    buyers = [make_buyer({pie: 1, cake: 1}) for _ in range(10)]
    for number in range(12):
        slow = make_buyer({(pie, cake)[number % 2]: 1})
        shop.run(lambda work, slow=slow: checkout.place(work, slow))
    clock.pass_minutes(HELD_MINUTES)
    with ThreadPoolExecutor(2) as pool:
        sweeps = [pool.submit(flow.expire_due, shop) for _ in range(2)]
        results = place_all(shop, buyers)
    assert sum(sweep.result() for sweep in sweeps) == 12, "each order ended once"
    assert sum(isinstance(result, checkout.PlacedOrder) for result in results) == 6
    assert (units(pie), units(cake)) == ((6, 6), (6, 6))
    assert "40P01" not in caplog.text


def test_the_database_itself_refuses_to_oversell(sessions, make_product):
    """Should the code ever be wrong, the CHECK constraint is not."""
    cake = make_product(name="Cake", stock_quantity=1)
    for reserved in (2, -1):
        with pytest.raises(IntegrityError), sessions.begin() as session:
            session.get(Product, cake.id).reserved_quantity = reserved
    with sessions.begin() as session:
        assert session.get(Product, cake.id).reserved_quantity == 0


def test_who_holds_nothing_has_nothing_to_release(shop, make_product, make_buyer, units):
    cake = make_product(name="Cake", stock_quantity=1)
    buyer = make_buyer({cake: 1})
    shop.run(lambda work: checkout.place(work, buyer))

    def release_twice(work):
        order = work.orders.find_latest(buyer.id)
        stock.release(work, order)
        stock.release(work, order)

    shop.run(release_twice)
    assert units(cake) == (1, 0)
