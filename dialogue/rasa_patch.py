"""What is changed in Rasa itself, in the version that was tested and in no other: it has no setting for it.

- `RemoteAction` hands its schema to `jsonschema.validate` with every answer, which examines the schema anew
  each time, and compares an event with all forms of events; that was most of a turn. It is compiled once.
- `DomainProvider` reads the domain of a trained model four times and validates it again, as was done when the
  model was trained; with the wording of five languages that was half of the start. It is read once.
- `DaskGraphRunner` plans the graph of the model anew with every message and every prediction, in dask, to run
  one node after the other. It is planned once.
- Rasa imports TensorFlow, half of its memory, whatever the pipeline. Here it comes with the first component
  that needs it. This has to be done before Rasa is imported: `python -m dialogue` is `rasa` with it.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import logging
import sys
from collections.abc import Callable
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
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.runner.dask import DaskGraphRunner
    from rasa.engine.storage.resource import Resource
    from rasa.engine.storage.storage import ModelMetadata, ModelStorage
    from rasa.graph_components.providers.domain_provider import DomainProvider

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


def _is_tested(consequence: str) -> bool:
    if rasa.__version__ == TESTED_VERSION:
        return True
    logger.warning("Rasa %s is not the tested %s: %s", rasa.__version__, TESTED_VERSION, consequence)
    return False
