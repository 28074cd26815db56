"""What a call of the action server carries: all that is read, and not much more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.action_endpoint import ActionServer

ROOT = Path(__file__).parents[2]
METADATA = {"message_id": "SM1", "address": "sealed" * 20, "notice": None}
UNDERSTOOD = {
    "intent": {"name": "select_product", "confidence": 0.9},
    "intent_ranking": [{"name": f"intent_{number}", "confidence": 0.01} for number in range(10)],
    "entities": [{"entity": "product", "value": "burgers"}],
}
EVENTS: list[Event] = [
    ActionExecuted("action_listen"),
    UserUttered(
        "2 burgers",
        intent=UNDERSTOOD["intent"],
        entities=UNDERSTOOD["entities"],
        parse_data=UNDERSTOOD,
        input_channel="whatsapp",
        metadata=METADATA,
    ),
    SlotSet("product", "burger"),
    ActionExecuted("action_add_to_cart"),
    BotUttered("Added", {"buttons": None}, {"utter_action": "utter_added", "cart": "long" * 50}),
    ActiveLoop("quantity_form"),
]


@pytest.fixture(scope="module")
def domain() -> Domain:
    """The shop's own."""
    return Domain.from_path(str(ROOT / "domain.yml"))


@pytest.fixture
def sent(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the endpoint posts."""
    posted: list[dict[str, Any]] = []

    class Response:
        status = 200

        async def read(self) -> bytes:
            return b"{}"

        async def __aenter__(self) -> Response:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    class Session:
        def post(self, url: str, data: bytes, headers: dict[str, str]) -> Response:
            assert headers == {"Content-Type": "application/json"}
            posted.append(json.loads(data))
            return Response()

    monkeypatch.setattr("dialogue.action_endpoint.aiohttp.ClientSession", lambda **_: Session())
    return posted


async def call(domain: Domain, name: str) -> None:
    """Call an action in the middle of a conversation."""
    tracker = DialogueStateTracker.from_events("somebody", EVENTS, domain.slots)
    action = RemoteAction(name, ActionServer("http://127.0.0.1:1/webhook", domain))
    await action.action_endpoint.request(json=action._action_call_format(tracker, domain))


async def test_every_event_keeps_its_place_and_what_is_read_of_it(domain, sent):
    await call(domain, "action_add_to_cart")
    events = [{**event, "timestamp": 0.0} for event in sent[0]["tracker"]["events"]]
    assert events == [
        {"event": "action", "timestamp": 0.0, "name": "action_listen"},
        {
            "event": "user",
            "timestamp": 0.0,
            "text": "2 burgers",
            "input_channel": "whatsapp",
            "parse_data": {"intent": UNDERSTOOD["intent"]},
            "metadata": {"message_id": "SM1", "notice": None},
        },
        {"event": "slot", "timestamp": 0.0, "name": "product", "value": "burger"},
        {"event": "action", "timestamp": 0.0, "name": "action_add_to_cart"},
        {"event": "bot", "timestamp": 0.0, "text": "Added", "metadata": {"utter_action": "utter_added"}},
        {"event": "active_loop", "timestamp": 0.0, "name": "quantity_form"},
    ]


async def test_of_the_message_itself_everything_goes_along(domain, sent):
    await call(domain, "action_add_to_cart")
    latest = sent[0]["tracker"]["latest_message"]
    assert latest["entities"] == UNDERSTOOD["entities"]
    assert latest["metadata"] == METADATA


@pytest.mark.parametrize("name", ["action_add_to_cart", "validate_quantity_form", "validate_erasure_form"])
async def test_no_action_takes_the_domain_along(domain, sent, name):
    """All its wording is many times what the rest of a call is."""
    await call(domain, name)
    assert "domain" not in sent[0]
    assert len(json.dumps(sent[0])) < len(json.dumps(domain.as_dict())) / 20
