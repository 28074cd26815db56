"""The ways to pay that a shop offers: who says that the money came, and what an order waits for."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from db.models import (
    Cart,
    CartStatus,
    Discount,
    DiscountKind,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    StockReservation,
)
from shop import cart, checkout
from shop.errors import TooMuchForCash, UnknownPaymentMethod
from shop.payments.interface import Settlement
from shop.reconciliation import differences
from shop.stock import GRACE


class TestWaysToPay:
    @pytest.fixture
    def filled(self, ask, burger) -> None:
        """Two burgers: 11825.00 with tax."""
        ask(cart.add, str(burger.id), 2)
        ask(checkout.review)

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

    @pytest.mark.parametrize("method", ["sandbox", "bank_transfer", "cash", None])
    def test_where_there_is_nothing_to_pay_nobody_waits_for_it(self, asking, filled, method, sessions):
        """A discount pays for all of it: no provider takes a payment of nothing."""
        asked = asking(cash_limit=Decimal(0))
        with sessions.begin() as session:
            session.add(Discount(code="GIFT", kind=DiscountKind.PERCENT, value=Decimal(100)))
        asked(cart.apply_discount, ["GIFT"])
        asked(checkout.review)
        placed = asked(checkout.place, method)
        assert placed.cart.totals.total == 0
        assert (placed.method, placed.payment_reference) == (None, None)
        assert (placed.settlement, placed.minutes_to_pay) == (Settlement.ON_HANDOVER, 0)
        with sessions() as session:
            order, product = session.query(Order).one(), session.query(Product).one()
            assert (order.status, order.expires_at, order.payments) == (OrderStatus.PLACED, None, [])
            assert (product.stock_quantity, product.reserved_quantity) == (48, 0)
        assert asked(lambda work, _: differences(work)) == []

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
