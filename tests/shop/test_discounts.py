"""Discounts by code: which hold, what they take off, and how often they are used."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from db.models import Discount, DiscountKind, Order, OrderStatus, PaymentStatus
from shop import cart, checkout, discounts, order_status, orders
from shop.customers import recognise
from shop.errors import DiscountNeedsMore, EmptyCart, LineChange, NoDiscountCode, UnknownDiscount
from shop.payments import flow
from shop.payments.interface import ProviderPayment
from shop.payments.offline import CashOnDelivery
from shop.payments.settling import apply, lock_payment
from shop.service import Shop
from tests.shop.lines import wanted


@pytest.fixture
def code(sessions) -> Callable[..., str]:
    """Makes a code; `SAVE10` takes ten percent off unless told otherwise."""

    def code(name: str = "SAVE10", **values: Any) -> str:
        row = Discount(code=name, **{"kind": DiscountKind.PERCENT, "value": Decimal(10), **values})
        with sessions.begin() as session:
            session.add(row)
        return name

    return code


@pytest.fixture
def uses(sessions) -> Callable[[], int]:
    """How often the only code was used."""

    def uses() -> int:
        with sessions() as session:
            return session.query(Discount).one().uses

    return uses


@pytest.fixture
def change(sessions) -> Callable[..., None]:
    """Changes the only code."""

    def change(**values: Any) -> None:
        with sessions.begin() as session:
            row = session.query(Discount).one()
            for name, value in values.items():
                setattr(row, name, value)

    return change


@pytest.fixture
def filled(ask, test_burger) -> None:
    """Two burgers: 11000.00."""
    ask(cart.add, str(test_burger.id), 2)


@pytest.mark.parametrize("words", [["save10"], ["SAVE10"], ["my", "code", "is", "Save10", "please"]])
def test_a_code_takes_its_share_off_however_it_is_written(ask, code, filled, words):
    code()
    shown = ask(cart.apply_discount, words)
    assert (shown.discount_code, shown.totals.items, shown.totals.discount) == (
        "SAVE10",
        Decimal("11000.00"),
        Decimal("1100.00"),
    )
    assert (shown.totals.tax, shown.totals.total) == (Decimal("742.50"), Decimal("10642.50"))
    assert ask(cart.current) == shown


def test_an_amount_is_never_more_than_the_items(ask, code, filled):
    code("HUGE", kind=DiscountKind.AMOUNT, value=Decimal("50000.00"))
    shown = ask(cart.apply_discount, ["huge"])
    assert (shown.totals.discount, shown.totals.total) == (Decimal("11000.00"), 0)
    code("small-1", kind=DiscountKind.AMOUNT, value=Decimal("1000.00"))
    shown = ask(cart.apply_discount, ["SMALL-1"])
    assert (shown.discount_code, shown.totals.discount) == ("small-1", Decimal("1000.00")), "the last counts"


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["no", "such", "CODE5"], "CODE5"),
        (["use", "VOUCHER", "please"], "VOUCHER"),
        (["expired2", "or", "VOUCHER", "please"], "VOUCHER"),
        (["X" * 80], "X" * 32),
    ],
)
def test_an_unknown_code_is_quoted_as_it_may_have_been_meant(ask, code, filled, words, quoted):
    code()
    with pytest.raises(UnknownDiscount) as refusal:
        ask(cart.apply_discount, words)
    assert refusal.value.values == {"code": quoted}
    assert ask(cart.current).discount_code is None


@pytest.mark.parametrize("said", ["", "discount please", "do you have a code", "I have a discount code"])
def test_where_no_word_looks_like_a_code_none_is_quoted(ask, code, filled, said):
    code()
    with pytest.raises(NoDiscountCode):
        ask(cart.apply_discount, said.split())
    assert ask(cart.current).discount_code is None


def test_a_code_holds_from_its_begin_to_its_end(ask, code, filled, clock):
    start, end = clock.now + timedelta(hours=1), clock.now + timedelta(hours=2)
    code(starts_at=start, ends_at=end)
    for moment, holds in (
        (start - timedelta(microseconds=1), False),
        (start, True),
        (end - timedelta(microseconds=1), True),
        (end, False),
    ):
        clock.now = moment
        if holds:
            assert ask(cart.apply_discount, ["save10"]).totals.discount == Decimal("1100.00")
        else:
            with pytest.raises(UnknownDiscount):
                ask(cart.apply_discount, ["save10"])
            with pytest.raises(UnknownDiscount):
                ask(lambda work, customer: discounts.named_in(work, ["save10"]))
    shown = ask(cart.current)
    assert (shown.discount_code, shown.totals.discount, shown.totals.total) == (None, 0, Decimal("11825.00"))


def test_a_code_that_was_used_up_is_unknown(ask, code, filled, change):
    code(most_uses=2, uses=1)
    assert ask(lambda work, customer: discounts.named_in(work, [" save10 "]).uses) == 1
    ask(cart.apply_discount, ["save10"])
    change(uses=2)
    with pytest.raises(UnknownDiscount) as refusal:
        ask(cart.apply_discount, ["save10"])
    assert refusal.value.values == {"code": "SAVE10"}
    with pytest.raises(UnknownDiscount):
        ask(lambda work, customer: discounts.named_in(work, [" save10 "]))


def test_a_code_that_is_over_is_quoted_by_its_name_however_it_is_written(ask, code, filled, clock):
    code("WELCOME", ends_at=clock.now)
    code("summer", most_uses=0)
    for words, quoted in (
        (["welcome"], "WELCOME"),
        (["my", "code", "is", "Welcome", "please"], "WELCOME"),
        (["SUMMER"], "summer"),
        (["welcome", "or", "summer", "or", "VOUCHER"], "summer"),
    ):
        with pytest.raises(UnknownDiscount) as refusal:
            ask(cart.apply_discount, words)
        assert refusal.value.values == {"code": quoted}, words


def test_of_several_codes_the_first_that_holds_is_taken_whatever_is_over(ask, code, filled, clock):
    code("WELCOME", ends_at=clock.now)
    code()
    code("HALF", value=Decimal(50))
    assert ask(cart.apply_discount, ["welcome", "save10", "half"]).discount_code == "SAVE10"


def test_a_code_may_ask_for_a_larger_order(ask, code, filled, test_burger):
    code(minimum_amount=Decimal("11000.01"))
    with pytest.raises(DiscountNeedsMore) as refusal:
        ask(cart.apply_discount, ["save10"])
    assert refusal.value.values == {"code": "SAVE10", "minimum": Decimal("11000.01"), "currency": "NGN"}
    ask(cart.add, str(test_burger.id), 1)
    assert ask(cart.apply_discount, ["save10"]).totals.discount == Decimal("1650.00")
    smaller = ask(cart.set_quantities, [wanted(str(test_burger.id), "2")]).cart
    assert (smaller.discount_code, smaller.totals.discount) == (None, 0), "it does not hold for this cart"
    larger = ask(cart.set_quantities, [wanted(str(test_burger.id), "4")]).cart
    assert (larger.discount_code, larger.totals.discount) == ("SAVE10", Decimal("2200.00")), "but again now"


def test_an_empty_cart_takes_no_code(ask, code):
    code()
    with pytest.raises(EmptyCart):
        ask(cart.apply_discount, ["save10"])


def test_starting_over_forgets_the_code(ask, code, filled, test_burger):
    code()
    ask(cart.apply_discount, ["save10"])
    ask(cart.start_over)
    assert ask(cart.add, str(test_burger.id), 1).cart.discount_code is None


def test_a_code_counts_once_per_order(ask, code, filled, uses, pay, sessions):
    code()
    shown = ask(cart.apply_discount, ["save10"])
    assert ask(checkout.review) == shown
    assert uses() == 0, "shown is not used"
    placed = ask(checkout.place)
    assert ask(checkout.place) == placed
    assert uses() == 1
    assert placed.cart.totals == shown.totals
    with sessions() as session:
        order = session.query(Order).one()
        assert (order.discount_code, order.discount_amount) == ("SAVE10", Decimal("1100.00"))
    assert pay(placed) == "verified"
    assert uses() == 1


def test_an_order_without_a_code_uses_none(ask, code, filled, uses):
    code()
    ask(checkout.place)
    ask(orders.cancel)
    assert uses() == 0


def test_an_unpaid_order_that_is_cancelled_gives_the_use_back(ask, code, filled, uses):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    ask(checkout.place)
    assert uses() == 1
    ask(orders.cancel)
    assert uses() == 0
    assert ask(cart.current).discount_code == "SAVE10", "it still holds for the cart"
    assert ask(checkout.place).cart.discount_code == "SAVE10"


def test_an_order_that_expires_gives_the_use_back(ask, shop, code, filled, uses, clock):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    ask(checkout.place)
    clock.pass_minutes(31)
    assert flow.expire_due(shop) == 1
    assert uses() == 0


def test_editing_the_cart_of_an_unpaid_order_gives_the_use_back(ask, code, filled, uses, test_burger):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    ask(checkout.place)
    assert ask(cart.add, str(test_burger.id), 1).cart.discount_code == "SAVE10"
    assert uses() == 0


def test_no_use_is_given_back_that_was_never_counted(ask, shop, code, uses):
    code()
    shop.run(lambda work: discounts.give_back(work, "SAVE10"))
    shop.run(lambda work: discounts.give_back(work, None))
    shop.run(lambda work: discounts.give_back(work, "NEVER"))
    assert uses() == 0


@pytest.fixture
def counter(shop, clock) -> Shop:
    """A shop that takes cash: its orders are placed at once."""
    policy = replace(shop.policy, payment_providers=("cash",))
    return Shop(shop.sessions, policy, shop.flags, {"cash": CashOnDelivery()}, clock)


@pytest.mark.parametrize("who", ["customer", "staff"])
def test_a_placed_order_that_is_cancelled_gives_the_use_back(ask, counter, customer, code, filled, uses, who):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    number = counter.run(lambda work: checkout.place(work, customer)).number
    assert uses() == 1
    if who == "customer":
        counter.run(lambda work: orders.cancel(work, customer))
    else:
        counter.run(lambda work: order_status.cancel(work, number, "Ada", "no bread"))
    assert uses() == 0, "the order came to nothing"


def test_a_paid_order_that_the_shop_cancels_gives_the_use_back(ask, shop, pay, code, filled, uses):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    placed = ask(checkout.place)
    pay(placed)
    shop.run(lambda work: order_status.cancel(work, placed.number, "Ada", "no bread"))
    assert uses() == 0


def test_late_money_uses_the_code_again_and_its_price_holds_even_if_it_is_used_up(
    ask, shop, pay, code, filled, uses, clock, change
):
    """The order expired and gave its use back; then it was paid after all. No code is overdrawn."""
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    first = ask(checkout.place)
    flow.open_payment(shop, first.payment_reference)
    clock.pass_minutes(31)
    flow.expire_due(shop)
    assert (pay(first), uses()) == ("verified", 1)

    change(most_uses=2)
    clock.pass_minutes(1)
    ask(orders.repeat)
    ask(cart.apply_discount, ["save10"])
    second = ask(checkout.place)
    flow.open_payment(shop, second.payment_reference)
    clock.pass_minutes(31)
    flow.expire_due(shop)
    change(most_uses=1)
    assert (pay(second), uses()) == ("verified", 1)


def test_the_price_without_a_code_that_ended_is_told_before_it_is_ordered(ask, code, filled, change, clock):
    code()
    ask(cart.apply_discount, ["save10"])
    ask(checkout.review)
    change(ends_at=clock.now)
    told = ask(checkout.confirm)
    assert told.placed is None
    assert told.changes == (LineChange("total", "", Decimal("10642.50"), Decimal("11825.00")),)
    assert (told.cart.discount_code, told.cart.totals.total) == (None, Decimal("11825.00"))
    placed = ask(checkout.confirm).placed
    assert placed.cart.totals.total == Decimal("11825.00")


@pytest.fixture
def rival(shop, caller, code, ask, filled, test_burger) -> Any:
    """Another customer, who goes for the last use of the same code; both have seen the lower price."""
    code(most_uses=1)
    who = caller(number="+2348030000002")
    rival = shop.run(lambda work: recognise(work, who.lookup, who.address, "Rival"))
    shop.run(lambda work: cart.add(work, rival, str(test_burger.id), 2))
    shop.run(lambda work: cart.apply_discount(work, rival, ["save10"]))
    shop.run(lambda work: checkout.review(work, rival))
    ask(cart.apply_discount, ["save10"])
    ask(checkout.review)
    return rival


def test_who_comes_second_to_the_last_use_is_told(ask, shop, rival, uses, sessions, engine):
    """The rival's order takes the last use while ours has read that one is left, and waits for the row."""

    def waits_for_us() -> bool:
        with engine.connect() as other:
            return bool(other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    with ThreadPoolExecutor(1) as pool:

        def order_first(work):
            discounts.use(work, "SAVE10")
            ours = pool.submit(lambda: ask(checkout.confirm))
            while not waits_for_us():
                assert not ours.done(), "it must wait for whoever has the code"
            return ours

        told = shop.run(order_first).result(30)
    assert (told.placed, told.changes, told.lost_code) == (None, (), "SAVE10")
    assert told.cart.discount_code is None
    assert (told.cart.totals.discount, told.cart.totals.total) == (0, Decimal("11825.00"))
    with sessions() as session:
        assert session.query(Order).count() == 0, "nothing is ordered that was not shown"
    assert uses() == 1
    placed = ask(checkout.confirm).placed
    assert (placed.cart.discount_code, placed.cart.totals.total) == (None, Decimal("11825.00"))
    assert uses() == 1


def test_of_two_at_once_one_gets_the_last_use(ask, shop, customer, rival, uses, sessions):
    barrier = Barrier(2)

    def confirm(who: Any) -> checkout.Confirmation:
        barrier.wait(10)
        return shop.run(lambda work: checkout.confirm(work, who))

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(confirm, [customer, rival]))
    (placed,) = [outcome.placed for outcome in outcomes if outcome.placed]
    (told,) = [outcome for outcome in outcomes if not outcome.placed]
    assert (placed.cart.discount_code, placed.cart.totals.discount) == ("SAVE10", Decimal("1100.00"))
    assert told.lost_code == "SAVE10" or [change.kind for change in told.changes] == ["total"]
    assert told.cart.totals.total == Decimal("11825.00")
    assert uses() == 1
    with sessions() as session:
        assert session.query(Order).count() == 1


def test_money_of_another_amount_keeps_the_use_until_somebody_decides(ask, shop, code, filled, uses):
    code(most_uses=1)
    ask(cart.apply_discount, ["save10"])
    placed = ask(checkout.place)

    def too_little(work):
        order, payment = lock_payment(work, placed.payment_reference)
        return apply(
            work, order, payment, ProviderPayment(payment.payment_reference, True, Decimal(1), "NGN")
        )

    assert shop.run(too_little) == "review"
    assert uses() == 1
    shop.run(lambda work: order_status.cancel(work, placed.number, "Ada", "too little"))
    assert ask(orders.latest).status == OrderStatus.CANCELLED
    assert uses() == 0, "the order came to nothing"
    with shop.sessions() as session:
        assert session.query(Order).one().payments[0].status == PaymentStatus.REVIEW
