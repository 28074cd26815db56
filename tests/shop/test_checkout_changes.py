"""What changed between the review and the yes is told and asked about; nothing else is ordered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.models import DiscountKind, Product, ProductOption
from shop import cart, checkout, fulfilment
from shop.errors import EmptyCart, LineChange, OrderChanged


def units(shown: Any) -> dict[tuple[str, ...], int]:
    """What a cart holds: name and options, and units."""
    return {(line.name, *line.options): line.quantity for line in shown.lines}


CHEESY, PLAIN, DRINK = ("Test Burger", "Large", "Cheese"), ("Test Burger",), ("Chapman",)


class TestWhatChanged:
    """A yes orders what was shown, or nothing."""

    @pytest.mark.parametrize("price", ["5400.00", "5500.01", "7000.00", "0.00"])
    def test_a_price_up_or_down_is_told_for_each_line(self, ask, reviewed, burger, set_row, ordered, price):
        set_row(Product, burger.id, price=Decimal(price))
        told = ask(checkout.confirm)
        more = Decimal("1250.50")
        assert set(told.changes) == {
            LineChange("price", "Test Burger", Decimal("5500.00"), Decimal(price)),
            LineChange("price", "Test Burger", Decimal("5500.00") + more, Decimal(price) + more),
        }
        assert (told.placed, told.lost_code) == (None, None)
        assert ordered() == 0
        items = 2 * (Decimal(price) + more) + Decimal(price) + 4500
        assert told.cart.totals.items == items
        assert units(told.cart) == {CHEESY: 2, PLAIN: 1, DRINK: 3}
        placed = ask(checkout.confirm).placed
        assert placed.cart == told.cart, "a second yes is to the new price"

    def test_a_price_that_came_back_is_no_change(self, ask, reviewed, burger, set_row):
        set_row(Product, burger.id, price=Decimal(9999))
        set_row(Product, burger.id, price=Decimal("5500.00"))
        assert ask(checkout.confirm).placed is not None

    def test_another_price_of_an_option_is_told(self, ask, reviewed, options, set_row, ordered):
        set_row(ProductOption, options["Cheese"], price_difference=Decimal("300.50"))
        told = ask(checkout.confirm)
        assert told.changes == (
            LineChange("price", "Test Burger", Decimal("6750.50"), Decimal("6800.50")),
        ), "the plain one costs what it did"
        assert ordered() == 0
        assert ask(checkout.confirm).placed.cart == told.cart

    def test_a_line_whose_option_is_gone_is_taken_out(self, ask, reviewed, options, set_row, ordered):
        set_row(ProductOption, options["Cheese"], available=False)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("gone", "Test Burger", Decimal(2), Decimal(0)),)
        assert units(told.cart) == {PLAIN: 1, DRINK: 3}
        assert ordered() == 0
        assert units(ask(checkout.confirm).placed.cart) == {PLAIN: 1, DRINK: 3}

    def test_an_option_that_was_deleted_is_gone_as_well(self, ask, reviewed, options, sessions):
        with sessions.begin() as session:
            session.delete(session.get(ProductOption, options["Cheese"]))
        told = ask(checkout.confirm)
        assert LineChange("gone", "Test Burger", Decimal(2), Decimal(0)) in told.changes
        assert units(told.cart) == {PLAIN: 1, DRINK: 3}

    def test_a_product_that_is_not_sold_any_more_is_taken_out(self, ask, reviewed, burger, set_row, ordered):
        set_row(Product, burger.id, available=False)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("stock", "Test Burger", Decimal(3), Decimal(0)),)
        assert units(told.cart) == {DRINK: 3}
        assert ordered() == 0

    def test_of_several_lines_only_the_short_one_is_cut(self, ask, reviewed, drink, set_row, ordered):
        set_row(Product, drink.id, stock_quantity=2)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("stock", "Chapman", Decimal(3), Decimal(2)),)
        assert units(told.cart) == {CHEESY: 2, PLAIN: 1, DRINK: 2}
        assert ordered() == 0
        assert units(ask(checkout.confirm).placed.cart) == {CHEESY: 2, PLAIN: 1, DRINK: 2}

    @pytest.mark.parametrize(
        ("left", "kept"),
        [(2, {CHEESY: 2}), (1, {CHEESY: 1}), (0, {})],
    )
    def test_lines_of_one_product_are_cut_together(self, ask, reviewed, burger, set_row, left, kept):
        set_row(Product, burger.id, stock_quantity=left)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("stock", "Test Burger", Decimal(3), Decimal(left)),)
        assert units(told.cart) == {**kept, DRINK: 3}

    def test_a_line_that_is_gone_uses_up_nothing_of_what_is_left(
        self, ask, reviewed, burger, options, set_row
    ):
        """The cheese is gone, and one burger is left: the plain one can still be had."""
        set_row(ProductOption, options["Cheese"], available=False)
        set_row(Product, burger.id, stock_quantity=1)
        told = ask(checkout.confirm)
        assert LineChange("gone", "Test Burger", Decimal(2), Decimal(0)) in told.changes
        assert units(told.cart) == {PLAIN: 1, DRINK: 3}

    def test_everything_at_once_is_told_at_once(
        self, ask, reviewed, burger, drink, options, set_row, ordered
    ):
        set_row(Product, drink.id, stock_quantity=1, price=Decimal("1600.00"))
        set_row(ProductOption, options["Cheese"], available=False)
        told = ask(checkout.confirm)
        assert told.changes == (
            LineChange("stock", "Chapman", Decimal(3), Decimal(1)),
            LineChange("gone", "Test Burger", Decimal(2), Decimal(0)),
            LineChange("price", "Chapman", Decimal("1500.00"), Decimal("1600.00")),
        )
        assert units(told.cart) == {PLAIN: 1, DRINK: 1}
        assert told.cart.totals.items == Decimal("7100.00")
        assert ordered() == 0
        assert ask(checkout.confirm).placed.cart == told.cart

    def test_where_nothing_is_left_there_is_nothing_to_say_yes_to(
        self, ask, reviewed, burger, drink, set_row, ordered
    ):
        for product in (burger, drink):
            set_row(Product, product.id, stock_quantity=0)
        told = ask(checkout.confirm)
        assert {change.product for change in told.changes} == {"Test Burger", "Chapman"}
        assert (told.placed, told.cart) == (None, None)
        assert ordered() == 0
        with pytest.raises(EmptyCart):
            ask(checkout.confirm)

    def test_a_total_that_differs_for_another_reason_is_told(
        self, ask, asking, reviewed, clock, shop, ordered
    ):
        dearer = asking(tax_rate=Decimal("0.1"))
        told = dearer(checkout.confirm)
        assert told.changes == (LineChange("total", "", Decimal("25263.58"), Decimal("25851.10")),)
        assert ordered() == 0
        assert dearer(checkout.confirm).placed.cart.totals.total == Decimal("25851.10")

    def test_a_discount_that_ended_is_told_as_another_total(self, ask, shop, reviewed, clock):
        end = clock.now + timedelta(minutes=5)
        shop.run(
            lambda work: work.discounts.create(
                code="TEN", kind=DiscountKind.PERCENT, value=Decimal(10), ends_at=end
            )
        )
        ask(cart.apply_discount, ["ten"])
        before = ask(checkout.review).totals.total
        clock.pass_minutes(5)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("total", "", before, Decimal("25263.58")),)
        assert told.lost_code is None

    def test_what_is_cheaper_at_once_with_a_new_line_is_no_change_of_a_price(self, ask, reviewed, drink):
        """A line that the customer added after the review was never shown: the total tells."""
        ask(cart.add, str(drink.id), 1)
        told = ask(checkout.confirm)
        assert [change.kind for change in told.changes] == ["total"]

    def test_an_order_that_nobody_was_shown_is_compared_with_nothing(self, ask, burger, set_row):
        ask(cart.add, str(burger.id), 1)
        set_row(Product, burger.id, price=Decimal("5600.00"))
        assert ask(checkout.place).cart.totals.items == Decimal("5600.00")

    def test_placing_alone_refuses_with_the_changes(self, ask, reviewed, drink, set_row, ordered):
        set_row(Product, drink.id, stock_quantity=2)
        for _ in range(2):
            with pytest.raises(OrderChanged) as refusal:
                ask(checkout.place)
            assert refusal.value.changes == (LineChange("stock", "Chapman", Decimal(3), Decimal(2)),)
        assert ordered() == 0

    def test_units_that_others_hold_are_not_there(self, ask, shop, caller, reviewed, drink):
        from shop.customers import recognise

        who = caller(number="+2348030000003")
        other = shop.run(lambda work: recognise(work, who.lookup, who.address, "Other"))
        shop.run(lambda work: cart.add(work, other, str(drink.id), 18))
        shop.run(lambda work: checkout.place(work, other))
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("stock", "Chapman", Decimal(3), Decimal(2)),)


class TestATimeThatPassed:
    """At once is something else than tomorrow at six: who says yes too late is asked again."""

    def test_it_is_told_and_asked_about(self, ask, reviewed, clock, ordered):
        ask(fulfilment.order_ahead, "in 2 hours")
        assert ask(checkout.review).scheduled_for is not None
        clock.pass_minutes(121)
        told = ask(checkout.confirm)
        assert told.changes == (LineChange("time", "", Decimal(0), Decimal(0)),)
        assert (told.placed, told.cart.scheduled_for, ordered()) == (None, None, 0)
        assert ask(checkout.confirm).placed.cart.scheduled_for is None, "a second yes is to at once"

    def test_one_that_is_still_to_come_is_no_change(self, ask, reviewed, clock):
        ask(fulfilment.order_ahead, "in 2 hours")
        shown = ask(checkout.review)
        clock.pass_minutes(119)
        assert ask(checkout.confirm).placed.cart.scheduled_for == shown.scheduled_for
