"""Silent while a person has the conversation: before every rule and form, except for what is a right."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.constants import RULE_POLICY_PRIORITY
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.person_policy import PASS_ON, PersonPolicy, next_action

DOMAIN = Domain.from_dict(
    {
        "intents": ["view_cart", "affirm", "stop_messages", "delete_my_data", "order_status_changed"],
        "slots": {"with_person": {"type": "any", "mappings": [{"type": "custom"}]}},
        "actions": [PASS_ON, "action_view_cart"],
        "forms": {"erasure_form": {"required_slots": []}, "quantity_form": {"required_slots": []}},
    }
)


def after(
    intent: str,
    *,
    person: str | None = "ada",
    form: str | None = None,
    confidence: float = 0.9,
    notice: bool = False,
    then: str | None = None,
) -> DialogueStateTracker:
    """A conversation in which this was said last, and perhaps an action ran."""
    tracker = DialogueStateTracker.from_events("customer", [], DOMAIN.slots)
    tracker.update(SlotSet("with_person", person))
    if form:
        tracker.update(ActiveLoop(form))
    tracker.update(ActionExecuted("action_listen"))
    said: dict[str, Any] = {"name": intent, "confidence": confidence}
    tracker.update(UserUttered("said", intent=said, metadata={"notice": notice}))
    if then:
        tracker.update(ActionExecuted(then))
    return tracker


@pytest.fixture
def policy() -> PersonPolicy:
    context = ExecutionContext(GraphSchema({}))
    return PersonPolicy.create(PersonPolicy.get_default_config(), None, Resource("none"), context)


def predicted(policy: PersonPolicy, tracker: DialogueStateTracker) -> tuple[str | None, PolicyPrediction]:
    prediction = policy.predict_action_probabilities(tracker, DOMAIN)
    names = DOMAIN.action_names_or_texts
    certain = [name for name, p in zip(names, prediction.probabilities, strict=True) if p == 1.0]
    return (certain[0] if certain else None), prediction


@pytest.mark.parametrize("form", [None, "quantity_form", "erasure_form"])
def test_whatever_is_said_is_passed_on(policy, form):
    assert predicted(policy, after("view_cart", form=form))[0] == PASS_ON


def test_then_the_bot_listens_also_when_nobody_was_there_any_more(policy):
    assert predicted(policy, after("view_cart", then=PASS_ON))[0] == "action_listen"
    assert predicted(policy, after("view_cart", then=PASS_ON, person=None))[0] == "action_listen"


@pytest.mark.parametrize(
    "tracker",
    [
        after("view_cart", person=None),
        after("order_status_changed", notice=True),
        after("stop_messages"),
        after("delete_my_data"),
        after("affirm", form="erasure_form"),
        after("delete_my_data", then="action_view_cart"),
    ],
    ids=["nobody there", "the shop's own event", "stop", "delete", "yes, delete", "a turn under way"],
)
def test_what_is_left_to_the_rules(policy, tracker):
    assert predicted(policy, tracker)[0] is None


@pytest.mark.parametrize("tracker", [after("stop_messages", confidence=0.4), after("affirm")])
def test_a_vague_stop_and_a_yes_to_the_person_are_the_persons(tracker):
    assert next_action(tracker) == PASS_ON


def test_it_wins_over_rules_and_forms(policy):
    _, prediction = predicted(policy, after("affirm", form="quantity_form"))
    assert prediction.policy_priority > RULE_POLICY_PRIORITY
    assert prediction.is_no_user_prediction, "as a form's own prediction is"
    assert not predicted(policy, after("affirm", person=None))[1].is_no_user_prediction
