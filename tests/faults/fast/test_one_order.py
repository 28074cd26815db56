"""One confirmation makes at most one order: told again, told twice at once, or tapped twice."""

from __future__ import annotations

from functools import partial

import pytest

from db.models import CommandResult, Order, Payment, StockReservation
from shop import cart
from shop.payments import flow
from tests.faults.crowd import Crowd, placed_of
from tests.faults.ledger import check_orders, check_stock, nothing_written

STOCK = 9


@pytest.fixture
def cake(make_product):
    """Nine cakes."""
    return make_product(name="Cake", stock_quantity=STOCK)


@pytest.fixture
def buyer(make_buyers, cake):
    """Somebody with two of them in the cart."""
    return make_buyers([[(cake, 2, ())]])[0]


@pytest.fixture
def replicas(make_replica, scripted):
    """Two action servers."""
    return [make_replica(scripted, pool_size=5) for _ in range(2)]


def assert_one_order(sessions, cake, placed):
    """One order, one payment, one hold, however often it was asked for."""
    assert len({order.number for order in placed}) == 1
    assert len({order.payment_reference for order in placed}) == 1
    with sessions() as session:
        assert session.query(Order).count() == session.query(Payment).count() == 1
        assert session.query(StockReservation).one().quantity == 2
        check_stock(session, {cake.id: STOCK})
        check_orders(session)


def test_the_same_message_again_gets_the_same_order(replicas, buyer, cake, sessions):
    """Twilio, the worker or Rasa asks again: also after the process died behind its COMMIT."""
    told = buyer.says()
    first = buyer.confirms(replicas[0], told)
    with nothing_written(sessions):
        again = [buyer.confirms(replicas[number % 2], told) for number in range(4)]
    assert again == [first] * 4
    assert_one_order(sessions, cake, placed_of([first, *again]))


def test_the_same_message_on_two_replicas_at_once(replicas, buyer, cake, sessions):
    told = buyer.says()
    done = Crowd().at_once([partial(buyer.confirms, replicas[number % 2], told) for number in range(8)])
    assert all(one == done[0] for one in done)
    assert_one_order(sessions, cake, placed_of(done))
    with sessions() as session:
        assert session.query(CommandResult).filter_by(message_id=told.message_id).count() == 1


def test_a_double_tap_is_one_order(replicas, buyer, cake, sessions):
    """Two messages, one after the other."""
    done = [buyer.confirms(replicas[number]) for number in (0, 1)]
    assert_one_order(sessions, cake, placed_of(done))


@pytest.mark.parametrize("taps", [2, 5])
def test_several_taps_at_once_are_one_order(replicas, buyer, cake, sessions, taps):
    """Messages of their own, served at the same moment because a lease was lost."""
    for _ in range(3):
        done = Crowd().at_once([partial(buyer.confirms, replicas[number % 2]) for number in range(taps)])
        assert len(placed_of(done)) == taps
        assert_one_order(sessions, cake, placed_of(done))


def test_a_tap_after_the_payment_orders_nothing_more(replicas, scripted, buyer, cake, sessions):
    placed = buyer.confirms(replicas[0]).result.placed
    flow.open_payment(replicas[0], placed.payment_reference)
    scripted.pay(placed.payment_reference)
    assert (
        flow.receive(replicas[1], "sandbox", *scripted.event(placed.payment_reference, "evt")) == "verified"
    )
    refused = Crowd().at_once([partial(buyer.confirms, replica) for replica in replicas])
    assert [type(one).__name__ for one in refused] == ["EmptyCart"] * 2
    with sessions() as session:
        assert session.query(Order).count() == 1


def test_a_yes_while_the_cart_changes_orders_what_was_or_what_is(replicas, buyer, cake, sessions):
    """The yes and "one more" at the same moment: never two live orders, never units without an order."""

    def one_more():
        return replicas[1].execute(
            buyer.says(), "add", cart.CartChange, lambda work, who: cart.add(work, who, str(cake.id), 1)
        )

    for _ in range(4):
        Crowd().at_once([partial(buyer.confirms, replicas[0]), one_more])
    with sessions() as session:
        check_stock(session, {cake.id: STOCK})
        check_orders(session)
        live = session.query(Order).filter_by(status="awaiting_payment").count()
        assert live <= 1


def test_opening_the_payment_twice_at_once_opens_one(replicas, scripted, buyer, sessions):
    reference = buyer.confirms(replicas[0]).result.placed.payment_reference
    opened = Crowd().at_once([partial(flow.open_payment, replicas[n % 2], reference) for n in range(6)])
    assert len(set(opened)) == 1
    assert list(scripted.charges) == [reference]
    with sessions() as session:
        assert session.query(Payment).one().url == opened[0]
