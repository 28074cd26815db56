"""The compiled check of an action's answer says what Rasa's own says, in the version that was tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rasa
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction

from dialogue.rasa_patch import TESTED_VERSION, compile_answer_check

ITS_OWN = RemoteAction._validate_action_result
ANSWERS: list[dict[str, Any]] = [
    {"events": [], "responses": []},
    {},
    {"events": [{"event": "slot", "name": "quantity", "value": "2"}], "responses": [{"text": "hi"}]},
    {"events": [{"event": "active_loop", "name": None}]},
    {"events": [{"event": "unheard of"}]},
    {"events": [{"name": "quantity"}]},
    {"events": "none"},
    {"responses": ["hi"]},
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Rasa as it was."""
    yield
    RemoteAction._validate_action_result = ITS_OWN


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
    assert RemoteAction._validate_action_result is ITS_OWN
    assert f"not the tested {TESTED_VERSION}" in caplog.text
