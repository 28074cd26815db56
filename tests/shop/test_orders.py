"""Orders: from the first hello to the paid order, and every other way an order can end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import select

from db.models import (
    Cart,
    CartStatus,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Product,
    SandboxCharge,
    StateChange,
    StockReservation,
)
from shop import cart, catalogue, checkout, conversation, order_status, orders
from shop.conversation import ConversationState
from shop.customers import recognise
from shop.errors import CannotCancel, EmptyCart, LineChange, NoOrder, NothingToPay, OrderChanged
from shop.payments import flow
from shop.payments.interface import Settlement


@pytest.fixture
def stock_of(sessions) -> Callable[[Product], tuple[int | None, int]]:
    """A product's units: in stock, and reserved of these."""

    def stock_of(product: Product) -> tuple[int | None, int]:
        with sessions.begin() as session:
            row = session.get(Product, product.id)
            return row.stock_quantity, row.reserved_quantity

    return stock_of


def test_full_order_process(ask, shop, pay, sessions, test_burger, stock_of, clock):
    """The specification's order: 2 × Test Burger = 11000.00, tax 825.00, total 11825.00."""
    assert ask(conversation.start_session).state == ConversationState.GREETING
    category = ask(catalogue.show_menu).choices[0]
    shown = ask(catalogue.show_menu, category.name)
    picked = ask(catalogue.select, [shown.choices[0].id], "Test Burger").product
    assert ask(cart.ask_quantity, str(picked.id)).product.price == Decimal("5500.00")
    ask(cart.add, str(picked.id), "2")
    reviewed = ask(checkout.review)
    assert (reviewed.totals.items, reviewed.totals.tax, reviewed.totals.total) == (
        Decimal("11000.00"),
        Decimal("825.00"),
        Decimal("11825.00"),
    )
    placed = ask(checkout.place)
    assert placed.cart == reviewed, "what was shown is what is ordered"
    assert (placed.method, placed.settlement) == ("sandbox", Settlement.PROVIDER)
    assert placed.minutes_to_pay == 30
    assert placed.payment_reference.startswith("pay-")
    pay_url = flow.open_payment(shop, placed.payment_reference)
    assert pay_url == f"http://127.0.0.1:4000/payments/sandbox/{placed.payment_reference}"
    assert stock_of(test_burger) == (50, 2)

    assert pay(placed) == "verified"
    assert stock_of(test_burger) == (48, 0)
    told = ask(orders.complete_payment, placed.number)
    assert (told.number, told.status) == (placed.number, "paid")

    with sessions.begin() as session:
        order = session.query(Order).one()
        assert (order.status, order.total_amount) == (OrderStatus.PAID, Decimal("11825.00"))
        (item,) = order.items
        assert (item.quantity, item.unit_price, item.total_price) == (2, Decimal("5500"), Decimal("11000"))
        (payment,) = order.payments
        assert (payment.status, payment.amount) == (PaymentStatus.VERIFIED, Decimal("11825.00"))
        assert payment.verified_at == clock.now
        assert payment.payment_reference == order.payment_reference == placed.payment_reference
        assert (payment.received_amount, payment.received_currency) == (Decimal("11825.00"), "NGN")
        notice = session.query(OutboxEvent).one()
        assert (notice.event, notice.dispatched_at) == ("payment_confirmed", None)
        assert notice.data == {"order_number": placed.number, "amount": "11825.00", "currency": "NGN"}
        walked = session.query(StateChange).order_by(StateChange.id).all()
        states = list(dict.fromkeys(change.to_state for change in walked))
        assert states == [state.value for state in ConversationState], "all eight, in order"
        assert len(walked) == 9, "from COLLECTING_QUANTITY once back to ADDING_TO_CART"
        assert [change.from_state for change in walked] == [None, *(c.to_state for c in walked[:-1])]


def test_placing_twice_returns_the_same_order(ask, shop, test_burger, sessions, stock_of):
    ask(cart.add, str(test_burger.id), 2)
    first = ask(checkout.place)
    assert ask(checkout.place) == first
    assert len({flow.open_payment(shop, first.payment_reference) for _ in range(2)}) == 1
    assert stock_of(test_burger) == (50, 2)
    with sessions.begin() as session:
        assert session.query(Order).count() == session.query(Payment).count() == 1


def test_a_double_tap_on_two_replicas_makes_one_order(ask, shop, test_burger, sessions, stock_of):
    ask(cart.add, str(test_burger.id), 2)

    def place_and_open(_: int) -> tuple[str, str | None]:
        placed = ask(checkout.place)
        return placed.number, flow.open_payment(shop, placed.payment_reference)

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(place_and_open, range(6)))
    assert len(answers) == 1, "one order, one page to pay it"
    assert stock_of(test_burger) == (50, 2)
    with sessions.begin() as session:
        assert session.query(Order).count() == 1
        assert session.query(SandboxCharge).count() == 1


