"""How a product is wanted: sizes, extras, what is left out, and which lines are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from db.models import OptionGroup, Product, ProductOption
from shop import cart, checkout, orders
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import (
    EmptyCart,
    NotEnoughStock,
    NotInCart,
    QuantityTooLarge,
    QuantityTooSmall,
    SoldOut,
    TooManyOptions,
    UnknownOption,
)
from shop.options import as_wished, offered_with
from tests.shop.lines import wanted

Wanted = tuple[int, set[str], set[str]]


@dataclass
class Menu:
    """A burger with a size and extras, and a shake with milk of its own."""

    burger: Product
    shake: Product
    ids: dict[str, str]

    def options(self, *names: str) -> list[str]:
        return [self.ids[name] for name in names]

    def line(self, names: str = "", removals: str = "", quantity: str | None = None) -> WantedLine:
        """A wish about the burger, as the order parser leaves it."""
        options = tuple(self.options(*names.split()))
        return WantedLine((str(self.burger.id),), "burger", quantity, options, tuple(removals.split()))


def group(name: str, required: bool, most: int, options: dict[str, int]) -> OptionGroup:
    rows = [
        ProductOption(name=option, price_difference=Decimal(difference), position=position)
        for position, (option, difference) in enumerate(options.items())
    ]
    return OptionGroup(name=name, required=required, most=most, options=rows)


@pytest.fixture
def menu(make_product) -> Menu:
    of_burgers = [
        group("Size", True, 1, {"Small": 0, "Large": 1000, "Mini": -5600}),
        group("Bun", False, 1, {"Brioche": 300, "Wholegrain": 200}),
        group("Extras", False, 2, {"Cheese": 250, "Bacon": 500, "Egg": 150}),
    ]
    of_shakes = [group("Milk", True, 1, {"Cow": 0, "Oat": 400})]
    burger = make_product(removable=["Onions", "Ketchup"], option_groups=of_burgers)
    shake = make_product(name="Shake", price=Decimal("2000.00"), stock_quantity=None, option_groups=of_shakes)
    rows = [option for one in of_burgers + of_shakes for option in one.options]
    return Menu(burger, shake, {row.name: str(row.id) for row in rows})


@pytest.fixture
def sell_no_more(sessions, menu) -> Callable[[str], None]:
    """Takes an option off the menu."""

    def sell_no_more(name: str) -> None:
        with sessions.begin() as session:
            session.get(ProductOption, menu.ids[name]).available = False

    return sell_no_more


def names_of(menu: Menu, option_ids: tuple) -> set[str]:
    return {name for name, key in menu.ids.items() if key in map(str, option_ids)}


@pytest.fixture
def lines(menu) -> Callable[[CartView], list[Wanted]]:
    """Lines as (units, options, removals), the one changed last at the end."""

    def lines(shown: CartView) -> list[Wanted]:
        return sorted(
            ((line.quantity, names_of(menu, line.option_ids), set(line.removals)) for line in shown.lines),
            key=lambda wanted: (wanted[0], sorted(wanted[1]), sorted(wanted[2])),
        )

    return lines


def test_a_required_choice_that_nobody_made_is_the_first(ask, menu, lines):
    shown = ask(cart.add, str(menu.burger.id), 1).cart
    assert lines(shown) == [(1, {"Small"}, set())]
    assert shown.lines[0].unit_price == Decimal("5500.00")
    assert shown.lines[0].options == (), "what is meant anyway goes without saying"
    assert lines(ask(cart.add, str(menu.shake.id), 1).cart) == [
        (1, {"Cow"}, set()),
        (1, {"Small"}, set()),
    ]


def test_the_first_that_can_be_had_is_meant(ask, menu, lines, sell_no_more):
    sell_no_more("Small")
    shown = ask(cart.add, str(menu.burger.id), 1).cart
    assert lines(shown) == [(1, {"Large"}, set())]
    assert shown.lines[0].options == ("Large",)


def test_price_differences_count_for_every_unit(ask, menu):
    wanted = menu.options("Cheese", "Large", "Bacon")
    shown = ask(cart.add, str(menu.burger.id), 3, wanted, ["Ketchup"]).cart
    (line,) = shown.lines
    assert line.unit_price == Decimal("7250.00")
    assert line.total == shown.totals.items == Decimal("21750.00")
    assert line.options == ("Large", "Cheese", "Bacon"), "the size first"
    assert line.removals == ("Ketchup",)


def test_no_option_makes_a_unit_cost_less_than_nothing(ask, menu):
    shown = ask(cart.add, str(menu.burger.id), 2, menu.options("Mini")).cart
    assert (shown.lines[0].unit_price, shown.totals.total) == (0, 0)


def test_another_size_replaces_the_one_before(ask, menu, lines):
    ask(cart.add, str(menu.burger.id), 2, menu.options("Large", "Cheese"))
    changed = ask(cart.change_options, menu.line("Small"))
    assert (changed.product, changed.quantity) == ("Test Burger", 2)
    assert lines(changed.cart) == [(2, {"Small", "Cheese"}, set())]
    assert lines(ask(cart.change_options, menu.line("Brioche")).cart) == [
        (2, {"Small", "Cheese", "Brioche"}, set())
    ]
    assert lines(ask(cart.change_options, menu.line("Wholegrain")).cart) == [
        (2, {"Small", "Cheese", "Wholegrain"}, set())
    ]


def test_extras_add_up_to_as_many_as_there_may_be(ask, menu, lines):
    ask(cart.add, str(menu.burger.id), 1, menu.options("Cheese"))
    assert lines(ask(cart.change_options, menu.line("Bacon")).cart) == [
        (1, {"Small", "Cheese", "Bacon"}, set())
    ]
    before = ask(cart.change_options, menu.line("Bacon Cheese")).cart
    assert lines(before) == [(1, {"Small", "Cheese", "Bacon"}, set())], "what is there already is no third"
    with pytest.raises(TooManyOptions) as refusal:
        ask(cart.change_options, menu.line("Egg"))
    assert refusal.value.values == {"product": "Test Burger", "group": "Extras", "most": 2}
    assert ask(cart.current) == before


@pytest.mark.parametrize(
    ("names", "group", "most"),
    [("Large Small", "Size", 1), ("Brioche Wholegrain", "Bun", 1), ("Egg Bacon Cheese", "Extras", 2)],
)
def test_more_at_once_than_a_unit_can_have_is_refused(ask, menu, names, group, most):
    with pytest.raises(TooManyOptions) as refusal:
        ask(cart.add, str(menu.burger.id), 1, menu.options(*names.split()))
    assert refusal.value.values == {"product": "Test Burger", "group": group, "most": most}


def test_an_option_named_twice_counts_once(ask, menu, lines):
    shown = ask(cart.add, str(menu.burger.id), 1, menu.options("Large", "Large", "Cheese", "Cheese")).cart
    assert lines(shown) == [(1, {"Large", "Cheese"}, set())]


def test_what_this_product_does_not_have_is_refused(ask, menu, sell_no_more, sessions):
    """Another product's, one that is not sold any more, one that never was; nothing is added."""
    sell_no_more("Bacon")
    never = "00000000-0000-4000-8000-000000000000"
    for options, removals, asked in (
        (menu.options("Oat"), [], "Oat"),
        (menu.options("Bacon"), [], "Bacon"),
        ([never], [], "…"),
        (["not an id"], [], "…"),
        ([], ["pickles"], "pickles"),
    ):
        with pytest.raises(UnknownOption) as refusal:
            ask(cart.add, str(menu.burger.id), 1, options, removals)
        assert refusal.value.values == {"product": "Test Burger", "asked": asked}
    with pytest.raises(UnknownOption):
        ask(cart.add, str(menu.shake.id), 1, [], ["onions"])


