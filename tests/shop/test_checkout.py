"""Checkout: what is ordered is what was shown, at the price that was shown, or it is asked again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from db.models import (
    Cart,
    CartStatus,
    Customer,
    DiscountKind,
    OptionGroup,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductOption,
    StockReservation,
)
from shop import cart, checkout, fulfilment, orders
from shop.cart_view import Line
from shop.checkout import Confirmation, PlacedOrder
from shop.errors import (
    EmptyCart,
    LineChange,
    OrderChanged,
    PaymentRejected,
    ProviderUnavailable,
    ReferenceSpent,
    TooMuchForCash,
    UnknownPaymentMethod,
)
from shop.payments import flow
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.service import Shop
from shop.stock import GRACE

WAYS_TO_PAY = ("sandbox", "bank_transfer", "cash")

Ask = Callable[..., Any]


@pytest.fixture
def selling(shop, sandbox, clock) -> Callable[..., Shop]:
    """The shop with every way to pay, and other policies."""
    providers = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}

    def selling(**policy: Any) -> Shop:
        policy = {"payment_providers": WAYS_TO_PAY, "bank_account": "Test Bank 0123456789", **policy}
        return Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, providers, clock)

    return selling


@pytest.fixture
def asking(selling, customer) -> Callable[..., Ask]:
    """Asks such a shop as `Test Customer`."""

    def asking(**policy: Any) -> Ask:
        other = selling(**policy)
        return lambda operation, *args: other.run(lambda work: operation(work, customer, *args))

    return asking


@pytest.fixture
def burger(make_product) -> Product:
    """5500.00; large for 1000.00 more, with cheese for 250.50 more, or without onions."""
    size = OptionGroup(name="Size", required=True)
    size.options = [
        ProductOption(name="Small", position=0),
        ProductOption(name="Large", price_difference=Decimal("1000.00"), position=1),
    ]
    extras = OptionGroup(name="Extras", most=2)
    extras.options = [ProductOption(name="Cheese", price_difference=Decimal("250.50"), position=0)]
    return make_product(removable=["Onions"], option_groups=[size, extras])


@pytest.fixture
def options(burger) -> dict[str, str]:
    return {option.name: str(option.id) for group in burger.option_groups for option in group.options}


@pytest.fixture
def drink(make_product) -> Product:
    return make_product(name="Chapman", price=Decimal("1500.00"), category="Drinks", stock_quantity=20)


@pytest.fixture
def set_row(sessions) -> Callable[..., None]:
    """Changes a row behind the customer's back."""

    def set_row(kind: type, key: Any, **values: Any) -> None:
        with sessions.begin() as session:
            row = session.get(kind, key)
            for name, value in values.items():
                setattr(row, name, value)

    return set_row


@pytest.fixture
def reviewed(ask, burger, drink, options) -> None:
    """Two large burgers with cheese, one plain, three drinks: shown, and not yet ordered."""
    ask(cart.add, str(burger.id), 2, [options["Large"], options["Cheese"]], ["onions"])
    ask(cart.add, str(burger.id), 1)
    ask(cart.add, str(drink.id), 3)
    ask(checkout.review)


@pytest.fixture
def ordered(sessions) -> Callable[[], int]:
    """How many rows came of ordering: orders, payments, holds."""

    def ordered() -> int:
        with sessions() as session:
            tables = (Order, Payment, StockReservation)
            return sum(session.scalar(select(func.count()).select_from(table)) for table in tables)

    return ordered


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


