"""Money that goes back: decided once, carried out by whom it can be, never more than came."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from db.models import Order, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from shop import order_status, orders, refunds
from shop.errors import CannotRefund, NoOrder, NoRefund, ProviderUnavailable, RefundRefused
from shop.payments import flow
from shop.payments.interface import ProviderEvent, StartedRefund
from tests.shop.staff_counter import TOTAL, Counter, set_status

S = OrderStatus


class TestRefunds:
    def refund(self, counter: Counter, number: str, amount: str | None = None) -> Decimal:
        value = None if amount is None else Decimal(amount)
        return counter.do(order_status.refund, number, value, "Ada", "cold")

    def test_all_of_it(self, counter, clock):
        placed = counter.paid()
        assert self.refund(counter, placed.number) == TOTAL
        assert counter.recorded() == [("Ada", "refund", {"amount": "11825.00", "reason": "cold"})]
        assert counter.stands(placed.number) == ("paid", "verified"), "decided, not yet sent"
        assert flow.send_refunds(counter.shop) == 1
        assert counter.stands(placed.number) == ("refunded", "refunded")
        (row,) = counter.rows(Refund)
        assert (row.status, row.provider_id, row.completed_at, row.attempts) == (
            RefundStatus.DONE,
            f"re_{row.id}",
            clock.now,
            1,
        )
        assert counter.told()[-1] == (
            "payment_refunded",
            {"order_number": placed.number, "amount": "11825.00", "currency": "NGN"},
        )
        assert flow.send_refunds(counter.shop) == 0, "once"

    def test_in_parts_until_nothing_is_left(self, counter):
        placed = counter.paid()
        assert self.refund(counter, placed.number, "1825.00") == Decimal("1825.00")
        flow.send_refunds(counter.shop)
        assert counter.stands(placed.number) == ("paid", "verified"), "the order is still to be made"
        with pytest.raises(CannotRefund) as refusal:
            self.refund(counter, placed.number, "10000.01")
        assert refusal.value.values == {"number": placed.number, "left": Decimal("10000.00")}
        assert self.refund(counter, placed.number) == Decimal("10000.00")
        with pytest.raises(CannotRefund):
            self.refund(counter, placed.number)
        flow.send_refunds(counter.shop)
        assert counter.stands(placed.number) == ("refunded", "refunded")
        with pytest.raises(CannotRefund) as refusal:
            self.refund(counter, placed.number)
        assert refusal.value.values["left"] == 0

    @pytest.mark.parametrize("amount", ["0", "-1", "11825.01"])
    def test_an_amount_that_cannot_go_back_is_refused(self, counter, amount):
        placed = counter.paid()
        with pytest.raises(CannotRefund) as refusal:
            self.refund(counter, placed.number, amount)
        assert refusal.value.values == {"number": placed.number, "left": TOTAL}
        assert (counter.money_back(), counter.recorded()) == ([], [])

    def test_where_no_money_came_none_goes_back(self, counter):
        for placed in (counter.order("cash"), counter.order("sandbox")):
            with pytest.raises(CannotRefund) as refusal:
                self.refund(counter, placed.number)
            assert refusal.value.values["left"] == 0

    def test_of_money_in_review_what_came_goes_back(self, counter):
        placed = counter.in_review("20000.00")
        assert self.refund(counter, placed.number) == Decimal("20000.00")

    def test_an_order_in_review_whose_money_went_back_lets_its_units_go(self, counter):
        placed = counter.in_review("20000.00")
        assert counter.units() == (50, 2)
        self.refund(counter, placed.number, "1.00")
        flow.send_refunds(counter.shop)
        for row in counter.rows(Refund):
            counter.do(refunds.finish_by_hand, row.id, "Bola")
        assert (counter.stands(placed.number), counter.units()) == (("review", "review"), (50, 2))
        self.refund(counter, placed.number)
        flow.send_refunds(counter.shop)
        (last,) = [row for row in counter.rows(Refund) if row.status != RefundStatus.DONE]
        counter.do(refunds.finish_by_hand, last.id, "Bola")
        assert counter.stands(placed.number) == ("refunded", "refunded")
        assert counter.units() == (50, 0)

    @pytest.mark.parametrize(("reached", "left"), [(S.PAID, 50), (S.PREPARING, 48), (S.READY, 48)])
    def test_what_was_not_yet_made_is_for_sale_again(self, counter, reached, left):
        placed = counter.paid()
        assert counter.units() == (48, 0)
        set_status(counter, placed.number, reached)
        self.refund(counter, placed.number, "25.00")
        flow.send_refunds(counter.shop)
        assert counter.units() == (48, 0), "the order is still to be made"
        self.refund(counter, placed.number)
        flow.send_refunds(counter.shop)
        assert (counter.stands(placed.number), counter.units()) == (("refunded", "refunded"), (left, 0))

    def test_money_in_review_goes_back_before_the_money_that_was_taken(self, counter, clock):
        placed = counter.paid()
        counter.come_again(
            "MORE-1",
            clock,
            status=PaymentStatus.REVIEW,
            received_amount=Decimal("300.00"),
            received_currency="NGN",
        )
        assert self.refund(counter, placed.number) == Decimal("300.00")
        assert counter.stands(placed.number)[0] == "paid"

    def test_a_completed_order_can_be_refunded(self, counter):
        placed = counter.paid()
        counter.do(order_status.advance, placed.number, S.COMPLETED, "Ada")
        self.refund(counter, placed.number)
        flow.send_refunds(counter.shop)
        assert counter.stands(placed.number) == ("refunded", "refunded")

    def test_a_transfer_is_sent_back_by_hand(self, counter, clock):
        placed = counter.order("bank_transfer")
        counter.do(order_status.confirm_transfer, placed.payment_reference, TOTAL, "Ada")
        self.refund(counter, placed.number)
        assert flow.send_refunds(counter.shop) == 1
        (row,) = counter.rows(Refund)
        assert (row.status, row.completed_at) == (RefundStatus.FAILED, None)
        assert counter.stands(placed.number) == ("paid", "verified")
        with pytest.raises(CannotRefund):
            self.refund(counter, placed.number)
        clock.pass_minutes(60)
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        with pytest.raises(NoRefund):
            counter.do(refunds.finish_by_hand, row.id, "Ada")
        (row,) = counter.rows(Refund)
        assert (row.status, row.completed_at) == (RefundStatus.DONE, clock.now)
        assert counter.stands(placed.number) == ("refunded", "refunded")
        events = [event for event, _ in counter.told()]
        assert events.count("payment_refunded") == 1, "told once"

    def test_a_provider_that_is_away_is_asked_again_more_and_more_seldom(self, counter, clock):
        placed = counter.paid("moody")
        self.refund(counter, placed.number)
        begun = clock.now
        pauses = []
        counter.moody.answers = [ProviderUnavailable("moody") for _ in range(9)]
        for attempt in range(1, 10):
            assert flow.send_refunds(counter.shop) == 1
            (row,) = counter.rows(Refund)
            assert (row.status, row.attempts) == (RefundStatus.PENDING, attempt)
            pauses.append(row.next_try_at - clock.now)
            clock.now = row.next_try_at - timedelta(seconds=1)
            assert flow.send_refunds(counter.shop) == 0, "not before its time"
            clock.now = row.next_try_at
        assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)]
        assert pauses[-2:] == [timedelta(hours=1)] * 2, "and never more seldom than hourly"
        assert clock.now - begun == sum(pauses, timedelta())

        counter.moody.answers = [StartedRefund("re_1", done=True)]
        assert flow.send_refunds(counter.shop) == 1
        assert counter.stands(placed.number) == ("refunded", "refunded")
        assert set(counter.moody.asked) == {(TOTAL, str(row.id))}, "always the same key"

    def test_a_refund_that_the_provider_will_never_make_needs_a_person(self, counter):
        placed = counter.paid("moody")
        self.refund(counter, placed.number)
        counter.moody.answers = [RefundRefused("moody")]
        assert flow.send_refunds(counter.shop) == 1
        (row,) = counter.rows(Refund)
        assert (row.status, row.provider_id, row.completed_at) == (RefundStatus.FAILED, None, None)
        assert counter.stands(placed.number) == ("paid", "verified")
        assert flow.send_refunds(counter.shop) == 0, "not asked again"
        with pytest.raises(CannotRefund):
            self.refund(counter, placed.number)
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        assert counter.stands(placed.number) == ("refunded", "refunded")

    def on_its_way(self, counter) -> tuple[str, Refund]:
        """A refund that the provider took, and has not sent yet."""
        placed = counter.paid("moody")
        self.refund(counter, placed.number)
        counter.moody.answers = [StartedRefund("re_later", done=False)]
        assert flow.send_refunds(counter.shop) == 1
        (row,) = counter.rows(Refund)
        return placed.number, row

    def tells_of_refunds(self, counter, event_id: str = "evt_refund") -> str:
        """The provider notifies that something became of a refund."""
        with counter.shop.sessions() as session:
            reference = session.query(Payment).one().payment_reference
        counter.moody.event = ProviderEvent(event_id, reference, {}, of_refund=True)
        return flow.receive(counter.shop, "moody", b"", {})

    def test_a_refund_that_the_provider_only_took_is_not_done_and_nobody_is_told(self, counter):
        number, row = self.on_its_way(counter)
        assert (row.status, row.provider_id, row.completed_at) == (RefundStatus.PENDING, "re_later", None)
        assert counter.stands(number) == ("paid", "verified")
        assert "payment_refunded" not in [event for event, _ in counter.told()]

    def test_what_became_of_it_is_asked_under_the_same_key_until_it_is_done(self, counter, clock):
        number, row = self.on_its_way(counter)
        counter.moody.answers = [StartedRefund("re_later", done=False), StartedRefund("re_later", done=True)]
        for _ in range(2):
            clock.pass_minutes(61)
            assert flow.send_refunds(counter.shop) == 1
        (row,) = counter.rows(Refund)
        assert (row.status, row.provider_id) == (RefundStatus.DONE, "re_later")
        assert counter.stands(number) == ("refunded", "refunded")
        assert set(counter.moody.asked) == {(TOTAL, str(row.id))}
        assert [event for event, _ in counter.told()].count("payment_refunded") == 1

    def test_one_that_came_to_nothing_is_for_a_person(self, counter, clock):
        number, row = self.on_its_way(counter)
        counter.moody.answers = [RefundRefused("moody")]
        clock.pass_minutes(61)
        flow.send_refunds(counter.shop)
        assert [status for _, status, _ in counter.money_back()] == ["failed"]
        assert counter.stands(number) == ("paid", "verified")
        assert "payment_refunded" not in [event for event, _ in counter.told()]
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        (row,) = counter.rows(Refund)
        assert (row.status, row.provider_id) == (RefundStatus.DONE, None), "not the provider's"

    def test_the_provider_tells_when_it_is_done(self, counter):
        number, _ = self.on_its_way(counter)
        counter.moody.answers = [StartedRefund("re_later", done=True)]
        assert self.tells_of_refunds(counter) == "refund"
        assert counter.stands(number) == ("refunded", "refunded")
        assert self.tells_of_refunds(counter) == "duplicate"
        assert [event for event, _ in counter.told()].count("payment_refunded") == 1

    def test_news_while_the_provider_cannot_be_asked_are_taken_up_again(self, counter):
        number, _ = self.on_its_way(counter)
        counter.moody.answers = [ProviderUnavailable("moody"), StartedRefund("re_later", done=True)]
        with pytest.raises(ProviderUnavailable):
            self.tells_of_refunds(counter)
        assert self.tells_of_refunds(counter) == "refund"
        assert counter.stands(number) == ("refunded", "refunded")

    def test_a_refund_that_came_back_after_it_was_done_is_for_a_person(self, counter):
        number, _ = self.on_its_way(counter)
        counter.moody.answers = [StartedRefund("re_later", done=True), RefundRefused("moody")]
        self.tells_of_refunds(counter, "evt_1")
        self.tells_of_refunds(counter, "evt_2")
        (row,) = counter.rows(Refund)
        assert (row.status, row.completed_at) == (RefundStatus.FAILED, None)
        assert counter.stands(number)[1] == "verified", "the money is here again"
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        assert counter.stands(number) == ("refunded", "refunded")

    def test_news_of_a_refund_that_a_person_sent_change_nothing(self, counter):
        number, row = self.on_its_way(counter)
        counter.moody.answers = [RefundRefused("moody")]
        self.tells_of_refunds(counter, "evt_1")
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        assert self.tells_of_refunds(counter, "evt_2") == "refund"
        assert counter.stands(number) == ("refunded", "refunded")
        assert counter.moody.answers == [], "the provider is not asked"

    def test_without_its_provider_a_refund_needs_a_person(self, counter, shop):
        placed = counter.paid("moody")
        self.refund(counter, placed.number)
        assert flow.send_refunds(shop) == 1
        (row,) = counter.rows(Refund)
        assert row.status == RefundStatus.FAILED

    def test_one_refund_that_fails_holds_up_no_other(self, counter, clock):
        first = counter.paid("moody")
        self.refund(counter, first.number, "1000.00")
        clock.pass_minutes(1)
        self.refund(counter, first.number, "2000.00")
        counter.moody.answers = [ProviderUnavailable("moody"), StartedRefund("re_2", done=True)]
        assert flow.send_refunds(counter.shop) == 2
        assert [status for _, status, _ in counter.money_back()] == ["pending", "done"]

    def test_the_sandbox_refuses_more_than_came(self, counter):
        placed = counter.paid()
        self.refund(counter, placed.number, "11000.00")
        flow.send_refunds(counter.shop)
        with counter.shop.sessions.begin() as session:
            payment = session.query(Payment).one()
            session.add(
                Refund(
                    payment_id=payment.id,
                    amount=Decimal("1000.00"),
                    reason="typed into the table",
                    requested_by="nobody",
                    next_try_at=payment.created_at,
                )
            )
        flow.send_refunds(counter.shop)
        assert sorted(status for _, status, _ in counter.money_back()) == ["done", "failed"]

    def test_a_second_payment_that_goes_back_leaves_the_paid_order_alone(self, counter, clock):
        placed = counter.paid()
        counter.come_again("TWICE-1", clock)
        assert counter.do(order_status.confirm_transfer, "TWICE-1", TOTAL, "Ada") == "refund"
        (row,) = counter.rows(Refund)
        with pytest.raises(NoRefund):
            counter.do(refunds.finish_by_hand, row.id, "Ada")  # not while it may be under way
        assert flow.send_refunds(counter.shop) == 1
        counter.do(refunds.finish_by_hand, row.id, "Ada")
        assert counter.stands(placed.number) == ("paid", "refunded")

    def test_of_a_cancelled_order_the_status_stays_cancelled(self, counter):
        placed = counter.paid()
        counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        flow.send_refunds(counter.shop)
        assert counter.stands(placed.number) == ("cancelled", "refunded")
        with pytest.raises(NoOrder):
            counter.do(orders.cancel, counter.customer)

    def test_nothing_is_left_of_a_payment_that_did_not_come(self, counter):
        counter.order("sandbox")

        def rest(work):
            payment = work.session.query(Payment).one()
            assert refunds.left_of(work, payment) == 0
            return refunds.request_rest(work, payment, reason="none", requested_by="Ada")

        assert counter.shop.run(rest) is None
        assert counter.stands(counter.rows(Order)[0].number) == ("awaiting_payment", PaymentStatus.PENDING)
