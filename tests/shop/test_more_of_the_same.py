"""More of what is in the cart, less of it, and what is said of several of its lines at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shop import cart
from shop.cart_view import CartView
from shop.errors import EmptyCart, NotInCart, ShopError, UnknownOption
from tests.shop.lines import wanted


@pytest.fixture
def filled(ask, burger, drink, options) -> None:
    """Two large burgers and, added last, one Chapman."""
    ask(cart.add, str(burger.id), "2", [options["Large"]])
    ask(cart.add, str(drink.id), "1")


def held(view: CartView) -> list[tuple[int, str, list[str], list[str]]]:
    """Every line: units, name, options, what is left out."""
    return [(line.quantity, line.name, list(line.options), list(line.removals)) for line in view.lines]


def test_another_one_is_one_more_of_the_newest(ask, filled):
    changed = ask(cart.add_again, wanted(None, "1"))
    assert changed.product == "1 × Chapman"
    assert [units for units, *_ in held(changed.cart)] == [2, 2]


def test_the_same_again_is_as_many_as_are_there_wanted_the_same_way(ask, filled, burger):
    changed = ask(cart.add_again, wanted(str(burger.id)))
    assert (4, "Test Burger", ["Large"], []) in held(changed.cart)


def test_the_same_but_is_a_line_of_its_own(ask, filled, burger):
    line = replace(wanted(str(burger.id), "1"), removals=("onions",))
    lines = held(ask(cart.add_again, line).cart)
    assert (2, "Test Burger", ["Large"], []) in lines
    assert (1, "Test Burger", ["Large"], ["Onions"]) in lines


def test_more_of_nothing_is_refused(ask, burger):
    with pytest.raises(EmptyCart):
        ask(cart.add_again, wanted(None, "1"))
    ask(cart.add, str(burger.id), "1")
    with pytest.raises(NotInCart):
        ask(cart.add_again, wanted("00000000-0000-0000-0000-000000000000", "1", "cake"))


def test_several_lines_get_their_numbers_at_once(ask, filled, burger, drink):
    changed = ask(cart.set_quantities, [wanted(str(burger.id), "1"), wanted(str(drink.id), "5")])
    assert (changed.removed, changed.added) == ("", "1 × Test Burger, 5 × Chapman")


def test_none_of_something_takes_it_out(ask, filled, drink):
    changed = ask(cart.set_quantities, [wanted(str(drink.id), "0")])
    assert (changed.removed, changed.added) == ("Chapman", "")
    assert [name for _, name, *_ in held(changed.cart)] == ["Test Burger"]


def test_of_several_numbers_all_are_set_or_none(ask, filled, burger, drink):
    with pytest.raises(ShopError):
        ask(cart.set_quantities, [wanted(str(burger.id), "1"), wanted(str(drink.id), "500")])
    assert [units for units, *_ in held(ask(cart.current))] == [2, 1]


def test_what_is_said_of_all_goes_for_those_that_can_be_had_so(ask, filled, burger, drink):
    ask(cart.add, str(burger.id), "1")
    lines = held(change_all(ask, replace(wanted(None), removals=("onions",))))
    assert [left_out for _, name, _, left_out in lines if name == "Test Burger"] == [["Onions"], ["Onions"]]
    assert [left_out for _, name, _, left_out in lines if name == "Chapman"] == [[]]


def test_what_none_can_be_is_refused(ask, filled):
    with pytest.raises(UnknownOption):
        change_all(ask, replace(wanted(None), removals=("pineapple",)))


def change_all(ask, line) -> CartView:
    """Change options wherever that can be."""
    return ask(lambda work, customer: cart.change_options(work, customer, line, everywhere=True)).cart


def test_the_cart_is_emptied_for_something_else_in_one_step(ask, filled, drink):
    changed = ask(cart.clear, [wanted(str(drink.id), "3")])
    assert changed.product == "3 × Chapman"
    assert [(units, name) for units, name, *_ in held(changed.cart)] == [(3, "Chapman")]
    assert len(held(ask(cart.undo))) == 2, "one step back"


def test_what_cannot_be_had_instead_empties_nothing(ask, filled, drink):
    with pytest.raises(ShopError):
        ask(cart.clear, [wanted(str(drink.id), "500")])
    assert len(held(ask(cart.current))) == 2
