"""The cart: filled, changed, emptied; never a price or a quantity that the shop did not allow."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db.models import Cart, CartStatus, Order, OrderStatus, Payment, PaymentStatus, Product
from shop import cart, checkout
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.customers import recognise
from shop.errors import (
    EmptyCart,
    NotEnoughStock,
    NotInCart,
    ProductGone,
    QuantityNotANumber,
    QuantityNotWhole,
    QuantityTooLarge,
    QuantityTooSmall,
    ShopError,
    SoldOut,
)
from tests.shop.lines import wanted


@pytest.fixture
def burger(test_burger) -> str:
    """The id of `Test Burger`: 5500.00, 50 in stock."""
    return str(test_burger.id)


@pytest.fixture
def drink(make_product) -> str:
    """The id of `Chapman`: 1500.00, 5 in stock."""
    row = make_product(name="Chapman", price=Decimal("1500.00"), category="Drinks", stock_quantity=5)
    return str(row.id)


def contents(view: CartView) -> dict[str, int]:
    return {line.name: line.quantity for line in view.lines}


def test_cart_operations(ask, burger, drink):
    """Two burgers and a drink, looked at, then emptied."""
    first = ask(cart.add, burger, "2")
    assert (first.product, first.quantity) == ("2 × Test Burger", 2)
    ask(cart.add, drink, 1)

    shown = ask(cart.current)
    assert [(line.name, line.quantity, line.unit_price, line.total) for line in shown.lines] == [
        ("Test Burger", 2, Decimal("5500.00"), Decimal("11000.00")),
        ("Chapman", 1, Decimal("1500.00"), Decimal("1500.00")),
    ]
    assert shown.totals.items == Decimal("12500.00")
    assert shown.totals.tax == Decimal("937.50")
    assert shown.totals.total == Decimal("13437.50")
    assert shown.currency == "NGN"

    assert ask(cart.clear).cart.lines == ()
    with pytest.raises(EmptyCart):
        ask(cart.current)
    assert ask(cart.clear).cart.lines == (), "emptying an empty cart is no error"


def test_cart_modifications(ask, burger, drink):
    """Added twice is one line; set replaces; removed is gone; removed and added again works."""
    ask(cart.add, burger, 2)
    assert contents(ask(cart.add, burger, 3).cart) == {"Test Burger": 5}
    changed = ask(cart.set_quantities, [wanted(burger, "4")])
    assert (changed.removed, changed.added) == ("", "4 × Test Burger")
    ask(cart.add, drink, 2)

    removed = ask(cart.exchange, [wanted(burger, name="burger")], [])
    assert (removed.removed, contents(removed.cart)) == ("Test Burger", {"Chapman": 2})
    with pytest.raises(NotInCart) as refusal:
        ask(cart.exchange, [wanted(burger, name="the burger")], [])
    assert refusal.value.values == {"asked": "the burger"}
    assert contents(ask(cart.add, burger, 1).cart) == {"Chapman": 2, "Test Burger": 1}


def test_without_a_name_the_line_added_last_is_meant(ask, burger, drink):
    ask(cart.add, burger, 1)
    ask(cart.add, drink, 1)
    assert contents(ask(cart.set_quantities, [wanted(None, "3")]).cart) == {"Test Burger": 1, "Chapman": 3}
    ask(cart.add, burger, 1)
    assert ask(cart.exchange, [wanted(None)], []).removed == "Test Burger"


@pytest.mark.parametrize("typed", ["chapman", "Chapmann", "the chapman"])
def test_remove_by_name(ask, burger, drink, typed):
    ask(cart.add, burger, 1)
    ask(cart.add, drink, 1)
    assert contents(ask(cart.exchange, [wanted(None, name=typed)], []).cart) == {"Test Burger": 1}
    with pytest.raises(NotInCart):
        ask(cart.exchange, [wanted(None, name="sushi platter")], [])


def test_an_empty_cart_has_nothing_to_change(ask, burger):
    for change in (
        lambda: ask(cart.exchange, [wanted(burger, name="burger")], []),
        lambda: ask(cart.set_quantities, [wanted(burger, "2", "burger")]),
        lambda: ask(cart.set_quantities, [wanted(None, "2")]),
    ):
        with pytest.raises(EmptyCart):
            change()


@pytest.mark.parametrize(
    ("quantity", "refused"),
    [
        ("0", QuantityTooSmall),
        (0, QuantityTooSmall),
        ("-1", QuantityTooSmall),
        ("2.5", QuantityNotWhole),
        ("a lot", QuantityNotANumber),
        ("", QuantityNotANumber),
        ("NaN", QuantityNotANumber),
        ("Infinity", QuantityNotANumber),
        (10**12, QuantityTooLarge),
        (str(10**12), QuantityTooLarge),
        ("101", QuantityTooLarge),
        ("99", QuantityTooLarge),  # on top of two
        ("51", NotEnoughStock),
        ("49", NotEnoughStock),  # on top of two
    ],
)
def test_an_impossible_quantity_is_refused_and_the_cart_unchanged(ask, burger, quantity, refused):
    ask(cart.add, burger, 2)
    before = ask(cart.current)
    with pytest.raises(refused):
        ask(cart.add, burger, quantity)
    with pytest.raises(refused):
        ask(cart.check_quantity, burger, str(quantity))
    assert ask(cart.current) == before


@pytest.mark.parametrize("quantity", ["-1", "2.5", "a lot", str(10**12), "101", "51"])
def test_a_line_cannot_be_set_to_an_impossible_quantity(ask, burger, quantity):
    ask(cart.add, burger, 2)
    before = ask(cart.current)
    with pytest.raises(ShopError):
        ask(cart.set_quantities, [wanted(burger, quantity)])
    assert ask(cart.current) == before


def test_a_refusal_says_what_is_possible(ask, burger, drink):
    with pytest.raises(NotEnoughStock) as refusal:
        ask(cart.add, drink, 6)
    assert refusal.value.values == {"product": "Chapman", "left": 5}
    with pytest.raises(QuantityTooLarge) as refusal:
        ask(cart.add, burger, 101)
    assert refusal.value.values == {"limit": 100}
    with pytest.raises(QuantityNotWhole) as refusal:
        ask(cart.add, burger, "2.50")
    assert refusal.value.values == {"quantity": "2.5"}
    with pytest.raises(EmptyCart):
        ask(cart.current)


def test_what_is_not_sold_cannot_be_added(ask, make_product):
    for product in (make_product(name="Off", available=False), make_product(name="Gone", stock_quantity=0)):
        with pytest.raises(SoldOut):
            ask(cart.add, str(product.id), 1)
    for unknown in ("00000000-0000-4000-8000-000000000000", "burger", "1; DROP TABLE products"):
        for operation, args in ((cart.add, (1,)), (cart.check_quantity, ("1",)), (cart.ask_quantity, ())):
            with pytest.raises(ProductGone):
                ask(operation, unknown, *args)


def test_prices_always_come_from_the_catalogue(ask, burger, sessions, test_burger):
    ask(cart.add, burger, 2)
    with sessions.begin() as session:
        session.get(Product, test_burger.id).price = Decimal("6000.00")
    shown = ask(cart.current)
    assert shown.lines[0].unit_price == Decimal("6000.00")
    assert shown.totals.total == Decimal("12900.00")


def test_several_lines_go_in_together_or_not_at_all(ask, burger, drink):
    wanted = [WantedLine((burger,), "burger", "2"), WantedLine((drink,), "chapman", None)]
    added = ask(cart.add_lines, wanted)
    assert added.product == "2 × Test Burger, 1 × Chapman"
    assert added.quantity == 3
    assert contents(added.cart) == {"Test Burger": 2, "Chapman": 1}

    with pytest.raises(NotEnoughStock):
        ask(cart.add_lines, [WantedLine((burger,), "burger", "1"), WantedLine((drink,), "chapman", "9")])
    assert ask(cart.current) == added.cart


def test_editing_while_an_order_awaits_payment_cancels_the_order(ask, burger, drink, sessions, test_burger):
    """The customer changes their mind after the payment link came."""
    ask(cart.add, burger, 2)
    placed = ask(checkout.place)
    assert ask(cart.current) == placed.cart, "the order is what the customer has in hand"

    edited = ask(cart.add, drink, 1)
    assert contents(edited.cart) == {"Test Burger": 2, "Chapman": 1}, "the same cart goes on"
    with sessions.begin() as session:
        order = session.query(Order).one()
        assert (order.number, order.status) == (placed.number, OrderStatus.CANCELLED)
        assert session.query(Payment).one().status == PaymentStatus.EXPIRED
        assert session.get(Product, test_burger.id).reserved_quantity == 0
        (only,) = session.query(Cart).all()
        assert (only.id, only.status) == (order.cart_id, CartStatus.OPEN)

    again = ask(checkout.place)
    assert again.number != placed.number
    assert contents(again.cart) == {"Test Burger": 2, "Chapman": 1}


def test_a_refused_edit_leaves_the_order_as_it_was(ask, burger, sessions, test_burger):
    ask(cart.add, burger, 2)
    placed = ask(checkout.place)
    with pytest.raises(QuantityTooLarge):
        ask(cart.set_quantities, [wanted(burger, "500")])
    assert ask(checkout.place) == placed
    with sessions.begin() as session:
        assert session.get(Product, test_burger.id).reserved_quantity == 2


def test_start_over(ask, burger, sessions, test_burger):
    """Nothing is left of cart and unpaid order."""
    ask(cart.add, burger, 2)
    ask(checkout.place)
    ask(cart.start_over)
    with pytest.raises(EmptyCart):
        ask(cart.current)
    with sessions.begin() as session:
        assert session.query(Order).one().status == OrderStatus.CANCELLED
        assert session.get(Product, test_burger.id).reserved_quantity == 0
    with pytest.raises(EmptyCart):
        ask(checkout.place)


RUNS = count(1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "set", "remove"]),
        st.integers(0, 2),
        st.one_of(st.integers(-2, 120), st.sampled_from(["", "2.5", "lots", "3"])),
    ),
    max_size=12,
)


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, prices=st.lists(st.decimals(0, 99_999, places=2), min_size=3, max_size=3))
def test_whatever_is_done_the_cart_adds_up(shop, make_product, steps, prices):
    run = next(RUNS)
    products = [
        make_product(name=f"Dish {n}", sku=f"RUN-{run}-{n}", price=price, stock_quantity=stock)
        for n, (price, stock) in enumerate(zip(prices, [None, 40, 3], strict=True))
    ]
    who = shop.run(lambda work: recognise(work, f"customer {run}", None, None))
    for kind, index, quantity in steps:
        product = str(products[index].id)
        change = {
            "add": lambda work, p=product, q=quantity: cart.add(work, who, p, q),
            "set": lambda work, p=product, q=quantity: cart.set_quantities(work, who, [wanted(p, str(q))]),
            "remove": lambda work, p=product: cart.exchange(work, who, [wanted(p)], []),
        }[kind]
        try:
            shown = shop.run(change).cart
        except ShopError:
            continue
        assert all(1 <= line.quantity <= 100 for line in shown.lines)
        assert all(line.total == line.unit_price * line.quantity for line in shown.lines)
        assert shown.totals.items == sum(line.total for line in shown.lines)
        assert shown.totals.total == shown.totals.items + shown.totals.tax
        assert len({line.product_id for line in shown.lines}) == len(shown.lines)
        limits = {"Dish 0": 100, "Dish 1": 40, "Dish 2": 3}
        assert all(line.quantity <= limits[line.name] for line in shown.lines)