class TestWaysToPay:
    @pytest.fixture
    def filled(self, ask, burger) -> None:
        """Two burgers: 11825.00 with tax."""
        ask(cart.add, str(burger.id), 2)

    @pytest.mark.parametrize("method", ["stripe", "paystack", "Cash", "sandbox "])
    def test_a_way_to_pay_that_is_not_offered_is_refused(self, asking, filled, method, ordered):
        with pytest.raises(UnknownPaymentMethod):
            asking()(checkout.confirm, method)
        assert ordered() == 0

    def test_a_way_to_pay_is_offered_by_the_policy_and_known_to_the_shop(self, asking, filled):
        with pytest.raises(UnknownPaymentMethod):
            asking(payment_providers=("sandbox",))(checkout.confirm, "cash")
        with pytest.raises(UnknownPaymentMethod):
            asking(payment_providers=("stripe",))(checkout.confirm)

    def test_unless_one_is_named_it_is_the_first(self, asking, filled):
        assert asking(payment_providers=("cash", "sandbox"))(checkout.place).method == "cash"

    def test_online_the_order_waits_for_the_provider(self, asking, selling, filled, sessions, clock):
        placed = asking()(checkout.place, "sandbox")
        assert (placed.method, placed.settlement, placed.minutes_to_pay) == (
            "sandbox",
            Settlement.PROVIDER,
            30,
        )
        with sessions() as session:
            order, payment = session.query(Order).one(), session.query(Payment).one()
            assert (order.status, order.expires_at) == (
                OrderStatus.AWAITING_PAYMENT,
                clock.now + timedelta(minutes=30),
            )
            assert placed.payment_reference == order.payment_reference == payment.payment_reference
            assert re.fullmatch("pay-[0-9a-f]{32}", payment.payment_reference)
            assert (payment.status, payment.amount, payment.currency) == (
                PaymentStatus.PENDING,
                Decimal("11825.00"),
                "NGN",
            )
            assert payment.next_check_at == clock.now + timedelta(minutes=2)
            assert session.query(StockReservation).one().expires_at == order.expires_at + GRACE
            assert session.query(Product).one().reserved_quantity == 2

    def test_a_bank_transfer_waits_for_the_staff(self, asking, filled, sessions, clock):
        placed = asking(bank_transfer_hours=48)(checkout.place, "bank_transfer")
        assert (placed.settlement, placed.minutes_to_pay) == (Settlement.STAFF, 48 * 60)
        with sessions() as session:
            order, payment = session.query(Order).one(), session.query(Payment).one()
            assert (order.status, order.expires_at) == (
                OrderStatus.AWAITING_PAYMENT,
                clock.now + timedelta(hours=48),
            )
            assert re.fullmatch(f"{order.number}-[2-9A-HJKMNP-Z]{{4}}", payment.payment_reference)
            assert placed.payment_reference == payment.payment_reference
            assert payment.next_check_at is None, "nobody can be asked"

    def test_in_cash_the_order_is_placed_at_once(self, asking, filled, sessions):
        placed = asking()(checkout.place, "cash")
        assert (placed.settlement, placed.payment_reference, placed.minutes_to_pay) == (
            Settlement.ON_HANDOVER,
            None,
            0,
        )
        with sessions() as session:
            order, payment = session.query(Order).one(), session.query(Payment).one()
            assert (order.status, order.expires_at) == (OrderStatus.PLACED, None)
            assert (payment.status, payment.payment_method, payment.next_check_at) == (
                PaymentStatus.PENDING,
                "cash",
                None,
            )
            product = session.query(Product).one()
            assert (product.stock_quantity, product.reserved_quantity) == (48, 0), "sold"
            assert session.query(Cart).one().status == CartStatus.ORDERED

    def test_where_payments_are_off_no_way_to_pay_is_asked_for(self, make_shop, customer, filled, ordered):
        counter = make_shop(payment_processing=False)
        placed = counter.run(lambda work: checkout.place(work, customer, "whatever"))
        assert (placed.method, placed.settlement) == (None, Settlement.ON_HANDOVER)
        assert ordered() == 1

    @pytest.mark.parametrize(("limit", "allowed"), [("11824.99", False), ("11825.00", True), (None, True)])
    def test_a_large_order_is_not_paid_in_cash(self, asking, filled, ordered, limit, allowed):
        ask = asking(cash_limit=Decimal(limit) if limit else None)
        if allowed:
            assert ask(checkout.place, "cash").method == "cash"
            return
        with pytest.raises(TooMuchForCash) as refusal:
            ask(checkout.confirm, "cash")
        assert refusal.value.values == {"limit": Decimal(limit), "currency": "NGN"}
        assert ordered() == 0
        assert ask(checkout.confirm, "bank_transfer").placed is not None, "any other way is open"

    def test_an_order_in_another_currency_adds_up_in_the_database(self, asking, make_product, sessions):
        """Dinars have three decimals: what is kept and charged is what was shown."""
        ask = asking(currency="KWD", tax_rate=Decimal("0.075"))
        tea = make_product(name="Tea", price=Decimal("1.25"))
        ask(cart.add, str(tea.id), 1)
        ask(
            lambda work, customer: work.discounts.create(
                code="TEN", kind=DiscountKind.PERCENT, value=Decimal(10)
            )
        )
        shown = ask(cart.apply_discount, ["ten"])
        assert shown.totals.total == shown.totals.items - shown.totals.discount + shown.totals.tax
        placed = ask(checkout.place)
        assert placed.cart.totals == shown.totals
        with sessions() as session:
            assert session.query(Payment).one().amount == shown.totals.total


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


