"""Units that nobody bought are for sale again, whatever became of the order that held them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs import shop_jobs
from shop import cart, order_status
from shop.payments import flow
from tests.faults.ledger import check_stock

HELD_MINUTES = 33


@pytest.fixture
def cake(make_product):
    """The last cake."""
    return make_product(name="Cake", stock_quantity=1)


@pytest.fixture
def in_review(scripted_shop, scripted, make_buyers, cake):
    """An order of it for which too little came; its number."""
    placed = make_buyers([[(cake, 1, ())]])[0].confirms(scripted_shop).result.placed
    flow.open_payment(scripted_shop, placed.payment_reference)
    scripted.pay(placed.payment_reference, Decimal("1.00"))
    assert flow.check(scripted_shop, placed.payment_reference) == "review"
    return placed.number


def all_jobs(shop):
    """The sender's clock ticks."""
    for job in shop_jobs.PAUSES:
        job(shop)


def buys_it(shop, buyer, cake):
    """Somebody else puts it into the cart and says yes."""
    shop.execute(buyer.says(), "add", object, lambda work, who: str(cart.add(work, who, str(cake.id), 1)))
    return buyer.confirms(shop).result.placed


def test_the_units_of_a_reviewed_order_whose_money_went_back_can_be_bought(
    scripted_shop, make_buyers, make_product, cake, in_review, clock, sessions
):
    scripted_shop.run(lambda work: order_status.refund(work, in_review, None, "Ada", "too little"))
    flow.send_refunds(scripted_shop)
    clock.pass_minutes(HELD_MINUTES)
    all_jobs(scripted_shop)
    pie = make_product(name="Pie")
    (other,) = make_buyers([[(pie, 1, ())]])
    assert buys_it(scripted_shop, other, cake) is not None
    with sessions() as session:
        check_stock(session, {cake.id: 1})


def test_the_units_of_a_reviewed_order_that_the_shop_cancels_can_be_bought(
    scripted_shop, make_buyers, make_product, cake, in_review, sessions
):
    scripted_shop.run(lambda work: order_status.cancel(work, in_review, "Ada", "too little"))
    pie = make_product(name="Pie")
    (other,) = make_buyers([[(pie, 1, ())]])
    assert buys_it(scripted_shop, other, cake) is not None
    with sessions() as session:
        check_stock(session, {cake.id: 1})


def test_units_held_for_an_order_in_review_do_not_stay_held_for_ever(
    scripted_shop, make_buyers, make_product, cake, in_review, clock, sessions
):
    """Nobody decides: their time is over all the same, and what the menu says is what checkout does."""
    clock.pass_minutes(HELD_MINUTES)
    all_jobs(scripted_shop)
    pie = make_product(name="Pie")
    (other,) = make_buyers([[(pie, 1, ())]])
    assert buys_it(scripted_shop, other, cake) is not None
    with sessions() as session:
        check_stock(session, {cake.id: 1})
