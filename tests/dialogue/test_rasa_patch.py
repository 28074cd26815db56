"""What is changed in Rasa does what Rasa's own does, in the version that was tested."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rasa
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain

from dialogue.rasa_patch import TESTED_VERSION, compile_answer_check, plan_graph_once, read_domain_once

ROOT = Path(__file__).parents[2]
ITS_OWN = RemoteAction._validate_action_result
ITS_OWN_LOAD = DomainProvider.__dict__["load"]
ITS_OWN_RUN = DaskGraphRunner.run
ANSWERS: list[dict[str, Any]] = [
    {"events": [], "responses": []},
    {},
    {"events": [{"event": "slot", "name": "quantity", "value": "2"}], "responses": [{"text": "hi"}]},
    {"events": [{"event": "active_loop", "name": None}]},
    {"events": [{"event": "unheard of"}]},
    {"events": [{"name": "quantity"}]},
    {"events": [{"event": "slot", "name": "quantity"}]},
    {"events": [{"event": "slot", "name": 3, "value": 1}]},
    {"events": [{"event": "action", "name": "action_listen", "hide_rule_turn": "no"}]},
    {"events": [{"event": "undo", "timestamp": "now"}]},
    {"events": [{"event": "user", "text": "hi", "parse_data": {"entities": [{"entity": "product"}]}}]},
    {"events": [{"event": "slot", "name": "a", "value": None}, {"event": "entities"}]},
    {"events": "none"},
    {"events": None},
    [],
    {"responses": ["hi"]},
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Rasa as it was."""
    yield
    RemoteAction._validate_action_result = ITS_OWN
    DomainProvider.load = ITS_OWN_LOAD
    DaskGraphRunner.run = ITS_OWN_RUN


def accepts(answer: dict[str, Any]) -> bool:
    """Whether the present check takes an answer."""
    try:
        return bool(RemoteAction("action_view_cart", None)._validate_action_result(answer))
    except ValidationError:
        return False


@pytest.mark.parametrize("answer", ANSWERS)
def test_it_accepts_what_rasa_accepts(answer: dict[str, Any]) -> None:
    before = accepts(answer)
    assert compile_answer_check()
    assert RemoteAction._validate_action_result is not ITS_OWN
    assert accepts(answer) is before


def test_some_are_refused_and_some_are_not() -> None:
    compile_answer_check()
    assert {accepts(answer) for answer in ANSWERS} == {True, False}


def test_another_version_of_rasa_is_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(rasa, "__version__", "3.7.0")
    assert not compile_answer_check()
    assert not read_domain_once()
    assert not plan_graph_once()
    assert RemoteAction._validate_action_result is ITS_OWN
    assert DomainProvider.__dict__["load"] is ITS_OWN_LOAD
    assert DaskGraphRunner.run is ITS_OWN_RUN
    assert f"not the tested {TESTED_VERSION}" in caplog.text


def test_the_domain_of_a_model_is_the_same(tmp_path: Path) -> None:
    storage, resource = LocalModelStorage(tmp_path), Resource("domain_provider")
    context = ExecutionContext(GraphSchema({}))
    DomainProvider(storage, resource)._persist(Domain.from_path(str(ROOT / "domain.yml")))
    slowly = DomainProvider.load({}, storage, resource, context).provide_inference()
    assert read_domain_once()
    assert DomainProvider.__dict__["load"] is not ITS_OWN_LOAD
    quickly = DomainProvider.load({}, storage, resource, context).provide_inference()
    assert quickly.as_dict() == slowly.as_dict()
    assert quickly.fingerprint() == slowly.fingerprint()


class Sum(GraphComponent):
    """Adds its number to what it is given."""

    def __init__(self, number: int) -> None:
        self._number = number

    @classmethod
    def create(cls, config: dict[str, Any], **_: Any) -> Sum:
        return cls(config["number"])

    def add(self, **given: int) -> int:
        return self._number + sum(given.values())

    def fail(self, **given: int) -> int:
        raise RuntimeError("a bug")


def graph(tmp_path: Path, failing: str = "") -> DaskGraphRunner:
    """A diamond, and a node aside that nobody asked for."""
    needs = {
        "first": {"given": "__given__"},
        "left": {"one": "first"},
        "right": {"one": "first", "other": "__given__"},
        "last": {"one": "left", "other": "right"},
        "aside": {"one": "first"},
    }
    nodes = {
        name: SchemaNode(
            needs=inputs,
            uses=Sum,
            constructor_name="create",
            fn="fail" if name == failing else "add",
            config={"number": 10**number},
            is_target=name == "last",
        )
        for number, (name, inputs) in enumerate(needs.items())
    }
    schema = GraphSchema(nodes)
    return DaskGraphRunner(schema, LocalModelStorage(tmp_path), ExecutionContext(schema))


@pytest.mark.parametrize("targets", [None, ["last"], ["aside", "left"], ["first", "last"]])
def test_a_graph_makes_what_it_made(targets: list[str] | None, tmp_path: Path) -> None:
    before = graph(tmp_path).run({"__given__": 5}, targets)
    assert plan_graph_once()
    runner = graph(tmp_path)
    assert runner.run({"__given__": 5}, targets) == before
    assert runner.run({"__given__": 6}, targets) != before, "planned once, run anew"


@pytest.mark.parametrize("given", [{}, {"first": 1}, {"first": "word"}])
def test_a_graph_refuses_what_it_refused(given: dict[str, Any], tmp_path: Path) -> None:
    plan_graph_once()
    with pytest.raises(GraphRunError):
        graph(tmp_path).run(given)


def test_a_node_that_fails_fails_as_before(tmp_path: Path) -> None:
    with pytest.raises(GraphComponentException) as before:
        graph(tmp_path, failing="left").run({"__given__": 5})
    plan_graph_once()
    with pytest.raises(GraphComponentException) as after:
        graph(tmp_path, failing="left").run({"__given__": 5})
    assert str(after.value) == str(before.value)


SERVING = """
import sys
from dialogue.rasa_patch import import_tensorflow_late

assert import_tensorflow_late()
import rasa.core.run, rasa.server, dialogue.channel
import rasa.core.policies.rule_policy, dialogue.nlu.intent_classifier
assert not hasattr(rasa.utils.train_utils, "tf"), "what a module does not define loads nothing"
assert "tensorflow" not in sys.modules
"""
ASKING = {
    "a classifier": "from rasa.nlu.classifiers.diet_classifier import DIETClassifier",
    "a helper for training": "import rasa.utils.train_utils as helpers; helpers.rank_and_mask",
}


def run(program: str) -> None:
    """A process of its own: what was imported stays."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_serves_needs_no_tensorflow() -> None:
    run(SERVING)


@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING)
def test_whoever_asks_for_tensorflow_gets_it(asking: str) -> None:
    run(f"{SERVING}\n{asking}\nassert sys.modules['tensorflow'].keras")
