"""What the staff does with an order, and the money that goes back: every move, told and recorded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.models import (
    Cart,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    StaffAction,
)
from shop import cart, checkout, fulfilment, order_status, orders, refunds
from shop.customers import recognise, stop_notices
from shop.errors import (
    AmountDiffers,
    CannotMove,
    CannotRefund,
    EmptyCart,
    NoOrder,
    NoRefund,
    NothingToPay,
    ProviderUnavailable,
    RefundRefused,
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

TOTAL = Decimal("11825.00")
S = OrderStatus


@dataclass
class Moody:
    """A provider that takes any payment, and answers refunds as it is told to."""

    answers: list[Exception | StartedRefund] = field(default_factory=list)
    asked: list[tuple[Decimal, str]] = field(default_factory=list)
    name = "moody"
    settlement = Settlement.PROVIDER

    def start(self, request: PaymentRequest) -> StartedPayment:
        return StartedPayment("https://moody.example/pay", f"id of {request.reference}")

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        return ProviderEvent(body.decode(), body.decode(), {})

    def read(self, payment: PaymentHandle) -> ProviderPayment:
        return ProviderPayment(payment.reference, True, payment.amount, payment.currency)

    close = read

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        self.asked.append((amount, key))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Counter:
    """The shop with every way to pay, seen by its staff; orders are of two burgers."""

    shop: Shop
    customer: Any
    product: Product
    sandbox: Any
    moody: Moody

    def do(self, operation: Callable[..., Any], *args: Any) -> Any:
        return self.shop.run(lambda work: operation(work, *args))

    def order(self, method: str, *, delivery: bool = False) -> checkout.PlacedOrder:
        def place(work):
            cart.add(work, self.customer, str(self.product.id), 2)
            if delivery:
                fulfilment.choose_delivery(work, self.customer, "12 Allen Avenue")
            return checkout.place(work, self.customer, method)

        return self.shop.run(place)

    def paid(self, method: str = "sandbox") -> checkout.PlacedOrder:
        placed = self.order(method)
        flow.open_payment(self.shop, placed.payment_reference)
        if method == "moody":
            assert flow.receive(self.shop, "moody", placed.payment_reference.encode(), {}) == "verified"
        else:
            note = self.sandbox.settle(placed.payment_reference, "paid")
            assert flow.receive(self.shop, "sandbox", note.body, note.headers) == "verified"
        return placed

    def in_review(self, came: str = "5000.00") -> checkout.PlacedOrder:
        """Money of another amount came."""
        placed = self.order("bank_transfer")

        def settle(work):
            order, payment = order_status.settling.lock_payment(work, placed.payment_reference)
            truth = ProviderPayment(placed.payment_reference, True, Decimal(came), "NGN")
            return order_status.settling.apply(work, order, payment, truth)

        assert self.shop.run(settle) == "review"
        return placed

    def rows(self, kind: type) -> list[Any]:
        with self.shop.sessions() as session:
            return session.query(kind).order_by(kind.created_at).all()

    def stands(self, number: str) -> tuple[str, str]:
        """The states of an order and of its last payment."""
        with self.shop.sessions() as session:
            order = session.query(Order).filter_by(number=number).one()
            return order.status.value, order.payments[-1].status.value if order.payments else ""

    def units(self) -> tuple[int, int]:
        with self.shop.sessions() as session:
            row = session.get(Product, self.product.id)
            return row.stock_quantity, row.reserved_quantity

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        with self.shop.sessions() as session:
            rows = session.query(OutboxEvent).order_by(OutboxEvent.sequence)
            return [(row.event, row.data) for row in rows]

    def recorded(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.shop.sessions() as session:
            rows = session.query(StaffAction).all()
            numbers = {order.id: order.number for order in session.query(Order)}
            assert all(row.order_id in numbers for row in rows)
            return [(row.staff, row.action, row.details) for row in rows]

    def money_back(self) -> list[tuple[Decimal, str, str]]:
        return [(row.amount, row.status.value, row.requested_by) for row in self.rows(Refund)]


@pytest.fixture
def counter(shop, sandbox, clock, customer, test_burger) -> Counter:
    moody = Moody()
    providers = {
        "sandbox": sandbox,
        "bank_transfer": BankTransfer(),
        "cash": CashOnDelivery(),
        "moody": moody,
    }
    policy = replace(
        shop.policy,
        payment_providers=tuple(providers),
        bank_account="Test Bank 0123456789",
        delivery_fee=Decimal(0),
    )
    return Counter(
        Shop(shop.sessions, policy, shop.flags, providers, clock), customer, test_burger, sandbox, moody
    )


def set_status(counter: Counter, number: str, status: OrderStatus) -> None:
    with counter.shop.sessions.begin() as session:
        session.query(Order).filter_by(number=number).one().status = status


def payment_of(counter: Counter) -> uuid.UUID:
    """The only payment's id, which is no refund's."""
    (payment,) = counter.rows(Payment)
    return payment.id


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

    def test_money_in_review_goes_back_before_the_money_that_was_taken(self, counter, clock):
        placed = counter.paid()
        with counter.shop.sessions.begin() as session:
            order = session.query(Order).one()
            session.add(
                Payment(
                    order_id=order.id,
                    amount=TOTAL,
                    currency="NGN",
                    payment_method="bank_transfer",
                    payment_reference="MORE-1",
                    status=PaymentStatus.REVIEW,
                    received_amount=Decimal("300.00"),
                    received_currency="NGN",
                    created_at=clock.now + timedelta(minutes=1),
                )
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

    def test_a_refund_that_the_provider_took_and_has_not_sent_yet_is_done(self, counter):
        placed = counter.paid("moody")
        self.refund(counter, placed.number)
        counter.moody.answers = [StartedRefund("re_later", done=False)]
        flow.send_refunds(counter.shop)
        (row,) = counter.rows(Refund)
        assert (row.status, row.provider_id) == (RefundStatus.DONE, "re_later")

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
        with counter.shop.sessions.begin() as session:
            order = session.query(Order).one()
            session.add(
                Payment(
                    order_id=order.id,
                    amount=TOTAL,
                    currency="NGN",
                    payment_method="bank_transfer",
                    payment_reference="TWICE-1",
                    created_at=clock.now + timedelta(minutes=1),
                )
            )
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


class TestHowItsCustomerSeesIt:
    def test_an_order_is_tracked_by_its_number_or_is_the_latest(self, counter, clock, caller):
        first = counter.order("cash").number
        clock.pass_minutes(1)
        second = counter.order("cash").number
        for words, number in (
            ([], second),
            (["where", "is", "it"], second),
            (["where", "is", first.lower()], first),
            (["order", first, second], first),
        ):
            assert counter.do(orders.track, counter.customer, words).number == number
        who = caller(number="+2348030000009")
        stranger = counter.do(recognise, who.lookup, who.address, "Stranger")
        with pytest.raises(NoOrder):
            counter.do(orders.track, stranger, [first])

    def test_who_paid_late_goes_on_with_the_new_cart(self, counter, clock):
        placed = counter.order("sandbox")
        flow.open_payment(counter.shop, placed.payment_reference)
        clock.pass_minutes(31)
        flow.expire_due(counter.shop)
        counter.do(cart.add, counter.customer, str(counter.product.id), 3)
        note = counter.sandbox.settle(placed.payment_reference, "paid")
        assert flow.receive(counter.shop, "sandbox", note.body, note.headers) == "verified"

        def told(work):
            done = orders.complete_payment(work, counter.customer, placed.number)
            return done.status, work.state

        assert counter.shop.run(told) == ("paid", "ADDING_TO_CART")
        assert counter.do(cart.current, counter.customer).lines[0].quantity == 3, "what was added stays"

    def test_an_unpaid_order_is_reminded_of_once(self, counter, clock):
        counter.order("cash")
        clock.pass_minutes(1)
        placed = counter.order("sandbox")
        clock.pass_minutes(19)
        assert counter.do(orders.remind) == 0
        clock.pass_minutes(1)
        assert counter.do(orders.remind) == 1
        assert counter.do(orders.remind) == 0
        assert counter.told() == [("payment_reminder", {"order_number": placed.number})]

    def test_who_wants_no_notices_is_not_reminded(self, counter, clock):
        counter.order("sandbox")
        counter.shop.run(lambda work: stop_notices(work, work.customers.find_by_id(counter.customer.id)))
        clock.pass_minutes(25)
        assert counter.do(orders.remind) == 0
        assert counter.told() == []

    def test_an_order_that_was_just_made_is_not_reminded_of(self, counter, shop, clock, customer):
        hasty = Shop(
            shop.sessions,
            replace(shop.policy, payment_timeout_minutes=8),
            shop.flags,
            shop.providers,
            clock,
        )
        hasty.run(lambda work: cart.add(work, customer, str(counter.product.id), 1))
        hasty.run(lambda work: checkout.place(work, customer))
        assert hasty.run(orders.remind) == 0
        clock.pass_minutes(7)
        assert hasty.run(orders.remind) == 0, "nor later: it was looked at once"

    def test_an_order_that_is_not_over_cannot_be_ended(self, counter, clock):
        counter.order("sandbox")
        (order,) = counter.rows(Order)
        assert counter.do(orders.expire, order.id) is False
        clock.pass_minutes(30)
        assert counter.do(orders.expire, order.id) is True
        assert counter.do(orders.expire, order.id) is False, "another replica was faster"

    def test_an_unpaid_order_joins_a_cart_that_is_open_already(self, counter):
        placed = counter.order("sandbox")
        with counter.shop.sessions.begin() as session:
            session.add(Cart(customer_id=counter.customer.id))
        counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert counter.units() == (50, 0)
        assert sorted(row.status for row in counter.rows(Cart)) == ["open", "ordered"]

    def test_an_order_whose_cart_is_gone_opens_a_new_one(self, counter):
        placed = counter.order("sandbox")
        with counter.shop.sessions.begin() as session:
            order = session.query(Order).one()
            order.cart_id = None
            order.payments[0].status = PaymentStatus.EXPIRED
        counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert sorted(row.status for row in counter.rows(Cart)) == ["open", "ordered"]
        with pytest.raises(EmptyCart):
            counter.do(cart.current, counter.customer)