class TestARenewedPayment:
    def test_a_lost_link_is_given_up_for_a_new_payment(self, ask, shop, burger, sessions, clock):
        ask(cart.add, str(burger.id), 2)
        placed = ask(checkout.place)
        clock.pass_minutes(1)
        renewed = shop.run(
            lambda work: checkout.renew_payment(work, placed.payment_reference).payment_reference
        )
        assert renewed != placed.payment_reference
        with sessions() as session:
            payments = {row.payment_reference: row for row in session.query(Payment)}
            spent, new = payments[placed.payment_reference], payments[renewed]
            assert (spent.status, spent.next_check_at) == (PaymentStatus.EXPIRED, None)
            assert (new.status, new.amount, new.payment_method) == (
                PaymentStatus.PENDING,
                spent.amount,
                "sandbox",
            )
            order = session.query(Order).one()
            assert (order.payment_reference, order.status) == (renewed, OrderStatus.AWAITING_PAYMENT)
        assert ask(orders.payment_state).reference == renewed
        again: PlacedOrder = ask(checkout.place)
        assert (again.number, again.payment_reference) == (placed.number, renewed)

    def test_money_for_either_of_the_two_counts_once(self, ask, shop, sandbox, burger, clock, sessions):
        ask(cart.add, str(burger.id), 2)
        first = ask(checkout.place).payment_reference
        flow.open_payment(shop, first)
        clock.pass_minutes(1)
        second = shop.run(lambda work: checkout.renew_payment(work, first).payment_reference)
        flow.open_payment(shop, second)
        for reference, outcome in ((first, "verified"), (second, "refund")):
            note = sandbox.settle(reference, "paid")
            assert flow.receive(shop, "sandbox", note.body, note.headers) == outcome
        with sessions() as session:
            assert session.query(Order).one().status == OrderStatus.PAID
            assert session.query(Customer).count() == 1
            assert session.query(Product).one().stock_quantity == 48


@dataclass
class Forgetful:
    """A provider that is away, has lost its links, or knows of money, as it is told to."""

    away: bool = False
    spent: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)
    name = "sandbox"
    settlement = Settlement.PROVIDER

    def start(self, request: PaymentRequest) -> StartedPayment:
        self._answer()
        self.started.append(request.reference)
        if request.reference in self.spent:
            raise ReferenceSpent(self.name)
        return StartedPayment(f"https://pay.example/{request.reference}")

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        return ProviderEvent(f"event of {body!r}", body.decode(), {}) if body else None

    def read(self, payment: PaymentHandle) -> ProviderPayment:
        self._answer()
        paid = True if payment.reference in self.paid else None
        return ProviderPayment(payment.reference, paid, payment.amount, payment.currency)

    close = read

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        raise AssertionError("nothing goes back here")

    def _answer(self) -> None:
        if self.away:
            raise ProviderUnavailable(self.name)


