"""Undo: the lines as they were before the last change, and before the one before."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db.models import DiscountKind, OptionGroup, OrderStatus, Product, ProductOption
from shop import cart, checkout, orders
from shop.cart import MOST_UNDONE
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.customers import recognise
from shop.errors import EmptyCart, NothingToUndo, NotInCart, ShopError, SoldOut
from tests.shop.lines import wanted


@pytest.fixture
def burger(make_product) -> Product:
    """A burger that comes large, and without onions."""
    size = OptionGroup(name="Size", required=True)
    size.options = [ProductOption(name="Small", position=0), ProductOption(name="Large", position=1)]
    return make_product(removable=["Onions"], option_groups=[size])


@pytest.fixture
def large(burger) -> str:
    return str(burger.option_groups[0].options[1].id)


@pytest.fixture
def drink(make_product) -> str:
    return str(make_product(name="Chapman", price=Decimal("1500.00"), category="Drinks").id)


def contents(view: CartView) -> set[tuple[Any, ...]]:
    return {(line.product_id, line.quantity, line.option_ids, line.removals) for line in view.lines}


def test_every_change_can_be_taken_back(ask, burger, large, drink):
    """One after the other, each undone at once: the cart is as before each time."""
    product = str(burger.id)
    ask(cart.add, product, 2)
    ask(cart.add, drink, 1)
    before = ask(cart.current)
    no_onions = WantedLine((product,), "burger", "1", (), ("onions",))
    for change in (
        lambda: ask(cart.add, drink, 3),
        lambda: ask(cart.add, product, 1, [large]),
        lambda: ask(cart.add_lines, [no_onions, WantedLine((drink,), "", "2")]),
        lambda: ask(cart.set_quantities, [wanted(product, "7")]),
        lambda: ask(cart.change_options, no_onions),
        lambda: ask(cart.change_options, WantedLine((product,), "", None, (large,))),
        lambda: ask(cart.exchange, [wanted(drink)], []),
        lambda: ask(cart.clear),
        lambda: ask(cart.start_over),
    ):
        change()
        assert contents(look(ask)) != contents(before), "something was changed"
        restored = ask(cart.undo)
        assert restored == before == ask(cart.current), "down to the order of the lines"


def look(ask: Callable[..., Any]) -> CartView:
    """The cart, also where it is empty."""

    def view(work: Any, customer: Any) -> CartView:
        return cart.view_cart(work, cart.open_cart(work, customer))

    return ask(view)


def test_step_by_step_back_to_the_empty_cart(ask, burger, large, drink):
    product = str(burger.id)
    states = [set()]
    for change in (
        lambda: ask(cart.add, product, 2),
        lambda: ask(cart.add, drink, 1),
        lambda: ask(cart.set_quantities, [wanted(product, "3")]),
        lambda: ask(cart.change_options, WantedLine((product,), "", "1", (large,), ("onions",))),
        lambda: ask(cart.exchange, [wanted(drink)], []),
    ):
        states.append(contents(change().cart))
    assert len(set(map(frozenset, states))) == 6
    for earlier in reversed(states[:-1]):
        assert contents(ask(cart.undo)) == earlier
    with pytest.raises(NothingToUndo):
        ask(cart.undo)
    with pytest.raises(EmptyCart):
        ask(cart.current)


def test_an_undo_is_no_change_that_could_be_undone(ask, drink):
    ask(cart.add, drink, 1)
    ask(cart.add, drink, 1)
    assert [line.quantity for line in ask(cart.undo).lines] == [1]
    assert ask(cart.undo).lines == ()
    with pytest.raises(NothingToUndo):
        ask(cart.undo)


def test_at_most_ten_changes_are_remembered(ask, drink):
    for _ in range(MOST_UNDONE + 3):
        ask(cart.add, drink, 1)
    seen = [ask(cart.undo).lines[0].quantity for _ in range(MOST_UNDONE)]
    assert seen == list(range(12, 2, -1))
    with pytest.raises(NothingToUndo):
        ask(cart.undo)
    assert ask(cart.current).lines[0].quantity == 3


def test_there_is_nothing_to_undo_in_a_new_cart(ask, clock, shop, drink):
    with pytest.raises(NothingToUndo):
        ask(cart.undo)
    ask(cart.add, drink, 1)
    clock.pass_minutes(24 * 60 + 1)
    with pytest.raises(NothingToUndo):
        ask(cart.undo)


def test_what_was_refused_needs_no_undo(ask, make_product, drink):
    gone = make_product(name="Gone", stock_quantity=0)
    ask(cart.add, drink, 2)
    for refused in (
        lambda: ask(cart.add, str(gone.id), 1),
        lambda: ask(cart.exchange, [wanted(str(gone.id), name="gone")], []),
    ):
        with pytest.raises((SoldOut, NotInCart)):
            refused()
    assert ask(cart.undo).lines == ()


def test_prices_and_stock_are_todays_after_an_undo(ask, sessions, burger):
    """Undo brings back what was wanted; what it costs, and whether it can be had, the shop says."""
    ask(cart.add, str(burger.id), 4)
    ask(cart.clear)
    with sessions.begin() as session:
        row = session.get(Product, burger.id)
        row.price, row.stock_quantity = Decimal("6000.00"), 1
    restored = ask(cart.undo)
    assert (restored.lines[0].quantity, restored.lines[0].unit_price) == (4, Decimal("6000.00"))
    ask(checkout.review)
    assert ask(checkout.confirm).placed is None


def test_the_discount_stays_whatever_is_undone(ask, shop, drink):
    shop.run(lambda work: work.discounts.create(code="TEN", kind=DiscountKind.PERCENT, value=Decimal(10)))
    ask(cart.add, drink, 1)
    ask(cart.add, drink, 1)
    ask(cart.apply_discount, ["ten"])
    restored = ask(cart.undo)
    assert (restored.discount_code, restored.totals.discount) == ("TEN", Decimal("150.00"))


def test_undo_goes_on_with_the_cart_of_an_unpaid_order(ask, drink):
    """The customer has a payment link and takes the last change back: the order is given up."""
    ask(cart.add, drink, 1)
    ask(cart.add, drink, 4)
    placed = ask(checkout.place)
    assert [line.quantity for line in ask(cart.undo).lines] == [1]
    with pytest.raises(ShopError):
        ask(orders.payment_state)
    assert ask(orders.latest).number == placed.number
    assert ask(orders.latest).status == OrderStatus.CANCELLED


def test_nothing_to_undo_leaves_the_unpaid_order_alone(ask, drink, sessions):
    ask(cart.add, drink, 1)
    ask(cart.undo)
    with pytest.raises(NothingToUndo):
        ask(cart.undo)
    ask(cart.add, drink, 1)

    def forget(work, customer):
        work.carts.find_open(customer.id).history = []

    ask(forget)
    placed = ask(checkout.place)
    with pytest.raises(NothingToUndo):
        ask(cart.undo)
    assert ask(orders.payment_state).number == placed.number


def test_one_customers_undo_is_not_anothers(ask, shop, caller, drink):
    ask(cart.add, drink, 1)
    who = caller(number="+2348099999999")
    stranger = shop.run(lambda work: recognise(work, who.lookup, who.address, "Stranger"))
    with pytest.raises(NothingToUndo):
        shop.run(lambda work: cart.undo(work, stranger))
    assert len(ask(cart.current).lines) == 1


RUNS = count(1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "lines", "set", "options", "remove", "clear", "over"]),
        st.integers(0, 1),
        st.integers(1, 4),
        st.booleans(),
        st.booleans(),
    ),
    max_size=MOST_UNDONE,
)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_as_many_undos_as_changes_give_back_every_earlier_cart(shop, burger, large, drink, steps):
    who = shop.run(lambda work: recognise(work, f"undoer {next(RUNS)}", None, None))
    states = [set()]
    for kind, index, units, is_large, no_onions in steps:
        product = (str(burger.id), drink)[index]
        wish = ((large,) if is_large and not index else (), ("onions",) if no_onions and not index else ())
        line = WantedLine((product,), "", str(units), *wish)
        operation, args = {
            "add": (cart.add, (product, units, *wish)),
            "lines": (cart.add_lines, ([line, WantedLine((drink,), "", None)],)),
            "set": (cart.set_quantities, ([wanted(product, str(units))],)),
            "options": (cart.change_options, (line,)),
            "remove": (cart.exchange, ([wanted(product)], [])),
            "clear": (cart.clear, ()),
            "over": (cart.start_over, ()),
        }[kind]

        def change(work, operation=operation, args=args):
            operation(work, who, *args)
            return contents(cart.view_cart(work, cart.open_cart(work, who)))

        try:
            states.append(shop.run(change))
        except ShopError:
            continue
    for earlier in reversed(states[:-1]):
        assert contents(shop.run(lambda work: cart.undo(work, who))) == earlier
    with pytest.raises(NothingToUndo):
        shop.run(lambda work: cart.undo(work, who))
