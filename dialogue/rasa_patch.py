"""What is changed in Rasa itself, in the version that was tested and in no other: it has no setting for it.

- `RemoteAction` hands its schema to `jsonschema.validate` with every answer, which examines the schema anew
  each time, and compares an event with all forms of events; that was most of a turn. It is compiled once.
- `DomainProvider` reads the domain of a trained model four times and validates it again, as was done when the
  model was trained; with the wording of five languages that was half of the start. It is read once.
- `DaskGraphRunner` plans the graph of the model anew with every message and every prediction, in dask, to run
  one node after the other. It is planned once.
- `RulePolicy` describes the whole conversation anew with every prediction, twice after a message, and
  compares it with all rules. It describes as much as the longest rule asks for, and remembers which fit.
- A tracker is copied by replaying it, an event's class is looked for among all classes, whether the domain is
  empty is found out by making an empty one, and what debug lines would say is copied whether they are written
  or not. A copy is a copy, classes are looked up by name, and lines are written of what is there.
- Rasa imports TensorFlow, half of its memory, whatever the pipeline. Here it comes with the first component
  that needs it. This has to be done before Rasa is imported: `python -m dialogue` is `rasa` with it.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import rasa
from jsonschema import ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for

if TYPE_CHECKING:
    from rasa.core.actions.action import RemoteAction
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.runner.dask import DaskGraphRunner
    from rasa.engine.storage.resource import Resource
    from rasa.engine.storage.storage import ModelMetadata, ModelStorage
    from rasa.graph_components.providers.domain_provider import DomainProvider
    from rasa.shared.core.domain import Domain, State
    from rasa.shared.core.events import Event
    from rasa.shared.core.trackers import DialogueStateTracker

logger = logging.getLogger(__name__)

TESTED_VERSION = "3.6.21"


def compile_answer_check() -> bool:
    """Replace the check by a compiled one; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("answers are checked slowly"):
        return False
    from rasa.core.actions.action import RemoteAction

    find_error = _compiled(RemoteAction.action_response_format_spec())

    def check(self: RemoteAction, result: dict[str, Any]) -> bool:
        """Whether an action's answer has the form that Rasa documents.

        Raises:
            ValidationError
        """
        error = find_error(result)
        if error is not None:
            raise error
        return True

    RemoteAction._validate_action_result = check
    return True


def _compiled(schema: dict[str, Any]) -> Callable[[Any], ValidationError | None]:
    """What finds the error in an answer.

    An event must fit one of two dozen forms, which differ by its name; it is compared with the form of its
    name only, not with each.
    """
    make = validator_for(schema)
    whole = copy.deepcopy(schema)
    of_event = whole["properties"]["events"]["items"]
    forms = {form["properties"]["event"]["const"]: make(form) for form in of_event.pop("oneOf")}
    of_event["properties"]["event"]["enum"] = list(forms)
    frame = make(whole)

    def find_error(answer: Any) -> ValidationError | None:
        error = best_match(frame.iter_errors(answer))
        for event in answer.get("events", ()) if error is None else ():
            error = error or best_match(forms[event["event"]].iter_errors(event))
        return error

    return find_error


def read_domain_once() -> bool:
    """Replace how a model's domain is read; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("it starts slowly"):
        return False
    from rasa.graph_components.providers.domain_provider import DomainProvider
    from rasa.shared.core.domain import Domain
    from rasa.shared.utils.io import read_yaml

    def load(
        cls: type[DomainProvider],
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> DomainProvider:
        """The provider with the domain that was written when the model was trained."""
        with model_storage.read_from(resource) as folder:
            domain = Domain.from_dict(read_yaml((folder / "domain.yml").read_text(encoding="utf-8")))
        return cls(model_storage, resource, domain)

    DomainProvider.load = classmethod(load)
    return True


def plan_graph_once() -> bool:
    """Replace how a model's graph is run; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("messages are served slowly"):
        return False
    from rasa.engine.exceptions import GraphRunError
    from rasa.engine.runner.dask import DaskGraphRunner

    def run(
        self: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
    ) -> dict[str, Any]:
        """What the targets made of the inputs.

        Raises:
            GraphRunError
        """
        wanted = tuple(targets or self._graph_schema.target_names)
        plans = self.__dict__.setdefault("_plans", {})
        if wanted not in plans:
            plans[wanted] = _plan(self._graph_schema, wanted)
        given = inputs or {}
        if clashing := given.keys() & self._instantiated_nodes.keys():
            raise GraphRunError(f"Named as a node is: {', '.join(sorted(clashing))}")
        made: dict[str, Any] = {name: (name, value) for name, value in given.items()}
        try:
            for name, needed in plans[wanted]:
                made[name] = self._instantiated_nodes[name](*(made.get(one, one) for one in needed))
        except RuntimeError as error:
            raise GraphRunError("Error running runner.") from error
        return {name: made[name][1] for name in wanted}

    DaskGraphRunner.run = run
    return True


