"""The contract between Rasa 3.6.21 and rasa-sdk 3.21, which nobody publishes as a pair."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import rasa
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, BotUttered, FollowupAction, SlotSet, UserUtteranceReverted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import EndpointConfig

from dialogue.action_endpoint import ActionServer
from dialogue.turn import Turn, TurnAborted, current_turn

ROOT = Path(__file__).resolve().parent.parent.parent
COMMERCE = Path(os.environ.get("CHATCART_VENVS", ROOT / ".venvs")) / "commerce" / "bin" / "python"
DOMAIN = Domain.from_dict(
    {
        "slots": {"name": {"type": "text", "mappings": [{"type": "custom"}]}},
        "responses": {"utter_greeting": [{"text": "Hello {name}"}]},
        "actions": ["action_say_everything", "action_reject", "action_fail", "action_revert"],
    }
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on the present SDK."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [str(COMMERCE), str(Path(__file__).parent / "sdk_server.py"), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait(address: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=1)
            return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, "the action server did not start"
            time.sleep(0.1)


async def run(name: str, endpoint: EndpointConfig) -> list:
    tracker = DialogueStateTracker.from_events("somebody", [SlotSet("name", "Eve")], DOMAIN.slots)
    generator = TemplatedNaturalLanguageGenerator(DOMAIN.responses)
    return await RemoteAction(name, endpoint).run(CollectingOutputChannel(), generator, tracker, DOMAIN)


@pytest.fixture(params=["Rasa's endpoint", "ours", "ours with the domain's digest"])
def endpoint(request: pytest.FixtureRequest, address: str) -> EndpointConfig:
    """The stock endpoint, and the one that the channel puts in its place."""
    webhook = f"{address}/webhook"
    if request.param == "Rasa's endpoint":
        return EndpointConfig(webhook)
    return ActionServer(webhook) if request.param == "ours" else ActionServer(webhook, DOMAIN)


def test_the_pair_is_the_one_that_was_tested() -> None:
    assert rasa.__version__ == "3.6.21"


async def test_events_and_responses_arrive(endpoint: EndpointConfig) -> None:
    events = await run("action_say_everything", endpoint)
    said = [event for event in events if isinstance(event, BotUttered)]
    assert [message.text for message in said] == ["Hello Eve", "choose", None, None]
    assert said[1].data["buttons"] == [{"title": "One", "payload": "1"}]
    assert said[2].data["custom"] == {"kind": "list"}
    assert said[3].data["image"] == "http://127.0.0.1/burger.jpg"
    assert SlotSet("name", "Ada") in events
    assert ActiveLoop(None) in events
    assert FollowupAction("action_listen") in events


async def test_the_domain_goes_along_only_where_the_server_does_not_know_it(
    address: str, monkeypatch
) -> None:
    sent: list[bool] = []
    post = ActionServer._post

    async def noting(self: ActionServer, call: dict) -> object:
        sent.append("domain" in call)
        return await post(self, call)

    monkeypatch.setattr(ActionServer, "_post", noting)
    another = Domain.from_dict({**DOMAIN.as_dict(), "intents": ["greet"]})
    endpoint = ActionServer(f"{address}/webhook", another)
    await run("action_revert", endpoint)
    await run("action_revert", endpoint)
    await endpoint.close()
    assert sent == [False, True, False], "asked for once (449), and remembered"


async def test_a_message_can_be_taken_back(endpoint: EndpointConfig) -> None:
    assert UserUtteranceReverted() in await run("action_revert", endpoint)


async def test_a_rejection_is_a_rejection(endpoint: EndpointConfig) -> None:
    with pytest.raises(ActionExecutionRejection):
        await run("action_reject", endpoint)


@pytest.mark.parametrize("name", ["action_fail", "action_unknown"])
async def test_a_failure_is_an_error(endpoint: EndpointConfig, name: str) -> None:
    with pytest.raises(RasaException):
        await run(name, endpoint)


@pytest.mark.parametrize("name", ["action_fail", "action_unknown"])
async def test_in_a_turn_a_failure_aborts_it(address: str, name: str) -> None:
    await aborts(name, ActionServer(f"{address}/webhook"))


async def test_in_a_turn_a_server_that_is_down_aborts_it() -> None:
    await aborts("action_say_everything", ActionServer("http://127.0.0.1:1/webhook"))


async def aborts(name: str, endpoint: ActionServer) -> None:
    token = current_turn.set(Turn())
    try:
        with pytest.raises(TurnAborted):
            await run(name, endpoint)
    finally:
        current_turn.reset(token)
        await endpoint.close()