def test_an_empty_cart_cannot_be_ordered(ask, test_burger):
    for step in (checkout.begin, checkout.review, checkout.place, checkout.confirm, checkout.decline):
        with pytest.raises(EmptyCart):
            ask(step)
    ask(cart.add, str(test_burger.id), 1)
    ask(cart.clear)
    with pytest.raises(EmptyCart):
        ask(checkout.place)


def test_declining_keeps_the_cart(ask, test_burger):
    ask(cart.add, str(test_burger.id), 2)
    reviewed = ask(checkout.review)
    assert ask(checkout.decline) == reviewed
    assert ask(cart.current) == reviewed


def test_stock_updates(ask, pay, test_burger, make_product, stock_of):
    """Reserved when ordered, gone when paid; unlimited stays unlimited."""
    endless = make_product(name="Tap Water", price=Decimal("0.00"), stock_quantity=None)
    ask(cart.add, str(test_burger.id), 3)
    ask(cart.add, str(endless.id), 7)
    assert stock_of(test_burger) == (50, 0), "a cart holds nothing"
    placed = ask(checkout.place)
    assert (stock_of(test_burger), stock_of(endless)) == ((50, 3), (None, 7))
    pay(placed, "failed")
    assert stock_of(test_burger) == (50, 3), "the customer may try again"
    pay(placed)
    assert (stock_of(test_burger), stock_of(endless)) == ((47, 0), (None, 0))


def test_an_order_that_cannot_be_filled_leaves_nothing_behind(ask, make_product, sessions, stock_of):
    """Another customer bought the cake between the summary and the yes."""
    pie, cake = make_product(name="Pie", stock_quantity=9), make_product(name="Cake", stock_quantity=2)
    ask(cart.add, str(pie.id), 1)
    ask(cart.add, str(cake.id), 2)
    for left in (1, 0):
        with sessions.begin() as session:
            session.get(Product, cake.id).stock_quantity = left
        with pytest.raises(OrderChanged) as refusal:
            ask(checkout.place)
        assert refusal.value.changes == (LineChange("stock", "Cake", Decimal(2), Decimal(left)),)
    with sessions.begin() as session:
        for table in (Order, Payment, StockReservation):
            assert session.query(table).count() == 0
    assert stock_of(pie) == (9, 0)
    assert len(ask(cart.current).lines) == 2


def test_expiry_frees_stock_and_opens_the_cart_again(ask, shop, clock, test_burger, sessions, stock_of):
    ask(cart.add, str(test_burger.id), 2)
    placed = ask(checkout.place)
    clock.pass_minutes(29.9)
    assert flow.expire_due(shop) == 0
    clock.pass_minutes(0.1)
    assert flow.expire_due(shop) == 1
    assert flow.expire_due(shop) == 0, "once"

    assert stock_of(test_burger) == (50, 0)
    assert ask(cart.current) == placed.cart
    with sessions.begin() as session:
        assert session.query(Order).one().status == OrderStatus.EXPIRED
        assert session.query(Payment).one().status == PaymentStatus.EXPIRED
        assert session.query(Cart).one().status == CartStatus.OPEN
        assert session.query(StockReservation).count() == 0
        notice = session.query(OutboxEvent).one()
        assert (notice.event, notice.data) == ("payment_expired", {"order_number": placed.number})
    with pytest.raises(NothingToPay):
        ask(orders.payment_state)
    with pytest.raises(NoOrder):
        ask(orders.cancel)
    ask(orders.return_to_cart)
    assert ask(checkout.place).number != placed.number


def test_news_of_an_old_order_leave_the_conversation_with_the_newer_one(
    ask, sessions, test_burger, clock, shop
):
    """The first order ran out; before that is told, its customer has ordered again."""
    ask(cart.add, str(test_burger.id), 2)
    ask(checkout.place)
    clock.pass_minutes(31)
    assert flow.expire_due(shop) == 1
    ask(checkout.place)
    ask(orders.return_to_cart)
    with sessions() as session:
        latest = session.scalars(select(StateChange).order_by(StateChange.created_at.desc())).first()
        assert latest.to_state == ConversationState.AWAITING_PAYMENT


def test_an_unpaid_order_can_be_cancelled(ask, test_burger, sessions, stock_of):
    ask(cart.add, str(test_burger.id), 2)
    placed = ask(checkout.place)
    cancelled = ask(orders.cancel)
    assert cancelled == orders.CancelledOrder(placed.number, cart_kept=True)
    assert stock_of(test_burger) == (50, 0)
    assert ask(cart.current) == placed.cart, "the cart stays"
    with sessions.begin() as session:
        assert session.query(Payment).one().status == PaymentStatus.EXPIRED
    with pytest.raises(NoOrder):
        ask(orders.cancel)


