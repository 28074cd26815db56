"""One thing goes and another comes, in one command: all or nothing, and never more than is there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shop import cart
from shop.cart_lines import WantedLine
from shop.errors import EmptyCart, NotEnoughStock, NotInCart


@pytest.fixture
def burger(test_burger) -> str:
    """The id of `Test Burger`."""
    return str(test_burger.id)


@pytest.fixture
def drink(make_product) -> str:
    """The id of `Chapman`, 5 in stock."""
    row = make_product(name="Chapman", price=Decimal("1500.00"), category="Drinks", stock_quantity=5)
    return str(row.id)


def line(*products: str, quantity: str | None = None, name: str = "") -> WantedLine:
    """A line as the customer said it."""
    return WantedLine(products, name, quantity)


def held(exchanged: cart.Exchanged) -> dict[str, int]:
    """What is in the cart now."""
    return {one.name: one.quantity for one in exchanged.cart.lines}


def test_two_things_are_taken_out_at_once(ask, burger, drink):
    ask(cart.add_lines, [line(burger, quantity="2"), line(drink, quantity="1")])
    exchanged = ask(cart.exchange, [line(burger), line(drink)], [])
    assert exchanged.removed == "Test Burger, Chapman"
    assert held(exchanged) == {}


def test_some_of_several_go(ask, burger):
    ask(cart.add, burger, "4")
    exchanged = ask(cart.exchange, [line(burger, quantity="1")], [])
    assert exchanged.removed == "1 × Test Burger"
    assert held(exchanged) == {"Test Burger": 3}


def test_more_than_there_are_is_all_of_them(ask, burger):
    ask(cart.add, burger, "2")
    assert held(ask(cart.exchange, [line(burger, quantity="9")], [])) == {}


def test_what_comes_for_it_comes_as_often(ask, burger, drink):
    ask(cart.add, burger, "3")
    exchanged = ask(cart.exchange, [line(burger)], [line(drink)])
    assert (exchanged.removed, exchanged.added) == ("Test Burger", "3 × Chapman")
    assert held(exchanged) == {"Chapman": 3}


def test_without_a_name_the_newest_goes(ask, burger, drink):
    ask(cart.add, burger, "1")
    ask(cart.add, drink, "2")
    assert held(ask(cart.exchange, [line()], [])) == {"Test Burger": 1}


def test_of_a_kind_the_one_that_is_there_is_meant(ask, burger, drink):
    ask(cart.add, drink, "2")
    assert held(ask(cart.exchange, [line(burger, drink, name="something")], [])) == {}


def test_what_is_not_there_does_not_stop_what_comes(ask, burger, drink):
    assert held(ask(cart.exchange, [line(burger, name="burger")], [line(drink, quantity="1")])) == {
        "Chapman": 1
    }


def test_nothing_goes_if_what_should_come_cannot(ask, burger, drink):
    ask(cart.add, burger, "2")
    with pytest.raises(NotEnoughStock):
        ask(cart.exchange, [line(burger)], [line(drink, quantity="6")])
    assert held(ask(cart.exchange, [], [line(drink, quantity="1")])) == {"Test Burger": 2, "Chapman": 1}


def test_what_is_not_there_cannot_go(ask, burger, drink):
    with pytest.raises(EmptyCart):
        ask(cart.exchange, [line(burger)], [])
    ask(cart.add, drink, "1")
    with pytest.raises(NotInCart):
        ask(cart.exchange, [line(burger)], [])


def test_it_is_undone_as_one_change(ask, burger, drink):
    ask(cart.add, burger, "2")
    ask(cart.exchange, [line(burger)], [line(drink)])
    assert {one.name: one.quantity for one in ask(cart.undo).lines} == {"Test Burger": 2}
