"""What the staff does with an order: every move, told and recorded."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from db.models import OrderStatus, Payment
from shop import cart, checkout, order_status
from shop.errors import CannotMove, NoOrder
from shop.payments import flow
from tests.shop.staff_counter import TOTAL, Counter, set_status

S = OrderStatus


class TestMovingOn:
    ALLOWED = {
        (S.PLACED, S.PREPARING),
        (S.PLACED, S.READY),
        (S.PLACED, S.COMPLETED),
        (S.PAID, S.PREPARING),
        (S.PAID, S.READY),
        (S.PAID, S.COMPLETED),
        (S.PREPARING, S.READY),
        (S.PREPARING, S.COMPLETED),
        (S.READY, S.COMPLETED),
    }

    @pytest.mark.parametrize("to", list(S), ids=str)
    @pytest.mark.parametrize("status", list(S), ids=str)
    def test_an_order_goes_forward_and_never_back(self, counter, status, to):
        number = counter.order("cash").number
        set_status(counter, number, status)
        if (status, to) in self.ALLOWED:
            assert counter.do(order_status.advance, number, to, "Ada") == to
            assert counter.stands(number)[0] == to
            told = {"order_number": number, "status": to.value, "fulfilment": "pickup"}
            assert counter.told() == [("order_status_changed", told)]
            assert counter.recorded() == [("Ada", to.value, {})]
            return
        with pytest.raises(CannotMove) as refusal:
            counter.do(order_status.advance, number, to, "Ada")
        assert refusal.value.values == {"number": number, "status": status.value, "wanted": to.value}
        assert counter.stands(number)[0] == status
        assert (counter.told(), counter.recorded()) == ([], [])

    def test_each_step_is_told_and_recorded_once(self, counter):
        number = counter.order("cash", delivery=True).number
        staff = [("Ada", S.PREPARING), ("Ada", S.READY), ("Bola", S.COMPLETED)]
        for who, to in staff:
            counter.do(order_status.advance, number, to, who)
            with pytest.raises(CannotMove):
                counter.do(order_status.advance, number, to, who)
        assert [data["status"] for _, data in counter.told()] == ["preparing", "ready", "completed"]
        assert {data["fulfilment"] for _, data in counter.told()} == {"delivery"}
        assert [(who, what) for who, what, _ in counter.recorded()] == staff

    @pytest.mark.parametrize("typed", ["{}", " {} ", "{lower}"])
    def test_a_number_may_be_typed_carelessly(self, counter, typed):
        number = counter.order("cash").number
        typed = typed.format(number, lower=number.lower())
        counter.do(order_status.advance, typed, S.READY, "Ada")
        assert counter.stands(number)[0] == "ready"

    @pytest.mark.parametrize("number", ["", "NOSUCH", "'; DROP TABLE orders"])
    def test_an_unknown_number_is_refused(self, counter, number):
        for operation, args in (
            (order_status.advance, (S.READY, "Ada")),
            (order_status.cancel, ("Ada", "no gas")),
            (order_status.accept_payment, ("Ada",)),
            (order_status.refund, (None, "Ada", "cold")),
        ):
            with pytest.raises(NoOrder):
                counter.do(operation, number, *args)

    def test_cash_is_counted_when_the_order_is_handed_over(self, counter, clock):
        number = counter.order("cash").number
        counter.do(order_status.advance, number, S.READY, "Ada")
        assert counter.stands(number) == ("ready", "pending")
        clock.pass_minutes(5)
        counter.do(order_status.advance, number, S.COMPLETED, "Bola")
        assert counter.stands(number) == ("completed", "verified")
        (payment,) = counter.rows(Payment)
        assert (payment.verified_at, payment.confirmed_by) == (clock.now, "Bola")
        assert (payment.received_amount, payment.received_currency) == (TOTAL, "NGN")

    def test_what_was_paid_online_is_not_counted_again(self, counter, clock):
        placed = counter.paid()
        (before,) = counter.rows(Payment)
        clock.pass_minutes(5)
        counter.do(order_status.advance, placed.number, S.COMPLETED, "Bola")
        (after,) = counter.rows(Payment)
        assert (after.verified_at, after.confirmed_by) == (before.verified_at, None)


class TestCancelling:
    def cancel(self, counter: Counter, number: str) -> None:
        counter.do(order_status.cancel, number, "Ada", "no gas")

    def assert_told(self, counter: Counter, number: str) -> None:
        event, data = counter.told()[-1]
        assert event == "order_status_changed"
        assert data == {"order_number": number, "status": "cancelled", "fulfilment": "pickup"}
        assert counter.recorded() == [("Ada", "cancelled", {"reason": "no gas"})]

    def test_an_unpaid_order_frees_its_units_and_opens_the_cart(self, counter):
        placed = counter.order("sandbox")
        assert counter.units() == (50, 2)
        self.cancel(counter, placed.number)
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert counter.units() == (50, 0)
        self.assert_told(counter, placed.number)
        assert counter.money_back() == []
        assert counter.do(cart.current, counter.customer).lines == placed.cart.lines

    @pytest.mark.parametrize("status", [S.PLACED, S.PREPARING, S.READY], ids=str)
    def test_a_placed_order_puts_its_units_back(self, counter, status):
        placed = counter.order("cash")
        assert counter.units() == (48, 0)
        set_status(counter, placed.number, status)
        self.cancel(counter, placed.number)
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert counter.units() == (50, 0)
        assert counter.money_back() == []
        self.assert_told(counter, placed.number)

    @pytest.mark.parametrize("status", [S.PAID, S.PREPARING, S.READY], ids=str)
    def test_a_paid_order_gives_its_money_back(self, counter, status):
        placed = counter.paid()
        set_status(counter, placed.number, status)
        self.cancel(counter, placed.number)
        assert counter.stands(placed.number) == ("cancelled", "verified")
        assert counter.units() == (50, 0)
        assert counter.money_back() == [(TOTAL, "pending", "shop")]
        self.assert_told(counter, placed.number)
        assert flow.send_refunds(counter.shop) == 1
        assert counter.stands(placed.number) == ("cancelled", "refunded")
        assert counter.money_back() == [(TOTAL, "done", "shop")]

    def test_of_a_partly_refunded_order_the_rest_goes_back(self, counter):
        placed = counter.paid()
        counter.do(order_status.refund, placed.number, Decimal("1825.00"), "Ada", "no drink")
        self_cancel = counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        assert self_cancel is None
        assert sorted(amount for amount, _, _ in counter.money_back()) == [Decimal(1825), Decimal(10000)]

    def test_an_order_in_review_gives_back_what_came(self, counter):
        placed = counter.in_review("5000.00")
        assert counter.units() == (50, 2)
        self.cancel(counter, placed.number)
        assert counter.stands(placed.number) == ("cancelled", "review")
        assert counter.units() == (50, 0)
        assert counter.money_back() == [(Decimal("5000.00"), "pending", "Ada")]
        self.assert_told(counter, placed.number)

    def test_an_order_in_review_without_money_is_just_ended(self, counter):
        placed = counter.order("sandbox")
        set_status(counter, placed.number, S.REVIEW)
        self.cancel(counter, placed.number)
        assert counter.stands(placed.number)[0] == "cancelled"
        assert (counter.units(), counter.money_back()) == ((50, 0), [])

    @pytest.mark.parametrize("status", [S.COMPLETED, S.CANCELLED, S.EXPIRED, S.REFUNDED], ids=str)
    def test_what_is_over_cannot_be_cancelled(self, counter, status):
        placed = counter.order("cash")
        set_status(counter, placed.number, status)
        with pytest.raises(CannotMove) as refusal:
            self.cancel(counter, placed.number)
        assert refusal.value.values["status"] == status.value
        assert counter.units() == (48, 0)
        assert counter.recorded() == []

    def test_an_order_without_payments_is_cancelled_too(self, counter, make_shop):
        free = make_shop(payment_processing=False)
        free.run(lambda work: cart.add(work, counter.customer, str(counter.product.id), 2))
        number = free.run(lambda work: checkout.place(work, counter.customer)).number
        free.run(lambda work: order_status.cancel(work, number, "Ada", "no gas"))
        assert counter.stands(number) == ("cancelled", "")
        assert counter.units() == (50, 0)


class TestTwoAtOnce:
    """A double click is one command; two members of staff are two."""

    @pytest.mark.parametrize("ids", [("one click", "one click"), ("of ada", "of bea")])
    def test_an_order_moves_once(self, counter, ids):
        number = counter.order("cash").number
        barrier, ended = threading.Barrier(2), []

        def move(message_id: str) -> None:
            def step(work) -> str:
                return order_status.advance(work, number, S.READY, "Ada").value

            barrier.wait()
            try:
                ended.append(counter.shop.once(message_id, "move", str, step))
            except CannotMove:
                ended.append("refused")

        threads = [threading.Thread(target=move, args=(message_id,)) for message_id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == (["ready", "ready"] if len(set(ids)) == 1 else ["ready", "refused"])
        assert len(counter.told()) == len(counter.recorded()) == 1