def test_a_paid_order_cannot_be_cancelled_by_the_customer(ask, pay, test_burger, stock_of):
    ask(cart.add, str(test_burger.id), 2)
    placed = ask(checkout.place)
    pay(placed)
    with pytest.raises(CannotCancel) as refusal:
        ask(orders.cancel)
    assert refusal.value.values == {"number": placed.number}
    assert ask(orders.latest).status == "paid"
    assert stock_of(test_burger) == (48, 0)


def test_another_customers_order_is_out_of_reach(shop, ask, pay, caller, test_burger):
    ask(cart.add, str(test_burger.id), 2)
    placed = ask(checkout.place)
    pay(placed)
    who = caller(number="+2348099999999")
    stranger = shop.run(lambda work: recognise(work, who.lookup, who.address, "Stranger"))
    for step in (orders.cancel, orders.latest, orders.repeat):
        with pytest.raises(NoOrder):
            shop.run(lambda work, step=step: step(work, stranger))
    with pytest.raises(NoOrder):
        shop.run(lambda work: orders.complete_payment(work, stranger, placed.number))
    for step in (checkout.place, cart.current):
        with pytest.raises(EmptyCart):
            shop.run(lambda work, step=step: step(work, stranger))
    assert ask(orders.latest).status == "paid"


def test_without_payment_processing_the_order_is_placed(make_shop, customer, sessions, test_burger, stock_of):
    counter = make_shop(payment_processing=False)
    counter.run(lambda work: cart.add(work, customer, str(test_burger.id), 2))
    placed = counter.run(lambda work: checkout.place(work, customer))
    assert (placed.method, placed.payment_reference, placed.minutes_to_pay) == (None, None, 0)
    assert stock_of(test_burger) == (48, 0), "nothing to wait for: the units are gone"
    with sessions.begin() as session:
        order = session.query(Order).one()
        assert (order.status, order.expires_at, order.payments) == (OrderStatus.PLACED, None, [])
        latest = session.query(StateChange).order_by(StateChange.id.desc()).first()
        assert latest.to_state == ConversationState.ORDER_COMPLETE


def test_a_placed_order_can_be_cancelled_until_it_is_being_made(
    make_shop, customer, sessions, test_burger, stock_of, clock
):
    counter = make_shop(payment_processing=False)

    def order() -> checkout.PlacedOrder:
        counter.run(lambda work: cart.add(work, customer, str(test_burger.id), 2))
        return counter.run(lambda work: checkout.place(work, customer))

    first = order()
    cancelled = counter.run(lambda work: orders.cancel(work, customer))
    assert cancelled == orders.CancelledOrder(first.number, cart_kept=False)
    with pytest.raises(EmptyCart):
        counter.run(lambda work: cart.current(work, customer))
    assert stock_of(test_burger) == (50, 0), "the units are for sale again"
    with pytest.raises(NoOrder):
        counter.run(lambda work: orders.cancel(work, customer))

    clock.pass_minutes(1)
    second = order()
    counter.run(lambda work: order_status.advance(work, second.number, OrderStatus.PREPARING, "Ada"))
    with pytest.raises(CannotCancel) as refusal:
        counter.run(lambda work: orders.cancel(work, customer))
    assert refusal.value.values == {"number": second.number}
    assert stock_of(test_burger) == (48, 0)
    with sessions.begin() as session:
        statuses = {row.number: row.status for row in session.query(Order)}
    assert statuses == {first.number: OrderStatus.CANCELLED, second.number: OrderStatus.PREPARING}


def test_the_same_again_at_todays_prices(ask, pay, make_shop, customer, test_burger, sessions, clock):
    with pytest.raises(NoOrder):
        ask(orders.repeat)
    ask(cart.add, str(test_burger.id), 2)
    pay(ask(checkout.place))
    with sessions.begin() as session:
        session.get(Product, test_burger.id).price = Decimal("6000.00")
    again = ask(orders.repeat)
    assert again.product == "2 × Test Burger"
    assert again.cart.totals.items == Decimal("12000.00")
    with pytest.raises(NoOrder):
        make_shop(customer_recognition=False).run(lambda work: orders.repeat(work, customer))


def test_the_state_of_a_payment_is_told(ask, pay, test_burger):
    with pytest.raises(NothingToPay):
        ask(orders.payment_state)
    ask(cart.add, str(test_burger.id), 2)
    placed = ask(checkout.place)
    waiting = ask(orders.payment_state)
    assert waiting == orders.PaymentState(
        placed.number, "awaiting_payment", Settlement.PROVIDER, placed.payment_reference
    )
    pay(placed)
    assert ask(orders.payment_state) == orders.PaymentState(placed.number, "paid"), "nothing to pay it with"
