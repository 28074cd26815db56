"""Money that the staff decides about: transfers that were seen, amounts that differ from the order's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from db.models import Payment, Product, Refund
from shop import order_desk, order_status, privacy, refunds
from shop.errors import AmountDiffers, BadInput, CannotMove, NothingToPay, OrderUnderWay
from shop.payments import flow
from shop.reconciliation import Difference, differences
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


class TestAnotherAmount:
    """Most differences are typing errors: what really came is noted only when that is asked for."""

    def record(self, counter: Counter, reference: str, amount: str) -> str:
        return counter.do(order_status.record_transfer, reference, Decimal(amount), "Ada")

    def test_what_came_is_in_review_until_an_owner_decides(self, counter):
        placed = counter.order("bank_transfer")
        assert self.record(counter, f" {placed.payment_reference.lower()}", "5000.00") == "review"
        assert counter.stands(placed.number) == ("review", "review")
        (payment,) = counter.rows(Payment)
        assert (payment.received_amount, payment.received_currency) == (Decimal("5000.00"), "NGN")
        assert counter.recorded() == [
            ("Ada", "recorded transfer", {"amount": "5000.00", "outcome": "review"})
        ]
        assert [event for event, _ in counter.told()] == ["payment_in_review"]
        assert counter.do(order_status.refund, placed.number, None, "Boss", "too little") == 5000

    def test_the_orders_amount_pays_it(self, counter):
        placed = counter.order("bank_transfer")
        assert self.record(counter, placed.payment_reference, "11825.00") == "verified"
        assert counter.stands(placed.number) == ("paid", "verified")

    def test_noted_twice_it_counts_once(self, counter):
        placed = counter.order("bank_transfer")
        assert self.record(counter, placed.payment_reference, "5000.00") == "review"
        assert self.record(counter, placed.payment_reference, "6000.00") == "unchanged"
        assert counter.rows(Payment)[0].received_amount == 5000
        assert len(counter.recorded()) == 1

    @pytest.mark.parametrize("amount", ["0", "-5000.00", "0.001", "NaN", "Infinity"])
    def test_what_is_no_amount_is_refused(self, counter, amount):
        placed = counter.order("bank_transfer")
        with pytest.raises(BadInput):
            self.record(counter, placed.payment_reference, amount)
        assert counter.stands(placed.number) == ("awaiting_payment", "pending")

    def test_only_of_a_transfer(self, counter):
        online = counter.order("sandbox")
        for reference in ("", "ABCDEF-GHJK", online.payment_reference):
            with pytest.raises(NothingToPay):
                self.record(counter, reference, "5000.00")


class TestMoneyThatNobodyWaitsFor:
    """Wrong money for an order that does not await any: staff see it, and can do something about it."""

    def late(self, counter: Counter, clock) -> str:
        placed = counter.order("bank_transfer")
        clock.pass_minutes(24 * 60)
        assert flow.expire_due(counter.shop) == 1
        record = (order_status.record_transfer, placed.payment_reference, Decimal("5000.00"), "Ada")
        assert counter.do(*record) == "review"
        return placed.number

    def undecided(self, counter: Counter) -> list[tuple[str, str, Decimal | None]]:
        reviews = counter.do(order_desk.open_money).reviews
        return [(card.number, card.status.value, payment and payment.left) for card, payment in reviews]

    def test_it_waits_for_a_person_where_the_order_is_over(self, counter, clock):
        number = self.late(counter, clock)
        assert counter.stands(number) == ("expired", "review")
        assert self.undecided(counter) == [(number, "expired", Decimal("5000.00"))]
        (told,) = counter.do(differences)
        assert told == Difference(number, "is expired, and 5000.00 NGN that came for it is in review")

    def test_sent_back_it_waits_no_more_and_the_customer_can_be_erased(self, counter, clock):
        number = self.late(counter, clock)
        with pytest.raises(OrderUnderWay):
            counter.do(privacy.require_erasable, counter.customer)
        counter.do(order_status.refund, number, None, "Boss", "too little")
        assert (self.undecided(counter), counter.do(differences)) == ([], [])
        flow.send_refunds(counter.shop)
        (row,) = counter.rows(Refund)
        counter.do(refunds.finish_by_hand, row.id, "Boss")
        counter.do(privacy.require_erasable, counter.customer)
        assert counter.stands(number) == ("expired", "refunded")

    def test_it_can_be_taken_for_the_order_after_all(self, counter, clock):
        number = self.late(counter, clock)
        counter.do(order_status.accept_payment, number, "Boss")
        assert counter.stands(number) == ("paid", "verified")
        assert self.undecided(counter) == []

    def test_money_of_which_nothing_came_keeps_nobody_from_being_erased(self, counter, clock):
        self.late(counter, clock)
        with counter.shop.sessions.begin() as session:
            session.query(Payment).one().received_amount = Decimal(0)
        counter.do(privacy.require_erasable, counter.customer)

    def test_an_order_in_review_is_listed_once_with_what_came(self, counter):
        placed = counter.in_review()
        assert self.undecided(counter) == [(placed.number, "review", Decimal("5000.00"))]
        counter.do(order_status.refund, placed.number, None, "Boss", "too little")
        assert self.undecided(counter) == [(placed.number, "review", None)]


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