def test_what_is_left_out_is_compared_without_regard_to_case(ask, menu, lines):
    for word in ("onions", "ONIONS", "Onions"):
        shown = ask(cart.add, str(menu.burger.id), 1, [], [word]).cart
    assert lines(shown) == [(3, {"Small"}, {"Onions"})]
    again = ask(cart.change_options, menu.line(removals="ketchup onions KETCHUP")).cart
    assert lines(again) == [(3, {"Small"}, {"Ketchup", "Onions"})]


def test_the_same_wish_is_the_same_line_and_another_is_another(ask, menu, lines):
    burger = str(menu.burger.id)
    ask(cart.add, burger, 1)
    ask(cart.add, burger, 1, menu.options("Small"))
    ask(cart.add, burger, 1, menu.options("Cheese", "Large"), ["onions", "ketchup"])
    ask(cart.add, burger, 1, menu.options("Large", "Cheese"), ["ketchup", "onions"])
    shown = ask(cart.add, burger, 1, menu.options("Large", "Cheese")).cart
    assert lines(shown) == [
        (1, {"Large", "Cheese"}, set()),
        (2, {"Large", "Cheese"}, {"Onions", "Ketchup"}),
        (2, {"Small"}, set()),
    ]


def test_one_of_two_without_onions_and_back_again(ask, menu, lines):
    burger = str(menu.burger.id)
    ask(cart.add, burger, 2)
    split = ask(cart.change_options, menu.line(removals="onions", quantity="1"))
    assert (split.product, split.quantity) == ("Test Burger", 1)
    assert lines(split.cart) == [(1, {"Small"}, set()), (1, {"Small"}, {"Onions"})]
    joined = ask(cart.change_options, WantedLine((), "", None, (), ("onions",)))
    assert lines(joined.cart) == lines(split.cart), "the one changed last is without onions already"
    ask(cart.set_quantities, [wanted(burger, "1")])
    # The plain one was changed before the other: it is reached once that one is gone.
    ask(cart.exchange, [wanted(burger)], [])
    assert lines(ask(cart.current)) == [(1, {"Small"}, set())]
    ask(cart.add, burger, 2, [], ["onions"])
    ask(cart.set_quantities, [wanted(None, "3")])
    ask(cart.add, burger, 1)
    merged = ask(cart.change_options, menu.line(removals="onions")).cart
    assert lines(merged) == [(5, {"Small"}, {"Onions"})], "two lines of one wish join"


