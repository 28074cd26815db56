"""A person takes a conversation and gives it back: who has it, what is said, what the customer is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest

from db.models import (
    Customer,
    Handoff,
    HandoffReason,
    HandoffStatus,
    MessageKind,
    OutboxEvent,
    StaffAction,
    ThreadMessage,
)
from shop import handoffs, privacy
from shop.conversation import ConversationState, Session, move, start_session
from shop.errors import BadInput, NotThere, WithAnother
from shop.service import Shop
from tests.commerce_fixtures import FrozenClock

ASKED = HandoffReason.ASKED


@dataclass
class Desk:
    """A customer who writes, and the staff who answer."""

    shop: Shop
    customer: Customer
    caller: Callable[..., Any]

    def says(self, operation: Callable[..., Any], *args: Any, message_id: str | None = None) -> Any:
        """The customer's message, and what it does."""

        def bound(work, customer):
            return operation(work, customer, *args)

        who = self.caller(message_id=message_id)
        kind = get_type_hints(operation)["return"]
        return self.shop.execute(who, operation.__name__, kind, bound).result

    def does(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What a member of staff does."""
        return self.shop.run(lambda work: operation(work, *args, **kwargs))

    def called(self, reason: HandoffReason = ASKED, said: str = "a person please") -> UUID:
        self.says(handoffs.call, reason, said)
        return self.handoff.id

    @property
    def handoff(self) -> Handoff:
        """The last one."""
        with self.shop.sessions() as session:
            return session.query(Handoff).order_by(Handoff.requested_at.desc(), Handoff.status).first()

    @property
    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What waits to be told to the customer, in order."""
        with self.shop.sessions() as session:
            return [
                (row.event, row.data) for row in session.query(OutboxEvent).order_by(OutboxEvent.sequence)
            ]

    @property
    def thread(self) -> list[tuple[str | None, str]]:
        """Who wrote what."""
        with self.shop.sessions() as session:
            rows = session.query(ThreadMessage).order_by(ThreadMessage.sequence)
            return [(row.staff, row.text) for row in rows]

    @property
    def recorded(self) -> list[tuple[str, str]]:
        """Which member of staff did what."""
        with self.shop.sessions() as session:
            return [(row.staff, row.action) for row in session.query(StaffAction)]


@pytest.fixture
def desk(shop, customer, caller) -> Desk:
    return Desk(shop, customer, caller)


def test_a_conversation_is_called_taken_talked_in_and_handed_back(desk):
    handoff = desk.called(said="my burger is cold")
    desk.does(handoffs.take, handoff, "ada")
    desk.does(handoffs.write, handoff, "ada", " I am sorry. Which one? ", "form 1")
    assert desk.says(handoffs.pass_on, MessageKind.TEXT, "the cheese burger").arrived
    desk.does(handoffs.hand_back, handoff, "ada")
    assert desk.thread == [
        (None, "my burger is cold"),
        ("ada", "I am sorry. Which one?"),
        (None, "the cheese burger"),
    ]
    assert desk.told == [
        ("handoff_taken", {"staff": "ada"}),
        ("staff_message", {"staff": "ada", "text": "I am sorry. Which one?"}),
        ("handoff_closed", {"handoff": str(handoff), "staff": "ada"}),
    ]
    assert desk.recorded == [("ada", "took conversation"), ("ada", "handed conversation back")]
    assert desk.handoff.status == HandoffStatus.CLOSED


def test_what_a_handoff_remembers_of_the_beginning(desk):
    desk.does(lambda work: move(work, desk.customer, ConversationState.AWAITING_PAYMENT))
    desk.called(HandoffReason.COMPLAINT)
    handoff = desk.handoff
    assert (handoff.reason, handoff.state) == (HandoffReason.COMPLAINT, "AWAITING_PAYMENT")
    assert (handoff.status, handoff.taken_by) == (HandoffStatus.WAITING, None)


def test_who_asks_again_waits_for_the_same_person(desk):
    assert not desk.says(handoffs.call, ASKED, "a person").already
    assert desk.says(handoffs.call, HandoffReason.COMPLAINT, "HELLO? it was cold").already
    with desk.shop.sessions() as session:
        assert session.query(Handoff).count() == 1
    assert [text for _, text in desk.thread] == ["a person", "HELLO? it was cold"]
    assert desk.told == []


def test_a_message_that_is_served_twice_calls_and_arrives_once(desk):
    for _ in range(2):
        desk.says(handoffs.call, ASKED, "a person", message_id="SMonce")
    handoff = desk.does(handoffs.take, desk.handoff.id, "ada")
    for _ in range(2):
        assert desk.says(handoffs.pass_on, MessageKind.TEXT, "hello", message_id="SMagain").arrived
        desk.does(handoffs.write, handoff, "ada", "yes?", "form 1")
    assert [text for _, text in desk.thread] == ["a person", "hello", "yes?"]
    assert [event for event, _ in desk.told] == ["handoff_taken", "staff_message"]


@pytest.mark.parametrize(
    ("hours", "is_open", "opens"),
    [(None, True, None), ("Mo-Su 10:00-22:00", True, None), ("Mo-Fr 09:00-17:00", False, (23, 8))],
)
def test_the_caller_learns_whether_anybody_can_come(desk, hours, is_open, opens):
    desk.shop._policy = replace(desk.shop.policy, opening_hours=hours)  # it is Sunday, 13:00 in Lagos
    called = desk.says(handoffs.call, ASKED, "a person")
    assert called.is_open is is_open
    assert (called.opens_at and (called.opens_at.day, called.opens_at.hour)) == opens


def test_of_two_who_take_it_the_second_is_told_who_has_it(desk):
    handoff = desk.called()

    def take(name: str) -> str:
        try:
            desk.does(handoffs.take, handoff, name)
        except WithAnother as refusal:
            return str(refusal.values["by"])
        return "got it"

    with ThreadPoolExecutor(2) as threads:
        outcomes = dict(zip(("ada", "bola"), threads.map(take, ("ada", "bola")), strict=True))
    (first,) = (name for name, outcome in outcomes.items() if outcome == "got it")
    (second,) = set(outcomes) - {first}
    assert outcomes[second] == first
    assert desk.told == [("handoff_taken", {"staff": first})]


def test_taking_it_twice_is_told_once(desk):
    handoff = desk.called()
    for _ in range(2):
        desk.does(handoffs.take, handoff, "ada")
    assert [event for event, _ in desk.told] == ["handoff_taken"]


def test_only_who_has_it_writes_and_hands_back(desk):
    handoff = desk.called()
    with pytest.raises(WithAnother) as refusal:
        desk.does(handoffs.write, handoff, "ada", "hello", "form 1")
    assert refusal.value.values == {"by": None}
    desk.does(handoffs.take, handoff, "ada")
    for operation, args in ((handoffs.write, ("hello", "form 2")), (handoffs.hand_back, ())):
        with pytest.raises(WithAnother) as refusal:
            desk.does(operation, handoff, "bola", *args)
        assert refusal.value.values == {"by": "ada"}
    assert [event for event, _ in desk.told] == ["handoff_taken"]


def test_it_is_taken_over_only_from_who_has_it(desk):
    handoff = desk.does(handoffs.take, desk.called(), "ada")
    with pytest.raises(WithAnother):
        desk.does(handoffs.take, handoff, "bola", instead_of="chidi")
    desk.does(handoffs.take, handoff, "bola", instead_of="ada")
    desk.does(handoffs.write, handoff, "bola", "I am next", "form 1")
    assert [data["staff"] for _, data in desk.told] == ["ada", "bola", "bola"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1401])
