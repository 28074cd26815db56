"""Where a customer stands: restored from PostgreSQL, moved only for real, forgotten where asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.models import Cart, CartStatus, Order, StateChange
from shop import cart, checkout, orders
from shop.conversation import ConversationState, Session, leave_question, move, start_session
from shop.errors import EmptyCart
from shop.payments import flow

Ask = Callable[..., Any]


@pytest.fixture
def forgetful(make_shop, customer) -> Ask:
    """Asks a shop that remembers nobody, as `Test Customer`."""
    shop = make_shop(customer_recognition=False)

    def ask(operation: Callable[..., Any], *args: Any) -> Any:
        return shop.run(lambda work: operation(work, customer, *args))

    return ask


@pytest.fixture
def walked(sessions) -> Callable[[], list[tuple[str | None, str]]]:
    """The recorded changes of state, as (from, to)."""

    def walked() -> list[tuple[str | None, str]]:
        with sessions.begin() as session:
            rows = session.query(StateChange).order_by(StateChange.id)
            return [(row.from_state, row.to_state) for row in rows]

    return walked


def test_the_documented_states():
    names = "GREETING BROWSING_PRODUCTS ADDING_TO_CART COLLECTING_QUANTITY REVIEWING_ORDER "
    names += "AWAITING_PAYMENT PAYMENT_CONFIRMATION ORDER_COMPLETE"
    assert " ".join(ConversationState) == names


def test_greeting_state_handled(ask, shop, caller, walked):
    """A new customer is greeted by the name of their profile; nothing waits for them."""
    session = ask(start_session)
    assert session == Session(ConversationState.GREETING, "Test Customer", None, 0)
    assert walked() == [(None, "GREETING")]
    done = shop.execute(caller(), "session", Session, start_session)
    assert (done.state, done.result) == ("GREETING", session)


def test_a_move_is_recorded_only_when_it_is_one(ask, walked):
    states = ConversationState
    for state in (states.GREETING, states.GREETING, states.BROWSING_PRODUCTS, states.BROWSING_PRODUCTS):
        ask(move, state)
    ask(move, states.GREETING)
    assert walked() == [
        (None, "GREETING"),
        ("GREETING", "BROWSING_PRODUCTS"),
        ("BROWSING_PRODUCTS", "GREETING"),
    ]


def test_staying_is_still_answered_with_the_state(shop, customer, caller):
    """Rasa's slot follows PostgreSQL, also where nothing was recorded."""

    def stay(work, who):
        move(work, who, ConversationState.GREETING)

    assert shop.execute(caller(), "stay", type(None), stay).state == "GREETING"
    assert shop.execute(caller(), "stay", type(None), stay).state == "GREETING"
    assert shop.execute(caller(), "look", type(None), lambda work, who: None).state is None


def test_an_open_cart_brings_the_customer_back_to_it(ask, shop, test_burger, clock):
    ask(cart.add, str(test_burger.id), 2)
    clock.pass_minutes(24 * 60 - 1)
    assert shop.run(cart.abandon_expired) == 0
    session = ask(start_session)
    assert (session.state, session.cart_items) == (ConversationState.ADDING_TO_CART, 2)


@pytest.mark.parametrize("swept", [True, False])
def test_a_cart_that_nobody_touched_for_a_day_does_not(ask, shop, test_burger, clock, swept):
    """CART_HOURS is over; whether the job that gives carts up ran by then makes no difference."""
    ask(cart.add, str(test_burger.id), 2)
    clock.pass_minutes(24 * 60)
    if swept:
        assert shop.run(cart.abandon_expired) == 1
        assert shop.run(cart.abandon_expired) == 0, "once"
    with pytest.raises(EmptyCart):
        ask(cart.current)
    session = ask(start_session)
    assert (session.state, session.cart_items) == (ConversationState.GREETING, 0)


def test_an_emptied_cart_does_not(ask, test_burger):
    ask(cart.add, str(test_burger.id), 2)
    ask(cart.clear)
    assert ask(start_session).state == ConversationState.GREETING


def test_an_order_that_awaits_payment_comes_first(ask, test_burger):
    ask(cart.add, str(test_burger.id), 2)
    ask(checkout.place)
    session = ask(start_session)
    assert (session.state, session.cart_items) == (ConversationState.AWAITING_PAYMENT, 0)


def test_after_expiry_the_cart_waits_again(ask, shop, test_burger, clock):
    ask(cart.add, str(test_burger.id), 2)
    ask(checkout.place)
    clock.pass_minutes(30)
    assert flow.expire_due(shop) == 1
    assert ask(start_session).state == ConversationState.ADDING_TO_CART


def test_after_a_paid_order_a_new_session_greets(ask, pay, test_burger):
    ask(cart.add, str(test_burger.id), 2)
    assert pay(ask(checkout.place)) == "verified"
    assert ask(start_session).state == ConversationState.GREETING


def test_start_over_leads_to_the_greeting(ask, test_burger, walked):
    ask(cart.add, str(test_burger.id), 2)
    ask(cart.start_over)
    assert walked()[-1] == ("ADDING_TO_CART", "GREETING")
    assert ask(start_session).cart_items == 0


def test_without_recognition_a_session_starts_with_nothing(forgetful, test_burger):
    forgetful(cart.add, str(test_burger.id), 2)
    assert forgetful(start_session) == Session(ConversationState.GREETING, None, None, 0)
    with pytest.raises(EmptyCart):
        forgetful(cart.current)


def test_without_recognition_an_unpaid_order_is_still_owed(forgetful, test_burger):
    forgetful(cart.add, str(test_burger.id), 2)
    forgetful(checkout.place)
    session = forgetful(start_session)
    assert (session.state, session.name) == (ConversationState.AWAITING_PAYMENT, None)


def test_without_recognition_the_cart_of_an_ended_order_is_given_up(forgetful, test_burger, sessions):
    """An order points at its cart: it is given up, not torn out from under the order."""
    forgetful(cart.add, str(test_burger.id), 2)
    forgetful(checkout.place)
    forgetful(orders.cancel)
    assert forgetful(start_session).state == ConversationState.GREETING
    with pytest.raises(EmptyCart):
        forgetful(cart.current)
    assert forgetful(orders.latest).status == "cancelled"
    assert forgetful(cart.add, str(test_burger.id), 1).cart.lines[0].quantity == 1
    with sessions.begin() as session:
        (order,) = session.query(Order).all()
        statuses = {row.id: row.status for row in session.query(Cart)}
        assert statuses.pop(order.cart_id) == CartStatus.ABANDONED
        assert list(statuses.values()) == [CartStatus.OPEN]


def test_a_question_that_is_left_leads_back_to_the_cart_or_the_menu(ask, make_product, walked):
    product = str(make_product().id)
    ask(cart.ask_quantity, product)
    ask(leave_question)
    assert walked()[-1] == ("COLLECTING_QUANTITY", "BROWSING_PRODUCTS")
    ask(cart.add, product, "2")
    ask(cart.ask_quantity, product)
    ask(leave_question)
    ask(leave_question)
    assert walked()[-1] == ("COLLECTING_QUANTITY", "ADDING_TO_CART")
