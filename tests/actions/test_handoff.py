"""A person is called, the bot is silent while they are there, and comes back when they are gone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from db.models import Customer, Handoff, HandoffReason, MessageKind, ThreadMessage
from shop import handoffs, outbox
from tests.actions.tracker import Answer, Talk


@pytest.fixture
def staff(shop):
    """Does what a member of staff does in the console."""

    def staff(operation: Any, *args: Any) -> Any:
        return shop.run(lambda work: operation(work, *args))

    return staff


@pytest.fixture
def handoff_of(sessions):
    """The customer's last handoff."""

    def handoff_of() -> Handoff:
        with sessions() as session:
            return session.query(Handoff).order_by(Handoff.requested_at.desc()).first()

    return handoff_of


@pytest.fixture
def told(shop, talk: Talk):
    """Tells the customer what waits in the outbox, as the dispatcher and the rules do."""

    async def told() -> list[Answer]:
        notices = shop.run(lambda work: outbox.pending(work, 10))
        shop.run(lambda work: outbox.mark_dispatched(work, notices))
        answers = []
        for waiting in notices:
            notice = waiting.notice
            talk.hears(event=notice.data, intent=notice.event, message_id=str(notice.id))
            talk.latest_message["metadata"]["notice"] = True
            answers.append(await talk.does(f"action_{notice.event}"))
        return answers

    return told


def thread(sessions) -> list[tuple[MessageKind, str]]:
    with sessions() as session:
        rows = session.query(ThreadMessage).order_by(ThreadMessage.sequence)
        return [(row.kind, row.text) for row in rows]


@pytest.fixture
async def taken(talk, staff, told, handoff_of) -> UUID:
    """Ada of the staff has the conversation, and the customer knows."""
    await talk.turn("action_call_person", "a person please")
    handoff: UUID = staff(handoffs.take, handoff_of().id, "ada")
    await told()
    return handoff


async def test_who_asks_for_a_person_is_promised_one_once(talk, handoff_of, sessions):
    answer = await talk.turn("action_call_person", "can i talk to a person")
    assert answer.named == ["utter_person_called"]
    assert handoff_of().reason == HandoffReason.ASKED
    again = await talk.turn("action_call_person", "hello??")
    assert again.named == ["utter_person_already_called"]
    assert [text for _, text in thread(sessions)] == ["can i talk to a person", "hello??"]


async def test_a_closed_shop_says_when_somebody_can_come(talk_with):
    talk = talk_with(opening_hours="Mo-Fr 09:00-17:00")
    answer = await talk.turn("action_call_person", "a person please")
    assert answer.named == ["utter_person_called_while_closed"]
    assert "Mon 23 Nov, 09:00" in answer.text


async def test_a_complaint_calls_somebody(talk, handoff_of):
    answer = await talk.turn("action_complaint", "my food was cold")
    assert answer.named == ["utter_complaint", "utter_person_called"]
    assert handoff_of().reason == HandoffReason.COMPLAINT


@pytest.mark.parametrize(("misunderstood", "reason"), [(2, "asked"), (3, "not_understood")])
async def test_who_is_offered_a_person_because_the_bot_is_lost_calls_for_that(
    talk, handoff_of, misunderstood, reason
):
    talk.slots["misunderstood"] = misunderstood
    await talk.turn("action_call_person", "human")
    assert handoff_of().reason == reason


async def test_the_bot_leaves_its_question_when_a_person_comes(talk, staff, told, handoff_of):
    await talk.turn("action_call_person", "a person please")
    talk.form = "quantity_form"
    staff(handoffs.take, handoff_of().id, "ada")
    (answer,) = await told()
    assert answer.named == ["utter_person_here"]
    assert "ada" in answer.text
    assert answer.left_the_form
    assert talk.slots["with_person"] == "ada"


async def test_what_is_written_goes_to_the_person_and_the_bot_says_nothing(talk, taken, sessions):
    answer = await talk.turn("action_pass_to_person", "2 burgers please")
    assert answer.named == []
    talk.hears(intent="send_media")
    assert (await talk.does("action_pass_to_person")).named == []
    pin = {"latitude": "6.5244", "longitude": "3.3792", "address": "Yaba", "label": ""}
    talk.hears(intent="share_location", event=pin)
    await talk.does("action_pass_to_person")
    talk.hears(intent="send_too_many")
    await talk.does("action_pass_to_person")
    assert thread(sessions) == [
        (MessageKind.TEXT, "a person please"),
        (MessageKind.TEXT, "2 burgers please"),
        (MessageKind.MEDIA, ""),
        (MessageKind.LOCATION, "6.5244,3.3792, Yaba"),
        (MessageKind.TOO_MANY, ""),
    ]


