"""Checkout: what is ordered is what was shown, once, and all of it is kept."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from db.models import DiscountKind, Order, Payment, Product
from shop import cart, checkout, fulfilment, orders
from shop.cart_view import Line
from shop.checkout import Confirmation
from shop.errors import EmptyCart
from shop.service import Shop


class TestTheSameYes:
    """A yes is repeated after a crash: it says what it said, and orders nothing that was not shown."""

    def confirm(self, shop: Shop, who: Any) -> Confirmation:
        return shop.execute(who, "confirm", Confirmation, checkout.confirm).result

    def test_a_yes_that_met_a_change_orders_nothing_when_it_is_repeated(
        self, ask, shop, caller, reviewed, burger, set_row, ordered
    ):
        set_row(Product, burger.id, price=Decimal("6000.00"))
        who = caller()
        told = self.confirm(shop, who)
        assert told.changes
        for _ in range(3):
            assert self.confirm(shop, who) == told
        assert ordered() == 0
        placed = self.confirm(shop, caller()).placed
        assert placed.cart == told.cart, "the next message's yes orders it"

    def test_a_yes_that_ordered_orders_once(self, shop, caller, reviewed, ordered):
        who = caller()
        first = self.confirm(shop, who)
        assert first.placed is not None
        assert [self.confirm(shop, who) for _ in range(3)] == [first] * 3
        assert ordered() == 1 + 1 + 2, "an order, its payment, and holds on two products"

    def test_another_yes_while_it_awaits_payment_is_the_same_order(self, shop, caller, reviewed):
        first = self.confirm(shop, caller()).placed
        assert self.confirm(shop, caller()).placed == first


class TestWhatWasNeverShown:
    def test_a_yes_before_anything_was_shown_shows_it(self, ask, burger, ordered):
        ask(cart.add, str(burger.id), 2)
        told = ask(checkout.confirm)
        assert (told.placed, told.changes, told.lost_code) == (None, (), None)
        assert [line.quantity for line in told.cart.lines] == [2]
        assert ordered() == 0
        assert ask(checkout.confirm).placed.cart == told.cart


class TestTheOrder:
    def test_an_order_keeps_all_that_was_shown(
        self, asking, shop, make_product, burger, options, sessions, clock
    ):
        ask = asking(delivery_fee=Decimal("750.00"), tax_classes={"reduced": Decimal("0.05")})
        bread = make_product(name="Bread", price=Decimal("2000.00"), tax_class="reduced")
        shop.run(
            lambda work: work.discounts.create(code="OFF", kind=DiscountKind.AMOUNT, value=Decimal("1000.00"))
        )
        ask(cart.add, str(burger.id), 2, [options["Cheese"], options["Large"]], ["onions"])
        ask(cart.add, str(bread.id), 1)
        ask(cart.apply_discount, ["off"])
        ask(fulfilment.choose_delivery, "12 Allen Avenue, Ikeja")
        ask(fulfilment.order_ahead, "tomorrow 6pm")
        shown = ask(checkout.review)
        placed = ask(checkout.confirm, "cash").placed
        assert placed.cart == shown
        with sessions() as session:
            order = session.query(Order).one()
            assert re.fullmatch("[2-9A-HJKMNP-Z]{6}", order.number)
            assert len(order.receipt_token) == 32
            assert (order.items_amount, order.discount_amount, order.discount_code) == (
                Decimal("15501.00"),
                Decimal("1000.00"),
                "OFF",
            )
            assert order.taxes == [
                {"tax_class": "reduced", "rate": "0.05", "base": "1870.98", "amount": "93.55"},
                {"tax_class": "standard", "rate": "0.075", "base": "12630.02", "amount": "947.25"},
            ]
            assert order.tax_amount == Decimal("1040.80")
            assert (order.delivery_fee, order.total_amount) == (Decimal("750.00"), Decimal("16291.80"))
            assert (order.fulfilment, order.delivery_address) == ("delivery", "12 Allen Avenue, Ikeja")
            assert (order.scheduled_for, order.created_at) == (shown.scheduled_for, clock.now)
            first, second = order.items
            assert (first.product_name, first.quantity, first.unit_price, first.total_price) == (
                "Test Burger",
                2,
                Decimal("6750.50"),
                Decimal("13501.00"),
            )
            assert (first.option_names, first.removals) == (["Large", "Cheese"], ["Onions"])
            assert sorted(map(str, first.option_ids)) == sorted([options["Cheese"], options["Large"]])
            assert (second.product_name, second.option_ids, second.position) == ("Bread", [], 1)

    def test_every_order_has_a_number_a_token_and_a_reference_of_its_own(
        self, asking, burger, sessions, clock
    ):
        ask = asking()
        for _ in range(5):
            clock.pass_minutes(1)
            ask(cart.add, str(burger.id), 1)
            ask(checkout.place, "cash")
        with sessions() as session:
            rows = session.query(Order).all()
            for values in ({row.number for row in rows}, {row.receipt_token for row in rows}):
                assert len(values) == 5
            assert session.query(Payment.payment_reference).distinct().count() == 5

    def test_the_checkout_begins_where_there_is_something_to_order(self, ask, burger):
        for step in (checkout.begin, checkout.review, checkout.accept_changes):
            with pytest.raises(EmptyCart):
                ask(step)
        ask(cart.add, str(burger.id), 1)
        assert ask(checkout.begin) == checkout.Handover("pickup", None, None)

    def test_a_line_as_it_is_shown_is_a_line_as_it_is_kept(self, ask, burger, options):
        ask(cart.add, str(burger.id), 1, [options["Large"]], ["onions"])
        placed = ask(checkout.place)
        (line,) = placed.cart.lines
        assert isinstance(line, Line)
        assert (line.options, line.removals) == (("Large",), ("Onions",))
        assert ask(orders.latest).cart.lines == (line,)
