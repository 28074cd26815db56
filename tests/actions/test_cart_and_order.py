"""From the cart to the end of an order, and everything that can come between."""

from __future__ import annotations

import re

import pytest

from db.models import Order, OutboxEvent, Payment, Product
from shop.customers import recognise
from shop.payments import flow
from tests.actions.checking_out import fill, place
from tests.actions.test_actions import in_carts
from tests.actions.tracker import number, order_line


def settle(shop, sandbox, sessions, outcome: str) -> dict[str, object]:
    """The provider tells what became of the payment; the values of the notice that results."""
    with sessions() as session:
        reference = session.query(Payment).one().payment_reference
    told = sandbox.settle(reference, outcome)
    flow.receive(shop, "sandbox", told.body, told.headers)
    return notice(sessions)


def notice(sessions) -> dict[str, object]:
    """The values of the newest notice."""
    with sessions() as session:
        return dict(session.query(OutboxEvent).order_by(OutboxEvent.sequence.desc()).first().data)


def only_order(sessions) -> tuple[str, str]:
    """Number and status of the one order."""
    with sessions() as session:
        order = session.query(Order).one()
        return order.number, order.status.value


async def test_the_cart_shows_lines_subtotal_tax_and_total(talk, menu):
    await fill(talk, menu)
    text = (await talk.turn("action_view_cart", "cart")).text
    assert "2 × Test Burger · ₦11,000.00\n1 × Coke 50cl · ₦700.00" in text
    assert "Subtotal: ₦11,700.00" in text
    assert "Tax: ₦877.50" in text
    assert "Total: ₦12,577.50" in text


@pytest.mark.parametrize(
    "action", ["action_view_cart", "action_checkout", "action_modify_item", "action_remove_item"]
)
async def test_an_empty_cart_says_so(talk, action):
    answer = await talk.turn(action, "3", [number("3")])
    assert answer.named == ["utter_cart_empty"]
    assert answer.followed_by == []


async def test_a_line_is_changed_by_name_or_is_the_last_one(talk, menu, sessions):
    await fill(talk, menu)
    answer = await talk.turn("action_modify_item", "make it 3", [number("3")])
    assert "Now 3 × Coke 50cl" in answer.text
    answer = await talk.turn("action_modify_item", "5 burgers", [order_line(menu["burger"], quantity="5")])
    assert "Now 5 × Test Burger" in answer.text
    assert in_carts(sessions) == {"Test Burger": 5, "Coke 50cl": 3}


async def test_a_change_without_a_number_is_asked_about(talk, menu):
    await fill(talk, menu)
    assert (await talk.turn("action_modify_item", "change it")).named == ["utter_what_can_be_changed"]


async def test_lines_are_taken_out_until_none_is_left(talk, menu, sessions):
    await fill(talk, menu)
    answer = await talk.turn("action_remove_item", "no burger", [order_line(menu["burger"])])
    assert answer.named == ["utter_removed"]
    stranger = await talk.turn("action_remove_item", "remove the pie", [order_line(menu["pie"])])
    assert stranger.named == ["utter_not_in_cart"]
    assert "Meat Pie" in stranger.text
    coke = {"entity": "product", "value": "coke 50cl"}
    assert (await talk.turn("action_remove_item", "and the coke", [coke])).named == ["utter_removed_last"]
    assert in_carts(sessions) == {}


async def test_of_a_shared_name_the_one_in_the_cart_is_meant(talk, menu, sessions):
    await fill(talk, menu)
    shared = order_line(menu["coke"], menu["big coke"], name="Coke 35cl")
    answer = await talk.turn("action_remove_item", "remove the coke", [shared])
    assert answer.named == ["utter_removed"]
    assert in_carts(sessions) == {"Test Burger": 2}


async def test_a_cart_is_emptied_or_everything_begins_anew(talk, menu, sessions):
    await fill(talk, menu)
    assert (await talk.turn("action_clear_cart", "empty it")).named == ["utter_cart_cleared"]
    assert in_carts(sessions) == {}
    await fill(talk, menu)
    assert (await talk.turn("action_start_over", "start over")).named == ["utter_started_over"]
    assert in_carts(sessions) == {}
    assert talk.state == "GREETING"


