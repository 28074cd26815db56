"""`delete my data`: asked about first, deleted on a clear yes, told once, and not undone by anything late."""

from __future__ import annotations

import pytest

from db.models import Customer, Order, OrderStatus
from tests.actions.checking_out import fill, place
from tests.actions.test_actions import in_carts, start
from tests.actions.test_cart_and_order import only_order
from tests.actions.tracker import Answer, Talk, domain


def customers(sessions) -> list[str | None]:
    """The names of all customers, erased ones included."""
    with sessions() as session:
        return [customer.name for customer in session.query(Customer).order_by(Customer.created_at)]


def finish(sessions, status: OrderStatus = OrderStatus.COMPLETED) -> None:
    """The order is over."""
    with sessions.begin() as session:
        session.query(Order).one().status = status


async def answers(talk: Talk, yes: bool) -> Answer:
    """The customer answers the question whether to delete."""
    talk.hears("yes" if yes else "no", intent="affirm" if yes else "deny")
    talk.form = "erasure_form"
    talk.fills("erasure_confirmed", yes)
    await talk.does("validate_erasure_form")
    talk.form = None
    return await talk.does("action_erase_data")


async def test_it_is_asked_about_and_nothing_is_deleted_yet(talk, menu, sessions):
    await fill(talk, menu)
    answer = await talk.turn("action_delete_my_data", "delete my data")
    assert answer.followed_by == ["erasure_form"]
    assert answer.named == []
    assert talk.slots["erasure_confirmed"] is None
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


def test_the_question_says_what_goes_and_what_stays():
    (question,) = domain()["forms"]["erasure_form"]["required_slots"]
    text = domain()["responses"][f"utter_ask_erasure_form_{question}"][-1]["text"]
    for word in ("name", "number", "language", "addresses", "cart", "orders", "payments", "*yes*", "*no*"):
        assert word in text


@pytest.mark.parametrize(
    ("intent", "confidence", "filled", "accepted"),
    [
        ("affirm", 0.87, True, True),
        ("affirm", 0.23, True, None),
        ("deny", 0.87, False, False),
        ("deny", 0.23, False, False),
    ],
)
async def test_a_yes_has_to_be_clear_and_a_no_does_not(talk, intent, confidence, filled, accepted):
    talk.hears("hm", intent=intent)
    talk.latest_message["intent"]["confidence"] = confidence
    talk.fills("erasure_confirmed", filled)
    assert (await talk.does("validate_erasure_form")).slots == {"erasure_confirmed": accepted}


async def test_a_message_that_answers_nothing_leaves_the_form_to_step_back(talk):
    talk.hears("menu", intent="browse_menu")
    assert (await talk.does("validate_erasure_form")).slots == {}


async def test_a_no_deletes_nothing(talk, menu, sessions):
    await fill(talk, menu)
    await talk.turn("action_delete_my_data", "delete my data")
    answer = await answers(talk, yes=False)
    assert answer.named == ["utter_data_kept"]
    assert "session_forgotten" not in answer.slots
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}
    assert customers(sessions) == ["Test Customer"]


async def test_nothing_was_said_of_it_and_nothing_is_deleted(talk, menu, sessions):
    await fill(talk, menu)
    talk.hears("hm")
    assert (await talk.does("action_erase_data")).named == ["utter_data_kept"]
    assert customers(sessions) == ["Test Customer"]


async def test_a_yes_deletes_and_the_session_is_to_be_forgotten(talk, menu, sessions):
    await fill(talk, menu)
    await talk.turn("action_delete_my_data", "delete my data")
    answer = await answers(talk, yes=True)
    assert answer.named == ["utter_data_erased"]
    assert answer.slots == {"erasure_confirmed": None, "session_forgotten": True}
    assert in_carts(sessions) == {}
    assert customers(sessions) == [None]


async def test_orders_that_stay_are_counted(talk, menu, sessions):
    await place(talk, menu)
    finish(sessions)
    answer = await answers(talk, yes=True)
    assert answer.named == ["utter_data_erased_but_orders"]
    assert "without your name, number and address: 1" in answer.text


async def test_while_an_order_is_under_way_it_is_neither_asked_nor_done(talk, menu, sessions):
    await place(talk, menu)
    asked = await talk.turn("action_delete_my_data", "delete my data")
    assert asked.named == ["utter_order_under_way"]
    assert asked.followed_by == []
    assert only_order(sessions)[0] in asked.text
    # It began between question and answer.
    assert (await answers(talk, yes=True)).named == ["utter_order_under_way"]
    assert customers(sessions) == ["Test Customer"]


@pytest.mark.parametrize("shell", [False, True])
async def test_served_again_it_is_told_again_and_nobody_is_made(make_talk, menu, sessions, shell):
    talk = make_talk(shell=shell)
    await place(talk, menu)
    finish(sessions)
    talk.hears("yes", intent="affirm")
    talk.fills("erasure_confirmed", True)
    lost = await talk.asks("action_erase_data")
    again = await talk.asks("action_erase_data")
    assert lost.named == ["utter_data_erased_but_orders"]
    # In the shell the notices are taken first; that they were is forgotten, too.
    assert again.named == (["utter_data_erased"] if shell else lost.named)
    assert again.slots["session_forgotten"] is True
    assert customers(sessions) == [None]


async def test_served_again_in_a_new_session_it_is_told_and_nobody_is_made(talk, make_talk, menu, sessions):
    await fill(talk, menu)
    talk.hears("yes", intent="affirm", message_id="SM-yes")
    talk.fills("erasure_confirmed", True)
    await talk.does("action_erase_data")
    later = make_talk()
    later.hears("yes", intent="affirm", message_id="SM-yes")
    later.slots["session_started_metadata"] = later.latest_message["metadata"]
    started = await later.does("action_session_start")
    assert started.named == ["utter_data_erased"]
    assert started.events[0]["event"] == "session_started"
    assert (await later.does("action_say_what_next")).named == [], "all is said"
    assert customers(sessions) == [None]


async def test_an_event_that_was_under_way_is_not_told_and_makes_nobody(talk, make_talk, menu, sessions):
    await place(talk, menu)
    number = only_order(sessions)[0]
    finish(sessions)
    await answers(talk, yes=True)
    late = make_talk()
    data = {"order_number": number, "status": "completed", "fulfilment": "pickup"}
    late.hears(event=data, message_id="an outbox row")
    late.latest_message["metadata"]["notice"] = True
    late.slots["session_started_metadata"] = late.latest_message["metadata"]
    assert (await late.does("action_session_start")).named == []
    assert (await late.does("action_order_status_changed")).responses == []
    assert late.slots["session_forgotten"] is True
    assert customers(sessions) == [None]


async def test_who_writes_again_is_new(talk, make_talk, menu, sessions):
    await fill(talk, menu)
    await answers(talk, yes=True)
    again = make_talk()
    await start(again)
    assert again.state == "GREETING"
    assert (await again.turn("action_track_order", "where is my order")).named == ["utter_no_order"]
    assert customers(sessions) == [None, "Test Customer"]