def test_of_a_line_no_more_units_are_changed_than_it_has(ask, menu, lines):
    ask(cart.add, str(menu.burger.id), 2)
    changed = ask(cart.change_options, menu.line("Large", quantity="5"))
    assert changed.quantity == 2
    assert lines(changed.cart) == [(2, {"Large"}, set())]
    with pytest.raises(QuantityTooSmall):
        ask(cart.change_options, menu.line("Small", quantity="0"))


def test_without_a_product_the_newest_line_that_can_be_had_that_way_is_changed(ask, menu, lines):
    def wish(*names: str, name: str = "", removals: tuple[str, ...] = ()) -> WantedLine:
        return WantedLine((), name, None, tuple(menu.options(*names)), removals)

    ask(cart.add, str(menu.burger.id), 2)
    ask(cart.add, str(menu.burger.id), 1, menu.options("Egg"))
    ask(cart.add, str(menu.shake.id), 1)
    changed = ask(cart.change_options, wish("Oat"))
    assert changed.product == "Shake"
    assert lines(changed.cart) == [(1, {"Small", "Egg"}, set()), (1, {"Oat"}, set()), (2, {"Small"}, set())]
    changed = ask(cart.change_options, wish("Large"))
    assert (changed.product, changed.quantity) == ("Test Burger", 1), "no shake is large; the newest burger"
    assert lines(changed.cart) == [(1, {"Large", "Egg"}, set()), (1, {"Oat"}, set()), (2, {"Small"}, set())]
    before = ask(cart.current)
    for nobody in (wish("Oat", "Large"), wish(removals=("pickles",)), wish("Large", name="shake")):
        with pytest.raises(UnknownOption):
            ask(cart.change_options, nobody)
    assert ask(cart.current) == before
    named = ask(cart.change_options, wish("Cow", name="the shake"))
    assert (named.product, named.quantity) == ("Shake", 1)


def test_saying_nothing_about_a_line_changes_nothing(ask, menu):
    ask(cart.add, str(menu.burger.id), 2, menu.options("Large"))
    before = ask(cart.current)
    changed = ask(cart.change_options, menu.line())
    assert (changed.quantity, changed.cart) == (2, before)


def test_only_what_is_in_the_cart_can_be_changed(ask, menu):
    with pytest.raises(EmptyCart):
        ask(cart.change_options, menu.line("Large"))
    ask(cart.add, str(menu.shake.id), 1)
    with pytest.raises(NotInCart) as refusal:
        ask(cart.change_options, menu.line("Large"))
    assert refusal.value.values == {"asked": "burger"}


def test_what_is_not_sold_any_more_is_replaced_by_the_first(ask, menu, lines, sell_no_more):
    ask(cart.add, str(menu.burger.id), 1, menu.options("Large", "Bacon"))
    for name in ("Large", "Bacon"):
        sell_no_more(name)
    assert lines(ask(cart.change_options, menu.line("Egg")).cart) == [(1, {"Small", "Egg"}, set())]


