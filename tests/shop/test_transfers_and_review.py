"""Money that the staff decides about: transfers that were seen, amounts that differ from the order's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from db.models import Payment, Product
from shop import order_status
from shop.errors import AmountDiffers, CannotMove, NothingToPay
from shop.payments import flow
from tests.shop.staff_counter import TOTAL, Counter


class TestTransfers:
    def confirm(self, counter: Counter, reference: str, amount: Decimal = TOTAL) -> str:
        return counter.do(order_status.confirm_transfer, reference, amount, "Ada")

    def test_money_that_was_seen_on_the_account_pays_the_order(self, counter, clock):
        placed = counter.order("bank_transfer")
        clock.pass_minutes(60)
        assert self.confirm(counter, f" {placed.payment_reference.lower()} ") == "verified"
        assert counter.stands(placed.number) == ("paid", "verified")
        assert counter.units() == (48, 0)
        (payment,) = counter.rows(Payment)
        assert (payment.confirmed_by, payment.verified_at, payment.received_amount) == (
            "Ada",
            clock.now,
            TOTAL,
        )
        assert [event for event, _ in counter.told()] == ["payment_confirmed"]
        assert counter.recorded() == [
            ("Ada", "confirmed transfer", {"amount": "11825.00", "outcome": "verified"})
        ]

    def test_seen_twice_it_counts_once(self, counter):
        placed = counter.order("bank_transfer")
        assert self.confirm(counter, placed.payment_reference) == "verified"
        assert self.confirm(counter, placed.payment_reference) == "unchanged"
        assert counter.units() == (48, 0)
        assert len(counter.recorded()) == len(counter.told()) == 1
        assert counter.money_back() == []

    @pytest.mark.parametrize("amount", ["11824.99", "11825.01", "0", "-11825.00"])
    def test_another_amount_changes_nothing(self, counter, amount):
        placed = counter.order("bank_transfer")
        with pytest.raises(AmountDiffers) as refusal:
            self.confirm(counter, placed.payment_reference, Decimal(amount))
        assert refusal.value.values == {"number": placed.number, "expected": TOTAL, "got": Decimal(amount)}
        assert counter.stands(placed.number) == ("awaiting_payment", "pending")
        assert (counter.told(), counter.recorded()) == ([], [])

    def test_only_a_transfer_can_be_confirmed(self, counter):
        online = counter.order("sandbox")
        cash = counter.rows(Payment)[0].payment_reference
        for reference in ("", "ABCDEF-GHJK", online.payment_reference, cash, "pay-unknown"):
            with pytest.raises(NothingToPay):
                self.confirm(counter, reference)
        assert counter.stands(online.number) == ("awaiting_payment", "pending")

    def test_cash_is_no_transfer(self, counter):
        counter.order("cash")
        (payment,) = counter.rows(Payment)
        with counter.shop.sessions.begin() as session:
            session.get(Payment, payment.id).payment_reference = "CASH-1"
        with pytest.raises(NothingToPay):
            self.confirm(counter, "CASH-1")

    def test_a_transfer_of_a_way_to_pay_that_is_gone_is_not_confirmed(self, counter, shop):
        placed = counter.order("bank_transfer")
        with pytest.raises(NothingToPay):
            shop.run(lambda work: order_status.confirm_transfer(work, placed.payment_reference, TOTAL, "Ada"))

    def test_money_that_came_late_is_honoured(self, counter, clock):
        placed = counter.order("bank_transfer")
        clock.pass_minutes(24 * 60)
        assert flow.expire_due(counter.shop) == 1
        assert counter.units() == (50, 0)
        assert self.confirm(counter, placed.payment_reference) == "verified"
        assert counter.stands(placed.number) == ("paid", "verified")
        assert counter.units() == (48, 0)

    def test_money_that_came_too_late_goes_back(self, counter, clock):
        placed = counter.order("bank_transfer")
        clock.pass_minutes(24 * 60)
        flow.expire_due(counter.shop)
        with counter.shop.sessions.begin() as session:
            session.get(Product, counter.product.id).stock_quantity = 1
        assert self.confirm(counter, placed.payment_reference) == "refund"
        assert counter.stands(placed.number) == ("expired", "review")
        assert counter.money_back() == [(TOTAL, "pending", "shop")]
        assert counter.recorded()[-1][2]["outcome"] == "refund"
        assert counter.told()[-1][0] == "payment_sent_back"


class TestReview:
    def accept(self, counter: Counter, number: str) -> None:
        counter.do(order_status.accept_payment, number, "Ada")

    def test_money_of_another_amount_is_taken_for_what_it_is(self, counter):
        placed = counter.in_review()
        assert counter.told()[-1][0] == "payment_in_review"
        self.accept(counter, placed.number)
        assert counter.stands(placed.number) == ("paid", "verified")
        assert counter.units() == (48, 0)
        (payment,) = counter.rows(Payment)
        assert (payment.confirmed_by, payment.received_amount) == ("Ada", Decimal("5000.00"))
        assert counter.recorded() == [("Ada", "accepted payment", {})]
        assert counter.told()[-1][0] == "payment_confirmed"
        with pytest.raises(CannotMove):
            self.accept(counter, placed.number)

    def test_there_has_to_be_money_in_review(self, counter):
        for placed in (counter.order("cash"), counter.paid()):
            with pytest.raises(CannotMove) as refusal:
                self.accept(counter, placed.number)
            assert refusal.value.values["wanted"] == "paid"
        assert counter.recorded() == []

    def test_money_that_goes_back_is_not_taken(self, counter):
        placed = counter.in_review()
        counter.do(order_status.refund, placed.number, None, "Ada", "wrong amount")
        with pytest.raises(CannotMove):
            self.accept(counter, placed.number)
        assert counter.stands(placed.number) == ("review", "review")

    def test_it_is_not_taken_for_what_was_sold_meanwhile(self, counter, clock):
        placed = counter.in_review()
        clock.pass_minutes(25 * 60)
        with counter.shop.sessions.begin() as session:
            row = session.get(Product, counter.product.id)
            row.stock_quantity = row.reserved_quantity = 2
        # Its hold is over, and the two that are left are somebody else's.
        counter.do(lambda work: order_status.stock.lock(work, [counter.product.id]))
        with counter.shop.sessions.begin() as session:
            session.get(Product, counter.product.id).reserved_quantity = 1
        with pytest.raises(CannotMove):
            self.accept(counter, placed.number)
        assert counter.stands(placed.number) == ("review", "review")
