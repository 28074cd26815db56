"""What is done without a detour is what Rasa does with one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasa.core import processor
from rasa.core.actions import forms
from rasa.core.policies import rule_policy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from dialogue import rasa_patch
from tests.dialogue.test_rasa_rules import DOMAIN, events

ITS_OWN_RESOLVE = Event.__dict__["resolve_by_type"]
ITS_OWN_IS_EMPTY, ITS_OWN_COPY = Domain.is_empty, DialogueStateTracker.copy


def restore() -> None:
    """Rasa as it was."""
    processor.copy = forms.copy = rule_policy.copy = copy
    Event.resolve_by_type = ITS_OWN_RESOLVE
    Domain.is_empty, DialogueStateTracker.copy = ITS_OWN_IS_EMPTY, ITS_OWN_COPY


@pytest.fixture
def changed() -> Iterator[None]:
    """Rasa without detours."""
    assert rasa_patch.leave_out_detours()
    yield
    restore()


def told(tracker: DialogueStateTracker) -> dict[str, Any]:
    return {
        **tracker.current_state(EventVerbosity.ALL),
        "bot": tracker.latest_bot_utterance.text,
        "set": {name: slot.has_been_set for name, slot in tracker.slots.items()},
        "of": (tracker.model_id, tracker.assistant_id, tracker.sender_source, tracker.is_rule_tracker),
    }


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(happened=st.lists(events, max_size=20), later=st.lists(events, max_size=5))
def test_a_copy_is_what_a_replay_makes_and_goes_its_own_way(
    happened: list[Event], later: list[Event], changed: None
) -> None:
    domain = Domain.from_yaml(DOMAIN)
    tracker = DialogueStateTracker.from_events("somebody", happened, domain.slots, sender_source="a file")
    tracker.model_id = "a model"
    before = told(tracker)
    replayed, copied = ITS_OWN_COPY(tracker), tracker.copy()
    assert told(copied) == told(replayed)
    for event in later:
        replayed.update(event)
        copied.update(event)
    assert told(copied) == told(replayed)
    if not any(isinstance(event, UserUttered) for event in happened):  # a message is shared by all copies
        assert told(tracker) == before


def test_an_event_is_found_by_its_name(changed: None) -> None:
    assert Event.resolve_by_type("slot") is SlotSet
    assert Event.resolve_by_type("topic") is None
    assert Event.resolve_by_type("unheard of", SlotSet) is SlotSet
    with pytest.raises(ValueError, match="unheard of"):
        Event.resolve_by_type("unheard of")


def test_every_name_stands_for_the_class_that_rasa_finds() -> None:
    restore()
    assert {
        name: Event.resolve_by_type(name) for name in rasa_patch.event_types()
    } == rasa_patch.event_types()


def test_a_domain_is_empty_where_it_was(changed: None) -> None:
    assert Domain.empty().is_empty()
    assert not Domain.from_yaml(DOMAIN).is_empty()


def test_another_version_of_rasa_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    restore()
    monkeypatch.setattr(rasa_patch.rasa, "__version__", "3.7.0")
    assert not rasa_patch.leave_out_detours()
    assert DialogueStateTracker.copy is ITS_OWN_COPY
    assert processor.copy is copy
