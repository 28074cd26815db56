"""What does not agree is listed, each thing once; a shop in which all went its way has nothing to list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from db.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentEvent,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    SandboxCharge,
    StockReservation,
)
from shop import cart, checkout, order_status, orders, refunds
from shop.errors import ProviderUnavailable
from shop.payments import flow
from shop.payments.interface import PaymentHandle, ProviderPayment
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.payments.sandbox import SandboxProvider
from shop.reconciliation import Difference, ask_providers, differences
from shop.service import Shop
from tests.commerce_fixtures import FrozenClock

TOTAL = Decimal("11825.00")
S = OrderStatus


class SilentSandbox(SandboxProvider):
    """A sandbox that cannot be reached."""

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        raise ProviderUnavailable(self.name)


@dataclass
class Books:
    """The shop with every way to pay that needs no account; an order is of two burgers, 11825.00."""

    shop: Shop
    sandbox: SandboxProvider
    clock: FrozenClock
    customer: Any
    product: Product

    def do(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.shop.run(lambda work: operation(work, *args, **kwargs))

    def order(self, method: str = "sandbox") -> checkout.PlacedOrder:
        """An order a minute after the one before it."""
        self.clock.pass_minutes(1)
        self.do(cart.add, self.customer, str(self.product.id), 2)
        placed: checkout.PlacedOrder = self.do(checkout.place, self.customer, method)
        if method == "sandbox":
            flow.open_payment(self.shop, str(placed.payment_reference))
        return placed

    def press(self, placed: checkout.PlacedOrder, outcome: str = "paid") -> str:
        note = self.sandbox.settle(str(placed.payment_reference), outcome)
        return flow.receive(self.shop, "sandbox", note.body, note.headers)

    def paid(self) -> checkout.PlacedOrder:
        placed = self.order()
        assert self.press(placed) == "verified"
        return placed

    def refunded(self, amount: Decimal | None) -> checkout.PlacedOrder:
        placed = self.paid()
        self.do(order_status.refund, placed.number, amount, "Ada", "cold")
        assert flow.send_refunds(self.shop) == 1
        return placed

    def expired(self) -> checkout.PlacedOrder:
        placed = self.order()
        self.clock.pass_minutes(31)
        assert flow.expire_due(self.shop) == 1
        # Its cart is open again; the next order shall be of two burgers, too.
        self.do(cart.clear, self.customer)
        return placed

    def set(self, kind: type, **values: Any) -> None:
        """Change the only row of a table, past the shop."""
        with self.shop.sessions.begin() as session:
            row = session.scalars(select(kind)).one()
            for name, value in values.items():
                setattr(row, name, value)

    def insert(self, *rows: Any) -> None:
        with self.shop.sessions.begin() as session:
            session.add_all(rows)

    def only(self, kind: type) -> Any:
        with self.shop.sessions() as session:
            return session.scalars(select(kind)).one()

    def listed(self) -> list[Difference]:
        found: list[Difference] = self.do(differences)
        return found

    def told_by_providers(self, days: float = 3) -> list[Difference]:
        return ask_providers(self.shop, self.clock.now - timedelta(days=days))


@pytest.fixture
def books(shop, sandbox, clock, customer, test_burger) -> Books:
    clock.now = datetime.now(UTC)  # some rows are dated by the database
    providers = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}
    policy = replace(shop.policy, payment_providers=tuple(providers), bank_account="Test Bank 0123456789")
    wide = Shop(shop.sessions, policy, shop.flags, providers, clock)
    return Books(wide, sandbox, clock, customer, test_burger)


def test_an_empty_shop_has_no_difference(books):
    assert books.listed() == []
    assert books.told_by_providers() == []


def test_a_shop_in_which_all_went_its_way_has_no_difference(books):
    made = books.paid()
    for to in (S.PREPARING, S.READY, S.COMPLETED):
        books.do(order_status.advance, made.number, to, "Ada")
    books.paid()

    in_cash = books.order("cash")
    books.do(order_status.advance, in_cash.number, S.COMPLETED, "Ada")
    ready = books.order("cash")
    books.do(order_status.advance, ready.number, S.READY, "Ada")
    dropped = books.order("cash")
    books.do(order_status.cancel, dropped.number, "Ada", "no gas")
    books.order("cash")
    books.do(orders.cancel, books.customer)
    books.order("cash")

    transferred = books.order("bank_transfer")
    books.do(order_status.confirm_transfer, transferred.payment_reference, TOTAL, "Ada")
    by_hand = books.order("bank_transfer")
    books.do(order_status.confirm_transfer, by_hand.payment_reference, TOTAL, "Ada")
    books.do(order_status.refund, by_hand.number, None, "Ada", "cold")
    assert flow.send_refunds(books.shop) == 1
    books.do(refunds.finish_by_hand, books.only(Refund).id, "Ada")

    books.refunded(None)
    books.refunded(Decimal("1825.00"))
    cancelled = books.paid()
    books.do(order_status.cancel, cancelled.number, "Ada", "no gas")
    assert flow.send_refunds(books.shop) == 1

    tried_again = books.order()
    assert books.press(tried_again, "failed") == "failed"
    assert books.press(tried_again) == "verified"
    books.expired()
    late = books.expired()
    assert books.press(late) == "verified"
    too_late = books.expired()
    books.set(Product, available=False)
    assert books.press(too_late) == "refund"
    assert flow.send_refunds(books.shop) == 1
    books.set(Product, available=True)

    accepted = books.order()
    with books.shop.sessions.begin() as session:
        session.get_one(SandboxCharge, accepted.payment_reference).amount = Decimal("11000.00")
    assert books.press(accepted) == "review"
    books.do(order_status.accept_payment, accepted.number, "Ada")

    unpaid = books.order()
    books.do(orders.cancel, books.customer)
    assert books.press(unpaid, "failed") == "unchanged"
    books.do(cart.clear, books.customer)
    books.order()
    assert (books.listed(), books.told_by_providers()) == ([], [])
    with books.shop.sessions() as session:
        statuses = set(session.scalars(select(Order.status)))
    assert statuses == set(S) - {S.PREPARING, S.REVIEW}, "nearly every end was there"


@pytest.mark.parametrize("status", [S.PAID, S.PREPARING, S.READY, S.COMPLETED], ids=str)
@pytest.mark.parametrize("payment", sorted(set(PaymentStatus) - {PaymentStatus.VERIFIED}), ids=str)
def test_an_order_that_was_made_without_money_is_listed(books, status, payment):
    placed = books.paid()
    books.set(Order, status=status)
    books.set(Payment, status=payment)
    assert books.listed() == [Difference(placed.number, f"is {status} without a verified payment")]


def test_cash_is_money_only_when_it_is_handed_over(books):
    books.order("cash")
    books.set(Order, status=S.READY)
    assert books.listed() == []


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED, S.PLACED, S.AWAITING_PAYMENT, S.REVIEW], ids=str)
def test_money_of_an_order_that_was_not_sold_is_listed(books, status):
    placed = books.paid()
    books.set(Order, status=status)
    listed = [Difference(placed.number, f"is {status}, but its payment is verified")]
    assert books.listed() == listed
    books.do(order_status.refund, placed.number, Decimal("1825.00"), "Ada", "cold")
    assert books.listed() == listed, "a part of it is not all of it"
    books.do(order_status.refund, placed.number, None, "Ada", "cold")
    assert books.listed() == [], "what is on its way back is no difference"


def test_an_order_that_was_paid_twice_is_listed_once(books):
    placed = books.paid()
    order, paid = books.only(Order), books.only(Payment)
    for times in (2, 3):
        again = Payment(
            order_id=order.id,
            amount=paid.amount,
            currency=paid.currency,
            payment_method="bank_transfer",
            payment_reference=f"TWICE-{times}",
            status=PaymentStatus.VERIFIED,
        )
        books.insert(again)
        assert books.listed() == [Difference(placed.number, f"has {times} verified payments")]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"amount": Decimal("11824.99"), "received_amount": TOTAL}, "11825.00"),
        ({"received_amount": Decimal("1182.50")}, "1182.50"),
        ({"amount": Decimal("11826.00"), "received_amount": None}, "11826.00"),
        ({"currency": "KES"}, "11825.00"),
    ],
    ids=["asked for too little", "too little came", "nobody noted what came", "another currency"],
)
def test_a_verified_payment_of_another_amount_is_listed(books, values, told):
    placed = books.paid()
    books.set(Payment, **values)
    assert books.listed() == [Difference(placed.number, f"costs 11825.00, verified were {told}")]
    books.set(Payment, confirmed_by="Ada")
    assert books.listed() == [], "a person took it for what it is"


def test_an_event_that_was_kept_but_not_applied_is_listed(books):
    books.paid()
    event = books.only(PaymentEvent)
    books.set(PaymentEvent, outcome=None, received_at=books.clock.now - timedelta(minutes=14))
    assert books.listed() == [], "it may still be under way"
    books.clock.pass_minutes(2)
    told = "event of sandbox was kept but not applied"
    assert books.listed() == [Difference(event.event_id, told)]


@pytest.mark.parametrize("status", [PaymentStatus.PENDING, PaymentStatus.FAILED], ids=str)
def test_a_payment_that_nobody_decided_is_listed(books, status):
    placed = books.expired()
    books.set(Payment, status=status)
    assert books.listed() == [], "it ended a minute ago"
    books.clock.pass_minutes(15)
    told = f"ran out of time, its payment is still {status}"
    assert books.listed() == [Difference(placed.number, told)]


def test_an_order_that_is_never_ended_is_listed(books):
    """What a sender that stands still leaves behind."""
    placed = books.order()
    books.clock.pass_minutes(46)
    assert books.listed() == [Difference(placed.number, "ran out of time, its payment is still pending")]


def test_a_refund_that_a_person_has_to_send_is_listed_at_once(books):
    placed = books.order("bank_transfer")
    books.do(order_status.confirm_transfer, placed.payment_reference, TOTAL, "Ada")
    books.do(order_status.refund, placed.number, None, "Ada", "cold")
    assert books.listed() == []
    flow.send_refunds(books.shop)
    refund = books.only(Refund)
    assert books.listed() == [Difference(placed.number, f"refund {refund.id} of 11825.00 is failed")]


def test_a_refund_that_hangs_is_listed(books):
    placed = books.refunded(Decimal("1825.00"))
    books.set(Refund, status=RefundStatus.PENDING, created_at=books.clock.now)
    books.clock.pass_minutes(14)
    assert books.listed() == []
    books.clock.pass_minutes(2)
    refund = books.only(Refund)
    assert books.listed() == [Difference(placed.number, f"refund {refund.id} of 1825.00 is pending")]


@pytest.mark.parametrize("amounts", [["11825.01"], ["6000.00", "6000.00"]], ids=["at once", "in parts"])
@pytest.mark.parametrize("received", [TOTAL, None], ids=["noted", "not noted"])
def test_more_that_went_back_than_came_is_listed_once(books, amounts, received):
    placed = books.paid()
    books.set(Payment, received_amount=received)
    payment = books.only(Payment)
    for amount in amounts:
        books.insert(
            Refund(
                payment_id=payment.id,
                amount=Decimal(amount),
                reason="typed into the table",
                requested_by="nobody",
                status=RefundStatus.DONE,
            )
        )
    sent = sum(map(Decimal, amounts))
    told = f"received 11825.00, sent back {sent}"
    assert books.listed() == [Difference(str(placed.payment_reference), told)]


@pytest.mark.parametrize("status", sorted(set(S) - {S.AWAITING_PAYMENT, S.REVIEW}), ids=str)
def test_units_that_are_held_for_an_order_that_waits_for_nothing_are_listed(books, status, make_product):
    drink = make_product(name="Chapman", stock_quantity=20, reserved_quantity=1)
    placed = books.order("cash")
    order = books.only(Order)
    with books.shop.sessions.begin() as session:
        session.get_one(Order, order.id).status = status
        session.get_one(Product, books.product.id).reserved_quantity = 2
    if status in (S.PAID, S.PREPARING, S.READY, S.COMPLETED):
        books.set(Payment, status=PaymentStatus.VERIFIED)
    until = books.clock.now + timedelta(minutes=5)
    for product, units in ((books.product, 2), (drink, 1)):
        books.insert(
            StockReservation(order_id=order.id, product_id=product.id, quantity=units, expires_at=until)
        )
    assert books.listed() == [Difference(placed.number, f"is {status} and still holds 3 units")]


@pytest.mark.parametrize(("says", "holds"), [(3, 2), (1, 2), (0, 2)])
def test_a_product_that_counts_other_units_than_orders_hold_is_listed(books, says, holds):
    books.order()
    books.set(Product, reserved_quantity=says)
    told = f"says {says} reserved, orders hold {holds}"
    assert books.listed() == [Difference(books.product.sku, told)]


def test_a_product_that_nobody_ordered_holds_nothing(books):
    books.set(Product, reserved_quantity=4)
    assert books.listed() == [Difference(books.product.sku, "says 4 reserved, orders hold 0")]


def test_several_differences_are_all_listed_each_once(books):
    lost, unpaid = books.paid(), books.order()
    with books.shop.sessions.begin() as session:
        session.scalars(select(Order).where(Order.number == unpaid.number)).one().status = S.PAID
        session.scalars(select(Order).where(Order.number == lost.number)).one().status = S.EXPIRED
    books.set(PaymentEvent, outcome=None)
    books.clock.pass_minutes(60)
    assert books.listed() == [
        Difference(unpaid.number, "is paid without a verified payment"),
        Difference(lost.number, "is expired, but its payment is verified"),
        Difference(books.only(PaymentEvent).event_id, "event of sandbox was kept but not applied"),
        Difference(unpaid.number, "ran out of time, its payment is still pending"),
        Difference(unpaid.number, "is paid and still holds 2 units"),
    ]


class TestWhatProvidersSay:
    def test_money_of_which_no_word_came_is_told(self, books):
        placed = books.order()
        books.sandbox.settle(placed.payment_reference, "paid")  # and the notification is lost
        reference = placed.payment_reference
        assert books.listed() == []
        assert books.told_by_providers() == [Difference(reference, "sandbox says paid, we have pending")]
        flow.check(books.shop, reference)
        assert books.told_by_providers() == []

    @pytest.mark.parametrize("outcome", [None, "failed"])
    def test_money_that_the_provider_knows_nothing_of_is_told(self, books, outcome):
        placed = books.paid()
        books.set(SandboxCharge, outcome=outcome)
        told = "sandbox says not paid, we have verified"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_payment_that_the_provider_does_not_have_is_told(self, books):
        placed = books.paid()
        books.set(SandboxCharge, reference="another")
        told = "sandbox says nothing, we have verified"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_payment_that_was_never_opened_and_never_paid_is_no_difference(self, books):
        """The provider was away at the checkout: neither side has money, nor a payment to speak of."""
        books.do(cart.add, books.customer, str(books.product.id), 2)
        books.do(checkout.place, books.customer, "sandbox")
        assert books.told_by_providers() == []

    def test_another_amount_is_told(self, books):
        placed = books.paid()
        books.set(SandboxCharge, amount=Decimal("1000.00"))
        told = "sandbox has 1000.00, we 11825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_money_that_the_provider_sent_back_by_itself_is_told(self, books):
        placed = books.refunded(Decimal("1825.00"))
        assert books.told_by_providers() == []
        books.set(SandboxCharge, refunded=TOTAL)
        told = "sandbox sent back 11825.00, we have 1825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_two_things_about_one_payment_are_both_told(self, books):
        placed = books.order()
        books.sandbox.settle(placed.payment_reference, "paid")
        books.set(SandboxCharge, refunded=Decimal("10.00"))
        assert [one.what for one in books.told_by_providers()] == [
            "sandbox says paid, we have pending",
            "sandbox sent back 10.00, we have 0",
        ]

    def test_a_provider_that_cannot_be_asked_is_told_for_each_payment(self, books, settings):
        references = [books.paid().payment_reference, books.paid().payment_reference]
        silent = SilentSandbox(settings.public_base_url, b"key", books.shop.sessions)
        providers = {**books.shop.providers, "sandbox": silent}
        deaf = Shop(books.shop.sessions, books.shop.policy, books.shop.flags, providers, books.clock)
        found = ask_providers(deaf, books.clock.now - timedelta(days=1))
        assert found == [Difference(reference, "sandbox cannot be asked") for reference in references]

    def test_nobody_is_asked_about_cash_transfers_or_a_way_to_pay_that_is_gone(self, books):
        books.order("cash")
        books.order("bank_transfer")
        placed = books.paid()
        books.sandbox.settle(placed.payment_reference, "paid")
        with books.shop.sessions.begin() as session:
            session.get_one(SandboxCharge, placed.payment_reference).refunded = TOTAL
        assert len(books.told_by_providers()) == 1
        left = {name: one for name, one in books.shop.providers.items() if name != "sandbox"}
        fewer = Shop(books.shop.sessions, books.shop.policy, books.shop.flags, left, books.clock)
        assert ask_providers(fewer, books.clock.now - timedelta(days=1)) == []

    def test_only_payments_since_then_are_asked_about_oldest_first(self, books):
        placed = []
        for _ in range(3):
            placed.append(books.order())
            books.sandbox.settle(placed[-1].payment_reference, "paid")
            books.do(orders.cancel, books.customer)
            books.do(cart.clear, books.customer)
            books.clock.pass_minutes(24 * 60)
        told = [one.about for one in books.told_by_providers(days=2.5)]
        assert told == [one.payment_reference for one in placed[1:]]
