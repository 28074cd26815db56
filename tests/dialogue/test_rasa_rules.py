"""With fewer looks at a conversation the rules predict what Rasa's own policy predicts, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.training import load_data
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.constants import LATEST_TRAINING_DATA_FORMAT_VERSION
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    Event,
    LoopInterrupted,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue import rasa_patch

DOMAIN = f"""
version: "{LATEST_TRAINING_DATA_FORMAT_VERSION}"
intents: [greet, order, ask, deny]
entities: [size]
slots:
  known: {{type: bool, mappings: [{{type: custom}}]}}
  size: {{type: text, influence_conversation: false, mappings: [{{type: custom}}]}}
forms: {{a_form: {{required_slots: [size]}}}}
responses:
  utter_welcome: [{{text: w}}]
  utter_greet: [{{text: g}}]
  utter_again: [{{text: a}}]
  utter_explain: [{{text: e}}]
  utter_done: [{{text: d}}]
  utter_ask_size: [{{text: s}}]
"""
RULES = f"""
version: "{LATEST_TRAINING_DATA_FORMAT_VERSION}"
rules:
- rule: the beginning
  conversation_start: true
  steps: [{{intent: deny}}, {{action: utter_welcome}}]
- rule: somebody known
  condition: [{{slot_was_set: [{{known: true}}]}}]
  steps: [{{intent: greet}}, {{action: utter_again}}]
- rule: a form
  steps: [{{intent: order}}, {{action: a_form}}, {{active_loop: a_form}}]
- rule: the form ends
  condition: [{{active_loop: a_form}}]
  steps:
  - action: a_form
  - active_loop: null
  - slot_was_set: [{{requested_slot: null}}]
  - action: utter_done
- rule: a question within the form
  condition: [{{active_loop: a_form}}]
  steps:
  - intent: ask
  - action: utter_explain
  - action: a_form
  - active_loop: a_form
- rule: an answer and one more
  steps: [{{intent: ask}}, {{action: utter_greet}}, {{action: utter_explain}}]
"""
TEXT_RULE = """
- rule: some words
  steps: [{user: "what is this"}, {action: utter_explain}]
"""
CHANGED = ("_known", "load", "_find_action_from_rules", "_prediction_states", "_get_possible_keys")
ITS_OWN = dict(vars(RulePolicy))

Load = Callable[[], RulePolicy]


@pytest.fixture(scope="module", params=[RULES, RULES + TEXT_RULE], ids=["intents", "text"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Domain, Load]:
    """A domain, and what loads a policy that learned rules of all kinds."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules.yml").write_text(request.param, encoding="utf-8")
    domain = Domain.from_yaml(DOMAIN)
    storage, resource = LocalModelStorage(folder / "model"), Resource("rules")
    (folder / "model").mkdir()
    context = ExecutionContext(GraphSchema({}))
    config = {**RulePolicy.get_default_config(), "check_for_contradictions": False}
    trackers = load_data(str(folder / "rules.yml"), domain, augmentation_factor=0)
    RulePolicy.create(dict(config), storage, resource, context).train(trackers, domain)
    return domain, lambda: RulePolicy.load(dict(config), storage, resource, context)


@pytest.fixture
def policies(trained: tuple[Domain, Load]) -> Iterator[tuple[RulePolicy, RulePolicy]]:
    """Rasa's own policy, and the changed one."""
    _, load = trained
    restore()
    own = load()
    assert rasa_patch.look_back_as_far_as_rules_do()
    yield own, load()
    restore()


def restore() -> None:
    """Rasa's policy as it was."""
    for name in CHANGED:
        if name in vars(RulePolicy):
            delattr(RulePolicy, name)
        if name in ITS_OWN:
            setattr(RulePolicy, name, ITS_OWN[name])


def said(intent: str, with_entity: bool, text: str = "some words") -> UserUttered:
    entities = [{"entity": "size", "value": "large", "start": 0, "end": 1}] if with_entity else []
    return UserUttered(text, {"name": intent, "confidence": 1.0}, entities)


actions = st.sampled_from(
    ["action_listen", "utter_greet", "utter_explain", "utter_again", "a_form", "utter_done", "utter_welcome"]
)
texts = st.sampled_from(["what is this", "some words"])
events = st.one_of(
    st.builds(said, st.sampled_from(["greet", "order", "ask", "deny"]), st.booleans(), texts),
    st.builds(ActionExecuted, actions),
    st.builds(ActionExecuted, st.just("action_listen")),
    st.builds(ActiveLoop, st.sampled_from(["a_form", None])),
    st.builds(SlotSet, st.just("known"), st.sampled_from([True, False, None])),
    st.builds(SlotSet, st.just("requested_slot"), st.sampled_from(["size", None])),
    st.builds(DefinePrevUserUtteredFeaturization, st.booleans()),
    st.builds(ActionExecutionRejected, st.just("a_form")),
    st.builds(LoopInterrupted, st.booleans()),
    st.builds(BotUttered, st.just("hello")),
    st.sampled_from([UserUtteranceReverted(), ActionReverted(), SessionStarted(), Restarted()]),
)


def predicted(policy: RulePolicy, happened: list[Event], domain: Domain) -> dict[str, Any]:
    tracker = DialogueStateTracker.from_events("somebody", happened, domain.slots)
    prediction: PolicyPrediction = policy.predict_action_probabilities(tracker, domain)
    return {**vars(prediction), "diagnostic_data": None}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(happened=st.lists(events, max_size=25))
def test_the_same_is_predicted(
    happened: list[Event], trained: tuple[Domain, Load], policies: tuple[RulePolicy, RulePolicy]
) -> None:
    domain, _ = trained
    own, changed = policies
    assert predicted(changed, happened, domain) == predicted(own, happened, domain)


def test_all_kinds_of_rules_were_learned(
    trained: tuple[Domain, Load], policies: tuple[RulePolicy, RulePolicy]
) -> None:
    domain, _ = trained
    _, changed = policies
    listened = ActionExecuted("action_listen")
    begun = [ActionExecuted("action_session_start"), SessionStarted(), listened, said("order", False)]
    form = [*begun, ActionExecuted("a_form"), ActiveLoop("a_form"), SlotSet("requested_slot", "size")]

    def next_action(happened: list[Event]) -> str:
        likely = predicted(changed, happened, domain)["probabilities"]
        return domain.action_names_or_texts[likely.index(max(likely))]

    assert next_action([listened, said("deny", False)]) == "utter_welcome"
    assert next_action([SlotSet("known", True), listened, said("greet", True)]) == "utter_again"
    assert next_action(begun) == "a_form"
    assert (
        next_action([*form, listened, said("ask", False), ActionExecutionRejected("a_form")])
        == "utter_explain"
    )
    assert next_action([*form, ActionExecuted("utter_greet"), ActionExecuted("utter_done")]) == "a_form"


def test_another_version_of_rasa_is_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    restore()
    monkeypatch.setattr(rasa_patch.rasa, "__version__", "3.7.0")
    assert not rasa_patch.look_back_as_far_as_rules_do()
    assert "load" not in vars(RulePolicy)