def _plan(schema: GraphSchema, targets: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The nodes that lead to the targets, in an order in which they can run, each with those it needs."""
    nodes = schema.minimal_graph_schema(list(targets)).nodes
    needs = {name: list(node.needs.values()) for name, node in nodes.items()}
    return [(name, needs[name]) for name in TopologicalSorter(needs).static_order() if name in needs]


def import_tensorflow_late() -> bool:
    """Leave TensorFlow out until a component asks for it; False, and nothing changed, in another version.

    Three imports ask without need: thinc, which does without where there is none; Rasa's helpers for
    training, which the base class of extractors imports; and the graph by which the model was trained, which
    names a validator that knows every classifier. That graph serves to train on, and is left out.
    """
    if not _is_tested("it needs twice the memory"):
        return False
    absent = sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]
    importlib.import_module("thinc.compat")
    if absent is None:
        del sys.modules["tensorflow"]
    _import_late("rasa.utils.train_utils")
    _forget_how_it_was_trained()
    return True


class _LateModule(ModuleType):
    """A module that is executed when one of the names that it defines is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None and spec.loader is not None
        self.__spec__, self.__loader__, self.__file__ = spec, spec.loader, spec.origin
        self.__package__ = spec.parent
        body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
        self._defined = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get("_defined", ()):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType
        self.__loader__.exec_module(self)
        return getattr(self, name)


def _import_late(name: str) -> None:
    parent, _, child = name.rpartition(".")
    package = importlib.import_module(parent)
    if name not in sys.modules:
        sys.modules[name] = _LateModule(name)
        setattr(package, child, sys.modules[name])


def _forget_how_it_was_trained() -> None:
    from rasa.engine.storage.storage import ModelMetadata

    from_dict = ModelMetadata.from_dict.__func__

    def read(cls: type[ModelMetadata], serialized: dict[str, Any]) -> ModelMetadata:
        """The metadata of a model, without the graph that trained it."""
        return from_dict(cls, {**serialized, "train_schema": {"nodes": {}}})

    ModelMetadata.from_dict = classmethod(read)


def look_back_as_far_as_rules_do() -> bool:
    """Replace how rules are found; False, and nothing changed, in another version of Rasa.

    Only policies that are loaded are changed: while training, Rasa compares whole rules and stories.
    """
    if not _is_tested("messages are served slowly"):
        return False
    from rasa.core.policies.rule_policy import RulePolicy

    if hasattr(RulePolicy, "_known"):
        return True
    load, find_action = RulePolicy.load.__func__, RulePolicy._find_action_from_rules
    states, possible_keys = RulePolicy._prediction_states, RulePolicy._get_possible_keys

    def load_and_look(cls: type[RulePolicy], *arguments: Any, **named: Any) -> RulePolicy:
        policy = load(cls, *arguments, **named)
        policy._known = _KnownRules(policy)
        return policy

    RulePolicy._known = None  # of one that was not loaded

    def find(
        self: RulePolicy, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
    ) -> tuple[str | None, str | None, bool]:
        """The action that the rules have next; where none reads text, text leads to none."""
        if use_text_for_last_user_input and self._known and not self._known.read_text:
            return None, None, False
        return find_action(self, tracker, domain, use_text_for_last_user_input)

    def last_states(
        self: RulePolicy, tracker: DialogueStateTracker, *arguments: Any, **named: Any
    ) -> list[State]:
        """The last states of a conversation."""
        recent = _Recent(tracker, self._known.longest) if self._known else tracker
        return states(self, recent, *arguments, **named)

    def fitting(self: RulePolicy, lookup: dict[str, str], found: list[State]) -> set[str]:
        """The rules that fit to the last states."""
        if not self._known:
            return possible_keys(self, lookup, found)
        return self._known.fitting(lookup, found)

    RulePolicy.load = classmethod(load_and_look)
    RulePolicy._find_action_from_rules = find
    RulePolicy._prediction_states = last_states
    RulePolicy._get_possible_keys = fitting
    return True


class _Recent:
    """A tracker of which only the last states are asked for."""

    def __init__(self, tracker: DialogueStateTracker, longest: int) -> None:
        self._tracker = tracker
        self._longest = longest

    def past_states(self, domain: Domain, **_: Any) -> list[State]:
        """As the tracker's own, where turns of rules are not left out: they are not for rules."""
        from rasa.shared.core.events import ActionExecuted, SlotSet
        from rasa.shared.core.trackers import DialogueStateTracker

        events = self._tracker.applied_events()
        unseen = sum(isinstance(event, ActionExecuted) for event in events) - self._longest + 1
        # Most slots are no part of a state; most events set one of these.
        telling = [slot for slot in self._tracker.slots.values() if slot.has_features()]
        before = DialogueStateTracker(self._tracker.sender_id, telling)
        states: list[State] = []
        for event in events:
            if isinstance(event, ActionExecuted):
                unseen -= 1
                if unseen < 0:
                    states.append(domain.get_active_state(before))
            elif isinstance(event, SlotSet) and event.key not in before.slots:
                continue
            before.update(event)
        return [*states, domain.get_active_state(before)]


class _KnownRules:
    """What a trained policy's rules ask for, and which of them fitted to which state."""

    MOST = 10_000

    def __init__(self, policy: RulePolicy) -> None:
        from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH

        self._is_applicable = policy._is_rule_applicable
        lookups = [policy.lookup.get(name, {}) for name in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH)]
        rules = [json.loads(key) for lookup in lookups for key in lookup]
        self.longest = max(map(len, rules), default=1)
        self.read_text = any("text" in state.get("user", {}) for rule in rules for state in rule)
        self._fitted: dict[tuple[int, int, str], frozenset[str]] = {}

    def fitting(self, lookup: dict[str, str], states: list[State]) -> set[str]:
        """The keys of the rules that fit to all of the states, the last of which is now."""
        fitting = set(lookup)
        for back, state in enumerate(reversed(states)):
            fitting &= self._fitting_to(lookup, back, state)
        return fitting

    def _fitting_to(self, lookup: dict[str, str], back: int, state: State) -> frozenset[str]:
        known = (id(lookup), back, json.dumps(state, sort_keys=True))
        if known not in self._fitted:
            if len(self._fitted) >= self.MOST:
                self._fitted.clear()
            self._fitted[known] = frozenset(key for key in lookup if self._is_applicable(key, back, state))
        return self._fitted[known]


