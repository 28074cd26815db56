"""A long conversation is kept as its last turns and the state before them; replayed, nothing is different."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    ConversationPaused,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.bounded_history import KEPT_TURNS, MOST_TURNS, bounded

DOMAIN = Domain.from_dict(
    {
        "intents": ["greet"],
        "slots": {
            name: {"type": "any", "mappings": [{"type": "custom"}], "influence_conversation": False}
            for name in ("quantity", "product", "requested_slot")
        },
        "forms": {"checkout_form": {"required_slots": ["quantity"]}},
        "actions": ["action_view_cart"],
    }
)
# As Rasa writes them: a form that was executed says at once whether it goes on.
FORM_STEP = st.builds(
    lambda name: [ActionExecuted("checkout_form"), ActiveLoop(name)], st.sampled_from([None, "checkout_form"])
)
ONE_EVENT = st.one_of(
    st.builds(SlotSet, st.sampled_from(["quantity", "product"]), st.sampled_from([None, "2", ["a"]])),
    st.builds(ActiveLoop, st.none()),
    st.builds(ActionExecuted, st.just("action_view_cart")),
    st.builds(BotUttered, st.just("Your cart")),
).map(lambda event: [event])
IN_A_TURN = st.lists(st.one_of(FORM_STEP, ONE_EVENT), max_size=5).map(lambda steps: sum(steps, []))


def conversation(turns: list[list[Event]]) -> list[Event]:
    """A session with these turns, each a second after the one before."""
    events: list[Event] = [
        ActionExecuted("action_session_start"),
        SessionStarted(),
        ActionExecuted("action_listen"),
    ]
    for number, turn in enumerate(turns):
        events += [
            UserUttered(f"message {number}", {"name": "greet"}),
            *turn,
            ActionExecuted("action_listen"),
        ]
    for event, second in zip(events, count(1000)):
        event.timestamp = float(second)
    return events


def replayed(events: list[Event]) -> DialogueStateTracker:
    """The tracker that events lead to."""
    return DialogueStateTracker.from_events("ada", events, DOMAIN.slots, domain=DOMAIN)


def said(events: list[Event]) -> list[str | None]:
    """What the customer wrote."""
    return [event.text for event in events if isinstance(event, UserUttered)]


def test_a_short_conversation_is_kept_as_it_is() -> None:
    events = conversation([[]] * MOST_TURNS)
    assert bounded(events, DOMAIN) is events


@given(st.lists(IN_A_TURN, min_size=MOST_TURNS + 1, max_size=3 * MOST_TURNS))
def test_what_is_left_of_a_long_one_leads_to_the_same_state(turns: list[list[Event]]) -> None:
    events = conversation(turns)
    whole, kept = replayed(events), replayed(bounded(events, DOMAIN))
    assert kept.current_slot_values() == whole.current_slot_values()
    assert kept.active_loop_name == whole.active_loop_name
    assert kept.latest_message == whole.latest_message
    assert kept.latest_action_name == whole.latest_action_name == "action_listen"
    assert kept.past_states(DOMAIN)[-1] == whole.past_states(DOMAIN)[-1]
    assert said(list(kept.events)) == said(events)[-KEPT_TURNS:]


def test_however_long_it_goes_on_it_grows_no_more() -> None:
    events = conversation([[]] * MOST_TURNS)
    longest = len(events) + 2
    for number in range(500):
        events = bounded([*events, UserUttered(f"more {number}"), ActionExecuted("action_listen")], DOMAIN)
        assert len(events) <= longest
    assert said(events)[-1] == "more 499"


def test_times_never_run_backwards() -> None:
    times = [event.timestamp for event in bounded(conversation([[]] * 30), DOMAIN)]
    assert times == sorted(times)


@pytest.mark.parametrize("paused", [True, False])
def test_who_is_with_a_person_stays_there(paused: bool) -> None:
    turns: list[list[Event]] = [[ConversationPaused()] if paused else [], *([[]] * 20)]
    assert replayed(bounded(conversation(turns), DOMAIN)).is_paused() is paused
