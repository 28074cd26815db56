"""Sold and held never exceed the stock: 200 buyers for the last units."""

from __future__ import annotations

import logging
from decimal import Decimal
from functools import partial

import pytest

from db.models import Order, OrderStatus, Payment, StockReservation
from shop import order_status
from shop.errors import CannotMove, NoOrder
from shop.payments import flow
from tests.faults.conftest import SEED
from tests.faults.crowd import Crowd, deadlocks, placed_of
from tests.faults.ledger import check_money, check_orders, check_stock, check_told

BUYERS = 200 if SEED else 100
"""In `make test`, half as many."""


@pytest.fixture
def log(caplog):
    """What the shop's log says of retried transactions."""
    with caplog.at_level(logging.WARNING, logger="shop.service"):
        yield caplog


def let_all_confirm(shop, buyers, crowd):
    """All say yes at the same moment; the orders that were made."""
    return placed_of(crowd.at_once([partial(buyer.confirms, shop) for buyer in buyers]))


def assert_losers_left_nothing(sessions, winners, units):
    """As many orders, payments and held units as there are winners."""
    with sessions() as session:
        assert session.query(Order).count() == winners, "who lost left no orphan order"
        assert session.query(Payment).count() == winners
        held = [row.quantity for row in session.query(StockReservation)]
        assert sum(held) == units
        check_orders(session)


@pytest.mark.parametrize("left", [1, 2, 3, 4, 5] if SEED else [1, 5])
def test_many_buyers_for_the_last_units(scripted_shop, make_product, make_buyers, sessions, log, left):
    cake = make_product(name="Cake", stock_quantity=left)
    buyers = make_buyers([[(cake, 1, ())]] * BUYERS)
    crowd = Crowd()
    placed = let_all_confirm(scripted_shop, buyers, crowd)
    print(f"seen: repeated {dict(crowd.repeated)}, deadlocks {deadlocks(log.records)}")
    assert len({order.number for order in placed}) == len(placed) == left
    assert_losers_left_nothing(sessions, left, left)
    with sessions() as session:
        check_stock(session, {cake.id: left})
    assert deadlocks(log.records) == 0
    assert "40P01" not in crowd.repeated


def test_several_products_in_opposite_order_neither_oversell_nor_deadlock(
    scripted_shop, make_product, make_buyers, sessions, log, chance
):
    stock = {"Pie": 5, "Cake": 3, "Cola": 4}
    products = [make_product(name=name, stock_quantity=left) for name, left in stock.items()]
    carts = [[(one, 1, ()) for one in chance.sample(products, 3)] for _ in range(BUYERS)]
    crowd = Crowd()
    placed = let_all_confirm(scripted_shop, make_buyers(carts), crowd)
    assert len(placed) == 3, "all or nothing: no pie without cake"
    assert_losers_left_nothing(sessions, 3, 9)
    with sessions() as session:
        check_stock(session, {product.id: stock[product.name] for product in products})
    assert deadlocks(log.records) == 0
    assert "40P01" not in crowd.repeated


def test_lines_with_different_options_share_one_stock(
    scripted_shop, make_product, make_buyers, sessions, log
):
    """A large and a small one are two lines of one product: each fits alone, together they do not."""
    coffee = make_product(name="Coffee", stock_quantity=5)
    small, large = scripted_shop.run(lambda work: two_sizes(work, coffee.id))
    carts = [[(coffee, 1, (small,)), (coffee, 1, (large,))][:: 1 if n % 2 else -1] for n in range(BUYERS)]
    placed = let_all_confirm(scripted_shop, make_buyers(carts), Crowd())
    assert len(placed) == 2, "two units each: the fifth serves nobody"
    assert_losers_left_nothing(sessions, 2, 4)
    with sessions() as session:
        check_stock(session, {coffee.id: 5})
    assert deadlocks(log.records) == 0


def two_sizes(work, product_id):
    """Give a product a size; the ids of small and large."""
    size = work.option_groups.create(name="Size", required=True)
    product = work.products.find_by_id(product_id)
    product.option_groups.append(size)
    names = ("Small", "Large")
    return [work.options.create(group_id=size.id, name=name, position=at).id for at, name in enumerate(names)]


@pytest.fixture
def busy(scripted_shop, scripted, make_product, make_buyers, clock, chance):
    """Two products; eight orders whose time is over, eight that wait, and forty who come just now."""
    products = [make_product(name=name, stock_quantity=14) for name in ("Pie", "Cake")]

    def come(number):
        carts = [
            [(one, 1, ()) for one in chance.sample(products, chance.randint(1, 2))] for _ in range(number)
        ]
        return make_buyers(carts)

    def order(buyers):
        placed = [buyer.confirms(scripted_shop).result.placed for buyer in buyers]
        for one in filter(None, placed):
            flow.open_payment(scripted_shop, one.payment_reference)
        return [one for one in placed if one is not None]

    overdue = order(come(8))
    clock.pass_minutes(31)
    return {"products": products, "overdue": overdue, "waiting": order(come(8)), "coming": come(40)}


def test_buyers_payments_sweepers_and_staff_at_once(scripted_shop, scripted, busy, sessions, log, chance):
    """Everything that moves stock, at the same moment; then every unit and every coin is accounted for."""
    doings = [partial(buyer.confirms, scripted_shop) for buyer in busy["coming"]]
    orders = [*busy["overdue"], *busy["waiting"]]
    for number, placed in enumerate(orders):
        reference = placed.payment_reference
        wrong = Decimal("1.00") if number % 5 == 4 else None
        scripted.pay(reference, wrong)
        note = scripted.event(reference, f"evt-{reference}")
        doings += [partial(flow.receive, scripted_shop, "sandbox", *note)] * 2
    doings += [partial(flow.expire_due, scripted_shop)] * 3
    doings += [partial(staff_cancels, scripted_shop, placed.number) for placed in orders[::3]]
    chance.shuffle(doings)
    crowd = Crowd()
    crowd.at_once(doings)
    print(f"seen: repeated {dict(crowd.repeated)}, deadlocks {deadlocks(log.records)}")
    while flow.expire_due(scripted_shop) + flow.send_refunds(scripted_shop):
        pass
    with sessions() as session:
        check_stock(session, {product.id: 14 for product in busy["products"]})
        check_orders(session)
        check_money(session, scripted)
        check_told(session)
        live = session.query(Order).filter_by(status=OrderStatus.AWAITING_PAYMENT).count()
        assert live == session.query(StockReservation.order_id).distinct().count() - in_review(session)
    assert "40P01" not in crowd.repeated


def staff_cancels(shop, number):
    """The shop cancels an order, if it still can."""
    try:
        shop.run(lambda work: order_status.cancel(work, number, "Ada", "closing early"))
    except (CannotMove, NoOrder):
        return


def in_review(session):
    """Orders in review that still hold their units."""
    rows = session.query(Order).filter_by(status=OrderStatus.REVIEW)
    return sum(session.query(StockReservation).filter_by(order_id=row.id).count() > 0 for row in rows)


def test_two_replicas_share_the_last_units(make_replica, scripted, make_product, make_buyers, sessions):
    """Two action servers, each with a pool of its own."""
    cake = make_product(name="Cake", stock_quantity=5)
    replicas = [make_replica(scripted, pool_size=10) for _ in range(2)]
    buyers = make_buyers([[(cake, 1, ())]] * 60)
    doings = [partial(buyer.confirms, replicas[number % 2]) for number, buyer in enumerate(buyers)]
    placed = placed_of(Crowd().at_once(doings))
    assert len(placed) == 5
    assert_losers_left_nothing(sessions, 5, 5)
