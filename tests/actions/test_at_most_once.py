"""Asked again after a crash, an action says the same and changes nothing; and what is possible anywhere."""

from __future__ import annotations

import pytest

from db.models import Order, StateChange
from shop.conversation import ConversationState
from tests.actions.checking_out import place
from tests.actions.test_actions import in_carts
from tests.actions.test_cart_and_order import only_order, settle
from tests.actions.tracker import domain, order_line


def changes(sessions) -> int:
    """How many changes of state were recorded."""
    with sessions() as session:
        return session.query(StateChange).count()


async def twice(talk, action: str):
    """Rasa asks, dies before it stores the answer, and asks again."""
    lost = await talk.asks(action)
    answer = await talk.does(action)
    assert answer.responses == lost.responses
    assert [(e["event"], e.get("name"), e.get("value")) for e in answer.events] == [
        (e["event"], e.get("name"), e.get("value")) for e in lost.events
    ]
    return answer


async def test_lines_that_were_added_are_not_added_again(talk, menu, sessions):
    talk.hears("2 burgers", [order_line(menu["burger"], quantity="2")])
    await twice(talk, "action_select_product")
    assert in_carts(sessions) == {"Test Burger": 2}


async def test_the_same_words_in_a_new_message_are_a_new_wish(talk, menu, sessions):
    for _ in range(2):
        await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
    assert in_carts(sessions) == {"Test Burger": 4}


async def test_one_message_may_lead_to_an_action_twice(talk, menu, sessions):
    talk.hears("2 burgers", [order_line(menu["burger"], quantity="2")])
    await talk.does("action_select_product")
    await talk.does("action_select_product")
    assert in_carts(sessions) == {"Test Burger": 4}


async def test_a_whole_order_with_every_answer_lost_once_is_one_order(talk, menu, sessions, shop, sandbox):
    talk.hears("2 burgers", [order_line(menu["burger"], quantity="2")])
    await twice(talk, "action_select_product")
    talk.hears("checkout")
    await twice(talk, "action_checkout")
    await twice(talk, "action_ask_checkout_form_order_confirmed")
    talk.hears("yes")
    talk.fills("order_confirmed", True)
    await twice(talk, "action_place_order")
    before = changes(sessions)
    talk.hears(event=settle(shop, sandbox, sessions, "paid"))
    await twice(talk, "action_payment_confirmed")
    assert only_order(sessions)[1] == "paid"
    assert changes(sessions) == before + 2
    with sessions() as session:
        assert session.query(Order).count() == 1


async def test_a_repeated_session_start_records_nothing(talk, sessions):
    talk.hears("hi")
    talk.slots["session_started_metadata"] = talk.latest_message["metadata"]
    await talk.asks("action_session_start")
    before = changes(sessions)
    await talk.does("action_session_start")
    assert changes(sessions) == before


async def test_in_the_shell_notices_are_told_at_the_next_turn_and_once(
    make_talk, menu, sessions, shop, sandbox
):
    shell = make_talk(shell=True)
    await place(shell, menu)
    settle(shop, sandbox, sessions, "paid")
    answer = await shell.turn("action_view_cart", "cart")
    assert answer.named == ["utter_payment_confirmed", "utter_cart_empty"]
    assert shell.state == "ORDER_COMPLETE"
    assert (await shell.turn("action_view_cart", "cart")).named == ["utter_cart_empty"]


async def test_on_whatsapp_notices_come_by_themselves_and_not_with_a_turn(
    talk, menu, sessions, shop, sandbox
):
    await place(talk, menu)
    settle(shop, sandbox, sessions, "paid")
    assert (await talk.turn("action_view_cart", "cart")).named == ["utter_cart_empty"]


@pytest.mark.parametrize("state", [state.value for state in ConversationState])
async def test_in_every_state_the_customer_is_told_what_can_be_done(talk, state):
    talk.slots["conversation_state"] = state
    for action in ("action_say_what_next", "action_deny"):
        assert (await talk.turn(action, "no")).named == [f"utter_next_{state.lower()}"]
    not_understood = ["utter_not_understood", f"utter_next_{state.lower()}"]
    assert (await talk.turn("action_not_understood", "blah")).named == not_understood


async def test_a_message_without_a_rule_is_forgotten(talk):
    answer = await talk.turn("action_default_fallback", "blah")
    assert answer.named == ["utter_not_understood", "utter_next_greeting"]
    assert "rewind" in [event["event"] for event in answer.events]


async def test_a_no_inside_a_question_leaves_it(talk, menu):
    await talk.turn("action_select_product", "burger", [order_line(menu["burger"])])
    talk.form = "quantity_form"
    answer = await talk.turn("action_deny", "no")
    assert answer.named == ["utter_question_dropped"]
    assert answer.left_the_form
    assert (talk.slots["product"], talk.slots["requested_slot"]) == (None, None)


async def test_inside_a_question_what_is_not_understood_leaves_the_question_open(talk):
    talk.form = "quantity_form"
    assert (await talk.turn("action_not_understood", "blah")).named == ["utter_not_understood"]


@pytest.mark.parametrize(
    ("asked", "response"),
    [("speak english please", "utter_language_changed_en"), ("speak klingon", "utter_languages")],
)
async def test_a_language_is_chosen_among_those_that_are_spoken(talk, asked, response):
    assert (await talk.turn("action_change_language", asked)).named == [response]


async def test_where_languages_are_off_there_is_english(make_talk):
    talk = make_talk(multi_language=False)
    assert (await talk.turn("action_change_language", "en français")).named == ["utter_english_only"]


async def test_who_wants_no_messages_gets_none_unasked(talk, shop):
    assert (await talk.turn("action_stop_messages", "stop")).named == ["utter_messages_stopped"]
    stopped = shop.run(lambda work: work.customers.find_by_lookup(talk.sender_id).notices_stopped_at)
    assert stopped is not None


async def test_an_action_that_nobody_knows_is_refused(talk):
    from rasa_sdk.interfaces import ActionNotFoundException

    talk.hears("hi")
    with pytest.raises(ActionNotFoundException):
        await talk.asks("action_give_me_everything")
    assert "action_give_me_everything" not in domain()["actions"]
