"""What does not agree is listed, each thing once; a shop in which all went its way has nothing to list."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

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
from shop import cart, order_status, orders, refunds
from shop.payments import flow
from shop.reconciliation import Difference
from tests.shop.books import TOTAL

S = OrderStatus


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
    told = [Difference(placed.number, f"is {status} without a verified payment")]
    if payment == PaymentStatus.REVIEW:
        waits = f"is {status}, and 11825.00 NGN that came for it is in review"
        told.append(Difference(placed.number, waits))
    assert books.listed() == told


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
        ({"amount": Decimal("11824.99"), "received_amount": TOTAL}, "costs 11825.00, verified were 11825.00"),
        ({"received_amount": Decimal("1182.50")}, "costs 11825.00, verified were 1182.50"),
        ({"amount": Decimal("11826.00"), "received_amount": None}, "costs 11825.00, verified were 11826.00"),
        ({"currency": "KES"}, "is in NGN, its payment asks for KES"),
        ({"received_currency": "KES"}, "is in NGN, verified were KES"),
    ],
    ids=[
        "asked for too little",
        "too little came",
        "nobody noted what came",
        "another currency",
        "another currency came",
    ],
)
def test_a_verified_payment_of_another_amount_is_listed(books, values, told):
    placed = books.paid()
    books.set(Payment, **values)
    assert books.listed() == [Difference(placed.number, told)]
    books.set(Payment, confirmed_by="Ada")
    assert books.listed() == [], "a person took it for what it is"


def test_an_order_whose_payment_asks_for_another_currency_is_listed_before_it_is_paid(books):
    placed = books.order()
    books.set(Payment, currency="KES")
    assert books.listed() == [Difference(placed.number, "is in NGN, its payment asks for KES")]


def test_money_of_another_currency_that_awaits_a_decision_is_no_difference(books):
    """It is in review, which is what a person looks at; taken by a person, it is settled."""
    placed = books.order()
    books.set(SandboxCharge, currency="KES")
    assert books.press(placed) == "review"
    assert (books.listed(), books.told_by_providers()) == ([], [])
    books.do(order_status.accept_payment, placed.number, "Ada")
    assert (books.listed(), books.told_by_providers()) == ([], [])


@pytest.mark.parametrize("said", ["kes", "KES"])
def test_an_event_in_another_currency_than_came_is_listed(books, said):
    books.paid()
    event = books.only(PaymentEvent)
    books.set(PaymentEvent, payload={**event.payload, "currency": said})
    assert books.listed() == [Difference(event.event_id, "event of sandbox counts in KES, we in NGN")]


@pytest.mark.parametrize("said", ["ngn", "NGN", None])
def test_an_event_in_the_same_currency_however_it_is_written_is_no_difference(books, said):
    """Stripe writes currencies in lower case; Paystack may leave one out."""
    books.paid()
    books.set(PaymentEvent, payload={"currency": said})
    assert books.listed() == []


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
    books.set(Refund, status=RefundStatus.PENDING, created_at=books.clock.now, provider_id=None)
    books.clock.pass_minutes(14)
    assert books.listed() == []
    books.clock.pass_minutes(2)
    refund = books.only(Refund)
    assert books.listed() == [Difference(placed.number, f"refund {refund.id} of 1825.00 is pending")]


def test_a_refund_that_a_bank_carries_for_days_is_listed_after_ten(books):
    placed = books.refunded(Decimal("1825.00"))
    books.set(Refund, status=RefundStatus.PENDING, created_at=books.clock.now)
    books.clock.pass_minutes(10 * 24 * 60 - 1)
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