def test_what_cannot_be_sent_is_refused(desk, text):
    handoff = desk.does(handoffs.take, desk.called(), "ada")
    with pytest.raises(BadInput):
        desk.does(handoffs.write, handoff, "ada", text, "form 1")
    assert len(desk.thread) == 1


def test_what_is_over_or_never_was_cannot_be_taken(desk):
    handoff = desk.does(handoffs.take, desk.called(), "ada")
    desk.does(handoffs.hand_back, handoff, "ada")
    for gone in (handoff, uuid4()):
        for operation, args in (
            (handoffs.take, ("ada",)),
            (handoffs.write, ("ada", "x", "form 1")),
            (handoffs.hand_back, ("ada",)),
        ):
            with pytest.raises(NotThere):
                desk.does(operation, gone, *args)


def test_a_call_that_needs_nobody_any_more_ends_without_a_word(desk):
    desk.does(handoffs.hand_back, desk.called(), "ada")
    assert desk.told == []
    assert desk.handoff.status == HandoffStatus.CLOSED
    assert desk.says(handoffs.pass_on, MessageKind.TEXT, "hello") == handoffs.PassedOn(False, True)


def test_a_message_on_its_way_when_it_was_handed_back_reached_nobody(desk):
    handoff = desk.does(handoffs.take, desk.called(), "ada")
    desk.does(handoffs.hand_back, handoff, "ada")
    assert desk.says(handoffs.pass_on, MessageKind.TEXT, "and fries?") == handoffs.PassedOn(False, False)
    assert not desk.says(handoffs.is_end_news, str(handoff)), "the customer was just told"
    assert desk.thread == [(None, "a person please")]