async def test_checkout_shows_the_order_and_asks_before_anything_is_ordered(talk, menu, sessions):
    await fill(talk, menu)
    answer = await talk.turn("action_checkout", "checkout")
    assert answer.followed_by == ["checkout_form"]
    assert talk.state == "REVIEWING_ORDER"
    asked = await talk.does("action_ask_checkout_form_order_confirmed")
    assert "Total: ₦12,577.50" in asked.text
    assert "*confirm*" in asked.text
    with sessions() as session:
        assert session.query(Order).count() == 0


async def test_a_yes_makes_the_order_and_its_payment_link(talk, menu, sessions):
    answer = await place(talk, menu)
    assert answer.named == ["utter_pay_here"]
    assert re.search(r"within 30 minutes:\nhttp://127.0.0.1:4000/payments/sandbox/\S+", answer.text)
    assert "Total: ₦12,577.50" in answer.text
    assert talk.state == "AWAITING_PAYMENT"
    order, status = only_order(sessions)
    assert status == "awaiting_payment"
    assert order in answer.text


async def test_a_no_orders_nothing_and_keeps_the_cart(talk, menu, sessions):
    await fill(talk, menu)
    await talk.turn("action_checkout", "checkout")
    talk.hears("no", intent="deny")
    talk.fills("order_confirmed", False)
    answer = await talk.does("action_place_order")
    assert answer.named == ["utter_not_ordered"]
    assert talk.state == "ADDING_TO_CART"
    assert talk.slots["order_confirmed"] is None
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_where_payment_is_off_the_order_is_placed_and_paid_at_the_counter(make_talk, menu, sessions):
    talk = make_talk(payment_processing=False)
    answer = await place(talk, menu)
    assert answer.named == ["utter_order_placed"]
    assert only_order(sessions)[1] == "placed"
    assert talk.state == "ORDER_COMPLETE"


async def test_who_was_slower_is_told_what_is_left_and_asked_again(talk, make_talk, menu, sessions):
    await talk.turn("action_select_product", "5 cokes", [order_line(menu["coke"], quantity="5")])
    await talk.turn("action_checkout", "checkout")
    await talk.does("action_ask_checkout_form_order_confirmed")
    with sessions.begin() as session:
        session.get(Product, menu["coke"].id).stock_quantity = 2
    talk.hears("yes", intent="affirm")
    talk.fills("order_confirmed", True)
    answer = await talk.does("action_place_order")
    assert "only 2 of *Coke 35cl* left" in answer.text
    assert answer.followed_by == ["checkout_form"], "and asked again"
    assert talk.state == "REVIEWING_ORDER"
    assert in_carts(sessions) == {"Coke 35cl": 2}
    with sessions() as session:
        assert session.query(Order).count() == 0


async def test_only_the_provider_can_say_that_it_is_paid(talk, menu, sessions, shop, sandbox):
    assert (await talk.turn("action_payment_done", "I have paid")).named == ["utter_nothing_to_pay"]
    await place(talk, menu)
    answer = await talk.turn("action_payment_done", "I have paid")
    assert answer.named == ["utter_payment_not_yet"]
    assert only_order(sessions)[1] == "awaiting_payment"
    settle(shop, sandbox, sessions, "paid")
    assert (await talk.turn("action_payment_done", "I have paid")).named == ["utter_status_paid"]


async def test_a_confirmed_payment_completes_the_order(talk, menu, sessions, shop, sandbox):
    await place(talk, menu)
    talk.hears(event=settle(shop, sandbox, sessions, "paid"), intent="payment_confirmed")
    answer = await talk.does("action_payment_confirmed")
    assert f"Payment received: ₦12,577.50 for order *{only_order(sessions)[0]}*" in answer.text
    assert talk.state == "ORDER_COMPLETE"