def leave_out_detours() -> bool:
    """Replace what is done in a roundabout way; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("messages are served slowly"):
        return False
    from rasa.core import processor
    from rasa.core.actions import forms
    from rasa.core.policies import rule_policy
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import Event
    from rasa.shared.core.trackers import DialogueStateTracker

    # Of the module `copy`, these use `deepcopy` alone, and for debug lines alone.
    processor.copy = forms.copy = rule_policy.copy = _NoCopies
    resolve, kinds = Event.resolve_by_type, event_types()
    Event.resolve_by_type = staticmethod(lambda name, default=None: kinds.get(name) or resolve(name, default))
    empty = Domain.empty().as_dict()
    Domain.is_empty = lambda self: bool(self.as_dict() == empty)
    DialogueStateTracker.copy = _copied
    return True


class _NoCopies:
    """In the place of the module `copy`."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        """What is said of it may be said of itself."""
        return value


@functools.cache
def event_types() -> Mapping[str, type[Event]]:
    """Rasa's events by name."""
    from rasa.shared.core.events import Event
    from rasa.shared.utils.common import all_subclasses

    return {kind.type_name: kind for kind in reversed(all_subclasses(Event))}


def _copied(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """The same conversation at the same moment; as Rasa's copies, of no model and no file."""
    twin = copy.copy(tracker)
    twin.events = tracker.events.copy()
    twin.slots = {name: copy.copy(slot) for name, slot in tracker.slots.items()}
    twin.active_loop = copy.copy(tracker.active_loop)
    twin.model_id = twin.assistant_id = twin.sender_source = None
    return twin


def _is_tested(consequence: str) -> bool:
    if rasa.__version__ == TESTED_VERSION:
        return True
    logger.warning("Rasa %s is not the tested %s: %s", rasa.__version__, TESTED_VERSION, consequence)
    return False