def test_the_end_is_news_once(desk):
    handoff = desk.does(handoffs.take, desk.called(), "ada")
    assert not desk.says(handoffs.is_end_news, str(handoff)), "it is not over"
    desk.does(handoffs.hand_back, handoff, "ada")
    assert desk.says(handoffs.is_end_news, str(handoff))
    assert not desk.says(handoffs.is_end_news, str(handoff))
    assert not desk.says(handoffs.is_end_news, str(uuid4())), "such as of a customer who was erased"


def test_a_session_that_was_lost_starts_with_the_person(desk):
    start: Callable[..., Session] = lambda: desk.says(start_session)  # noqa: E731
    handoff = desk.called()
    assert start().person is None
    desk.does(handoffs.take, handoff, "ada")
    assert start().person == "ada"
    assert desk.says(handoffs.person_with) == "ada"
    desk.does(handoffs.hand_back, handoff, "ada")
    assert start().person is None


def test_the_staff_may_come_uncalled(desk):
    handoff = desk.does(handoffs.start, desk.customer.id, "ada")
    assert (desk.handoff.reason, desk.handoff.taken_by) == (HandoffReason.STAFF, "ada")
    with pytest.raises(WithAnother):
        desk.does(handoffs.start, desk.customer.id, "bola")
    assert desk.does(handoffs.start, desk.customer.id, "ada") == handoff


def test_the_staff_coming_takes_the_call_that_waits(desk):
    handoff = desk.called()
    assert desk.does(handoffs.start, desk.customer.id, "ada") == handoff
    assert desk.handoff.reason == ASKED


def test_who_has_no_number_cannot_be_written_to(desk):
    with pytest.raises(NotThere):
        desk.does(handoffs.start, uuid4(), "ada")
    desk.does(privacy.erase, desk.customer)
    with pytest.raises(NotThere):
        desk.does(handoffs.start, desk.customer.id, "ada")


def test_silence_hands_back_and_the_customer_is_told(desk, clock: FrozenClock):
    desk.does(handoffs.take, desk.called(), "ada")
    clock.pass_minutes(119)
    desk.says(handoffs.pass_on, MessageKind.TEXT, "are you there?")
    clock.pass_minutes(119)
    assert desk.does(handoffs.close_silent) == 0
    clock.pass_minutes(1)
    assert desk.does(handoffs.close_silent) == 1
    assert desk.told[-1][0] == "handoff_closed"
    assert desk.does(handoffs.close_silent) == 0


def test_nobody_who_waits_is_given_up(desk, clock: FrozenClock):
    desk.called()
    clock.pass_minutes(10_000)
    assert desk.does(handoffs.close_silent) == 0


def test_erasing_a_customer_takes_the_thread_along(desk, sessions):
    handoff = desk.does(handoffs.take, desk.called(said="I am Canary"), "ada")
    desk.does(handoffs.write, handoff, "ada", "Hello Canary", "form 1")
    exported = desk.does(lambda work: privacy.export(work, work.customers.find_by_id(desk.customer.id)))
    assert [message["text"] for message in exported["thread"]] == ["I am Canary", "Hello Canary"]
    assert [each["taken_by"] for each in exported["handoffs"]] == ["ada"]
    desk.does(lambda work: privacy.erase(work, work.customers.find_by_id(desk.customer.id)))
    with sessions() as session:
        assert [session.query(kind).count() for kind in (Handoff, ThreadMessage, OutboxEvent)] == [0, 0, 0]
    with pytest.raises(NotThere):
        desk.does(handoffs.write, handoff, "ada", "are you there?", "form 2")