async def test_a_question_that_is_open_is_left_when_something_else_is_said(talk, taken):
    talk.form = "erasure_form"
    assert (await talk.turn("action_pass_to_person", "no wait, my order")).left_the_form


async def test_what_the_person_writes_is_told_in_order(talk, taken, staff, told):
    for number, text in enumerate(("Hello!", "We have <b>3</b> left, [10] {tables}", "0[x]")):
        staff(handoffs.write, taken, "ada", text, f"form {number}")
    answers = await told()
    assert [answer.named for answer in answers] == [["utter_staff_message"]] * 3
    assert [answer.text for answer in answers] == [
        "*ada*: Hello!",
        "*ada*: We have <b>3</b> left, [10] {tables}",
        "*ada*: 0 [x]",
    ]


async def test_the_bot_says_that_it_is_back(talk, taken, staff, told):
    staff(handoffs.hand_back, taken, "ada")
    (answer,) = await told()
    assert answer.named == ["utter_person_gone", "utter_next_greeting"]
    assert talk.slots["with_person"] is None


async def test_a_message_that_reached_nobody_is_asked_for_again_and_the_end_is_told_once(
    talk, taken, staff, told, sessions
):
    staff(handoffs.hand_back, taken, "ada")
    answer = await talk.turn("action_pass_to_person", "one more thing")
    assert answer.named == ["utter_person_gone", "utter_next_greeting", "utter_send_that_again"]
    assert talk.slots["with_person"] is None
    (late,) = await told()
    assert late.named == []
    assert [text for _, text in thread(sessions)] == ["a person please"]


async def test_a_taking_that_is_told_late_does_not_silence_the_bot(talk, staff, told, handoff_of):
    await talk.turn("action_call_person", "a person please")
    handoff = staff(handoffs.take, handoff_of().id, "ada")
    staff(handoffs.hand_back, handoff, "ada")
    taken, closed = await told()
    assert (taken.named, talk.slots["with_person"]) == ([], None)
    assert closed.named == ["utter_person_gone", "utter_next_greeting"]


async def test_a_second_person_takes_over_without_an_end(talk, taken, shop, told):
    shop.run(lambda work: handoffs.take(work, taken, "bola", instead_of="ada"))
    (answer,) = await told()
    assert "bola" in answer.text
    assert talk.slots["with_person"] == "bola"


async def test_a_lost_session_begins_with_the_person(talk, taken):
    talk.slots.clear()
    talk.slots["session_started_metadata"] = talk.metadata("SMafter-the-loss")
    await talk.does("action_session_start")
    assert talk.slots["with_person"] == "ada"


async def test_a_turn_that_is_served_again_passes_on_once(talk, taken, sessions):
    talk.hears("is it ready?", message_id="SMtwice")
    for _ in range(2):
        assert (await talk.asks("action_pass_to_person")).named == []
    assert [text for _, text in thread(sessions)].count("is it ready?") == 1


async def test_a_call_that_is_served_again_calls_once_and_says_the_same(talk, sessions):
    talk.hears("a person please", message_id="SMtwice")
    answers = [await talk.asks("action_call_person") for _ in range(2)]
    assert [answer.named for answer in answers] == [["utter_person_called"]] * 2
    with sessions() as session:
        assert session.query(Handoff).count() == 1


async def test_in_the_shell_the_person_is_told_of_with_the_next_message(make_talk, shop, menu, sessions):
    talk = make_talk(shell=True)
    await talk.turn("action_call_person", "a person please")
    with sessions.begin() as session:
        session.query(Customer).one().phone_number = "sealed"  # or nobody could write to them
        customer_id = session.query(Customer.id).scalar()
    shop.run(lambda work: handoffs.start(work, customer_id, "ada"))
    answer = await talk.turn("action_view_cart", "cart")
    assert answer.named[0] == "utter_person_here"
    assert talk.slots["with_person"] == "ada"