async def test_a_failed_payment_is_told_with_the_link_to_try_again(talk, menu, sessions, shop, sandbox):
    link = (await place(talk, menu)).responses[0]["link"]
    talk.hears(event=settle(shop, sandbox, sessions, "failed"), intent="payment_failed")
    answer = await talk.does("action_payment_failed")
    assert answer.named == ["utter_payment_failed"]
    assert link in answer.text
    assert talk.state == "AWAITING_PAYMENT"


async def test_an_order_that_was_not_paid_in_time_goes_back_to_the_cart(talk, menu, sessions, shop, clock):
    await place(talk, menu)
    clock.pass_minutes(31)
    assert flow.expire_due(shop) == 1
    talk.hears(event=notice(sessions), intent="payment_expired")
    assert (await talk.does("action_payment_expired")).named == ["utter_payment_expired"]
    assert talk.state == "ADDING_TO_CART"
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_a_payment_that_does_not_fit_is_told(talk, menu, sessions):
    await place(talk, menu)
    talk.hears(event={"order_number": only_order(sessions)[0]}, intent="payment_in_review")
    assert (await talk.does("action_payment_in_review")).named == ["utter_payment_in_review"]


async def test_somebody_elses_payment_cannot_be_told_to_a_customer(talk, make_talk, menu, sessions):
    await place(talk, menu)
    other = make_talk("+2348031234568")
    data = {"order_number": only_order(sessions)[0], "amount": "1.00", "currency": "NGN"}
    other.hears(event=data, intent="payment_confirmed")
    assert (await other.does("action_payment_confirmed")).named == ["utter_no_order"]


@pytest.mark.parametrize("status", ["paid", "preparing", "ready", "completed", "cancelled", "refunded"])
async def test_an_order_is_tracked(talk, menu, sessions, status):
    await place(talk, menu)
    with sessions.begin() as session:
        session.query(Order).one().status = status
    answer = await talk.turn("action_track_order", "where is my order")
    assert answer.named == [f"utter_status_{status}"]
    assert only_order(sessions)[0] in answer.text


async def test_who_ordered_nothing_has_nothing_to_track(talk):
    assert (await talk.turn("action_track_order", "where is it")).named == ["utter_no_order"]


async def test_where_tracking_is_off_the_customer_is_told_whom_to_ask(make_talk, menu):
    talk = make_talk(order_tracking=False)
    await place(talk, menu)
    answer = await talk.turn("action_track_order", "where is my order")
    assert answer.text == "Please ask the staff of Test Kitchen about your order; they know best."


async def test_cancel_ends_an_unpaid_order_and_keeps_the_cart(talk, menu, sessions):
    assert (await talk.turn("action_cancel_order", "cancel")).named == ["utter_no_order"]
    await place(talk, menu)
    assert (await talk.turn("action_cancel_order", "cancel")).named == ["utter_order_cancelled"]
    assert only_order(sessions)[1] == "cancelled"
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_cancel_inside_a_question_answers_the_question(talk, menu, sessions):
    await place(talk, menu)
    talk.form = "quantity_form"
    answer = await talk.turn("action_cancel_order", "cancel")
    assert answer.named == ["utter_question_dropped"]
    assert answer.left_the_form
    assert only_order(sessions)[1] == "awaiting_payment"


async def test_a_paid_order_cannot_be_cancelled_here(talk, menu, sessions, shop, sandbox):
    await place(talk, menu)
    settle(shop, sandbox, sessions, "paid")
    answer = await talk.turn("action_cancel_order", "cancel")
    assert answer.named == ["utter_cannot_cancel"]
    assert only_order(sessions) == (only_order(sessions)[0], "paid")


async def test_the_same_again_is_put_into_the_cart(talk, menu, sessions, shop, sandbox):
    assert (await talk.turn("action_reorder", "the same again")).named == ["utter_no_order"]
    await place(talk, menu)
    settle(shop, sandbox, sessions, "paid")
    assert (await talk.turn("action_reorder", "the same again")).named == ["utter_added"]
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_a_recognised_customer_is_the_same_row_every_time(talk, menu, shop):
    await fill(talk, menu)
    again = shop.run(lambda work: recognise(work, talk.sender_id, talk.address, None).name)
    assert again == "Test Customer"