def test_lines_of_one_product_share_its_stock(ask, menu, sessions):
    burger = str(menu.burger.id)
    ask(cart.add, burger, 30)
    ask(cart.add, burger, 19, menu.options("Large"))
    before = ask(cart.current)
    for change in (
        lambda: ask(cart.add, burger, 2, [], ["onions"]),
        lambda: ask(cart.add, burger, 2),
        lambda: ask(cart.set_quantities, [wanted(burger, "21")]),
        lambda: ask(cart.add_lines, [menu.line("Bacon"), menu.line("Egg")]),
        lambda: ask(cart.check_quantity, burger, "2"),
    ):
        with pytest.raises(NotEnoughStock) as refusal:
            change()
        assert refusal.value.values == {"product": "Test Burger", "left": 50}
        assert ask(cart.current) == before
    assert ask(cart.check_quantity, burger, "1") == 1
    ask(cart.set_quantities, [wanted(burger, "20")])
    with sessions.begin() as session:
        session.get(Product, menu.burger.id).stock_quantity = 0
    with pytest.raises(SoldOut):
        ask(cart.add, burger, 1, menu.options("Egg"))


def test_a_line_and_an_order_hold_so_many_units(ask, menu, make_product):
    shake = str(menu.shake.id)
    with pytest.raises(QuantityTooLarge) as refusal:
        ask(cart.add, shake, 101)
    assert refusal.value.values == {"limit": 100}
    ask(cart.add, shake, 100)
    ask(cart.add, shake, 100, menu.options("Oat"))
    with pytest.raises(QuantityTooLarge):
        ask(cart.add, shake, 1, menu.options("Oat"))
    for name in ("Water", "Juice", "Tea"):
        ask(cart.add, str(make_product(name=name, stock_quantity=None).id), 100)
    with pytest.raises(QuantityTooLarge) as refusal:
        ask(cart.add, str(menu.burger.id), 1)
    assert refusal.value.values == {"limit": 500}
    assert sum(line.quantity for line in ask(cart.current).lines) == 500


def test_joining_two_lines_makes_none_that_could_not_be_ordered_again(ask, menu):
    """A line holds at most a hundred units, also where two of one wish become one."""
    shake = str(menu.shake.id)
    ask(cart.add, shake, 100, menu.options("Oat"))
    ask(cart.add, shake, 60)
    with pytest.raises(QuantityTooLarge):
        ask(cart.change_options, WantedLine((shake,), "shake", None, tuple(menu.options("Oat"))))
    assert sorted(line.quantity for line in ask(cart.current).lines) == [60, 100]


def test_the_choices_of_a_product_are_shown_group_by_group(shop, menu, sell_no_more):
    sell_no_more("Egg")

    def offered(work):
        return offered_with(work, work.products.find_by_id(menu.burger.id))

    groups = shop.run(offered)
    assert {group.name: group.required for group in groups} == {"Size": True, "Bun": False, "Extras": False}
    shown = {group.name: [(o.name, o.price_difference) for o in group.options] for group in groups}
    assert shown["Size"] == [("Small", 0), ("Large", 1000), ("Mini", -5600)]
    assert shown["Extras"] == [("Cheese", 250), ("Bacon", 500)]


def test_a_product_without_choices_offers_none(shop, test_burger):
    assert shop.run(lambda work: offered_with(work, test_burger)) == ()


def test_a_wish_is_sorted_however_it_was_said(shop, menu):
    def wish(options: list[str], removals: list[str]):
        return shop.run(
            lambda work: as_wished(work, work.products.find_by_id(menu.burger.id), options, removals)
        )

    first = wish(menu.options("Cheese", "Egg", "Large"), ["ketchup", "onions"])
    assert first == wish(menu.options("Egg", "Large", "Cheese"), ["ONIONS", "Ketchup"])
    assert first.removals == ("Ketchup", "Onions")
    assert list(first.option_ids) == sorted(first.option_ids)


def test_the_same_again_is_the_same_wish(ask, menu, pay, lines):
    ask(cart.add, str(menu.burger.id), 2, menu.options("Large", "Egg"), ["onions"])
    placed = ask(checkout.place)
    assert pay(placed) == "verified"
    again = ask(orders.repeat).cart
    assert lines(again) == [(2, {"Large", "Egg"}, {"Onions"})]
    assert again.totals == placed.cart.totals


def test_an_order_keeps_its_options_whatever_becomes_of_them(ask, menu, sessions):
    ask(cart.add, str(menu.burger.id), 2, menu.options("Large", "Egg"), ["onions"])
    placed = ask(checkout.place)
    with sessions.begin() as session:
        session.delete(session.get(ProductOption, menu.ids["Egg"]))
        session.get(ProductOption, menu.ids["Large"]).name = "Huge"
    (line,) = ask(orders.latest).cart.lines
    assert line == placed.cart.lines[0]
    assert (line.options, line.unit_price) == (("Large", "Egg"), Decimal("6650.00"))