class TestTheWayToTheProvider:
    """The order is made before its provider is asked: whatever happens between, it can be asked again."""

    @pytest.fixture
    def provider(self) -> Forgetful:
        return Forgetful()

    @pytest.fixture
    def till(self, shop, provider, clock) -> Shop:
        return Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": provider}, clock)

    @pytest.fixture
    def reference(self, till, customer, burger) -> str:
        till.run(lambda work: cart.add(work, customer, str(burger.id), 2))
        return till.run(lambda work: checkout.place(work, customer)).payment_reference

    @pytest.fixture
    def stands(self, sessions) -> Callable[[], tuple[str, list[str]]]:
        def stands() -> tuple[str, list[str]]:
            with sessions() as session:
                payments = session.query(Payment).order_by(Payment.created_at)
                return session.query(Order).one().status.value, [row.status.value for row in payments]

        return stands

    def test_a_payment_is_opened_once(self, till, provider, reference):
        links = {flow.open_payment(till, reference) for _ in range(3)}
        assert links == {f"https://pay.example/{reference}"}
        assert provider.started == [reference]

    def test_where_a_link_was_lost_a_new_payment_takes_its_place(
        self, till, provider, reference, stands, clock
    ):
        provider.spent.add(reference)
        clock.pass_minutes(1)
        link = flow.open_payment(till, reference)
        assert link == f"https://pay.example/{provider.started[1]}"
        assert provider.started[0] == reference != provider.started[1]
        assert stands() == ("awaiting_payment", ["expired", "pending"])
        assert flow.open_payment(till, provider.started[1]) == link

    def test_an_order_that_is_over_is_not_opened(self, till, provider, reference, clock):
        clock.pass_minutes(31)
        flow.expire_due(till)
        assert flow.open_payment(till, reference) is None
        assert provider.started == []

    def test_without_its_provider_nothing_is_opened_or_asked(self, till, shop, reference, clock, stands):
        none_left = Shop(shop.sessions, shop.policy, shop.flags, {}, clock)
        assert flow.open_payment(none_left, reference) is None
        assert flow.check(none_left, reference) == "unknown"
        with pytest.raises(PaymentRejected):
            flow.receive(none_left, "sandbox", reference.encode(), {})
        clock.pass_minutes(31)
        assert flow.expire_due(none_left) == 1
        assert stands() == ("expired", ["expired"])

    def test_a_notification_about_something_else_is_ignored(self, till, reference, stands):
        assert flow.receive(till, "sandbox", b"", {}) == "ignored"
        with pytest.raises(PaymentRejected):
            flow.receive(till, "sandbox", b"pay-never", {})
        assert stands() == ("awaiting_payment", ["pending"])

    def test_a_notification_by_the_wrong_provider_is_refused(self, till, shop, provider, reference, clock):
        both = Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": provider, "other": provider}, clock)
        with pytest.raises(PaymentRejected):
            flow.receive(both, "other", reference.encode(), {})

    def test_what_was_told_while_the_provider_was_away_is_taken_up_again(
        self, till, provider, reference, stands
    ):
        provider.away = True
        with pytest.raises(ProviderUnavailable):
            flow.receive(till, "sandbox", reference.encode(), {})
        assert stands() == ("awaiting_payment", ["pending"])
        provider.away, provider.paid = False, {reference}
        assert flow.receive(till, "sandbox", reference.encode(), {}) == "verified"
        assert flow.receive(till, "sandbox", reference.encode(), {}) == "duplicate"
        assert stands() == ("paid", ["verified"])

    def test_a_payment_of_which_nothing_is_heard_is_asked_about(
        self, till, provider, reference, stands, clock
    ):
        assert flow.check_due(till) == 0, "not at once"
        clock.pass_minutes(2)
        provider.away = True
        assert flow.check_due(till) == 1, "asked, in vain"
        assert flow.check_due(till) == 0
        provider.away, provider.paid = False, {reference}
        clock.pass_minutes(2)
        assert flow.check_due(till) == 1
        assert stands() == ("paid", ["verified"])
        clock.pass_minutes(60)
        assert flow.check_due(till) == 0, "decided"

    def test_it_is_asked_about_more_and_more_seldom_and_not_for_ever(self, till, reference, clock, sessions):
        asked = 0
        for _ in range(2000):
            with sessions() as session:
                at = session.query(Payment).one().next_check_at
            if at is None:
                break
            clock.now = at
            asked += flow.check_due(till)
        assert at is None
        assert 8 <= asked <= 20, "about once every doubling of its age"

    def test_money_that_the_provider_has_already_ends_no_order(
        self, till, provider, reference, stands, clock
    ):
        provider.paid = {reference}
        clock.pass_minutes(31)
        assert flow.expire_due(till) == 0
        assert stands() == ("paid", ["verified"])

    def test_a_provider_that_is_away_delays_the_end_until_the_units_are_free(
        self, till, provider, reference, stands, clock
    ):
        provider.away = True
        clock.pass_minutes(30)
        assert flow.expire_due(till) == 0
        assert stands() == ("awaiting_payment", ["pending"])
        clock.pass_minutes(2)
        assert flow.expire_due(till) == 1
        assert stands() == ("expired", ["expired"])
