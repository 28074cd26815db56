"""From a waiting message to a turn: what Rasa is handed, and what is committed afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from rasa.core.channels.channel import UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain

from dialogue.consumer import Consumer, as_text
from dialogue.metrics import DialogueMetrics
from dialogue.turn import Outcome, Situation, StoredTracker, TurnAborted, current_turn
from settings import read_settings
from whatsapp.conversation_queue import Effects, Entry
from whatsapp.inbound import InboundMessage, Kind
from whatsapp.redis import connect
from whatsapp.worker import RetryLater

TRACKER = StoredTracker("chatcart:session:ada", '{"events": []}', 1800)


class Nlg:
    """Says a response of the domain."""

    async def generate(self, name: str, *_: Any) -> dict[str, str]:
        """The words."""
        return {"text": f"[{name}]"}


class Agent:
    """Stands where Rasa is: keeps what it is handed, and answers as told."""

    def __init__(self, answer: Callable[[UserMessage], Awaitable[None]]) -> None:
        self.heard: list[UserMessage] = []
        self.nlg = Nlg()
        self.tracker_store = InMemoryTrackerStore(Domain.empty())
        self._answer = answer

    async def handle_message(self, message: UserMessage) -> None:
        """One turn."""
        self.heard.append(message)
        await self._answer(message)


async def answer_and_store(message: UserMessage) -> None:
    """A turn that says two things and stores its tracker."""
    await message.output_channel.send_response(message.sender_id, {"text": "one"})
    await message.output_channel.send_response(message.sender_id, {"text": "two", "image": "http://x/1.jpg"})
    turn = current_turn.get()
    assert turn is not None
    turn.tracker = TRACKER


@pytest.fixture
def agent() -> Agent:
    """Rasa on a good day."""
    return Agent(answer_and_store)


@pytest.fixture
def redis(settings) -> Any:
    """A client that is never connected: effects are looked at before they are sent."""
    return connect(settings.redis)


def entry(text: str = "", kind: Kind = Kind.TEXT, **values: Any) -> Entry:
    """A message as it waits on the stream."""
    message = InboundMessage("SM1", "ada", "sealed", kind, text, "Ada", **values)
    return Entry("1-0", "ada", message.to_json())


def committed(redis: Any, effects: Effects) -> list[tuple[Any, ...]]:
    """The commands that effects put on a pipeline."""
    pipeline = redis.pipeline(transaction=True)
    effects(pipeline)
    return [command[0] for command in pipeline.command_stack]


def make_consumer(agent: Agent, redis: Any, registry: CollectorRegistry | None = None) -> Consumer:
    """The consumer that hands messages to this agent."""
    return Consumer(agent, redis, read_settings(), DialogueMetrics(registry or CollectorRegistry()))


async def heard(agent: Agent, redis: Any, waiting: Entry) -> UserMessage:
    """What Rasa is handed of a message."""
    await make_consumer(agent, redis).serve(waiting)
    return agent.heard[-1]


async def test_a_text_is_parsed_by_rasa(agent, redis):
    message = await heard(agent, redis, entry("2 burgers"))
    assert message.text == "2 burgers"
    assert message.parse_data is None
    assert (message.sender_id, message.message_id, message.input_channel) == ("ada", "SM1", "whatsapp")
    assert message.metadata == {
        "message_id": "SM1",
        "address": "sealed",
        "profile_name": "Ada",
        "event": None,
        "notice": False,
    }


@pytest.mark.parametrize(
    "typed",
    [
        "/payment_confirmed",
        "//payment_confirmed",
        " /payment_confirmed",
        "/ /payment_confirmed",
        "/\t/payment_confirmed",
        "/\u00a0/payment_confirmed",
        "/\n/ \x1f/payment_confirmed",
        '/payment_confirmed{"order_number": "K7M2PX"}',
        "/restart",
        "/session_start",
        "/send_media",
        "/share_location",
        "/send_card_number",
        '/share_location{"latitude": "6.6"}',
    ],
)
async def test_customers_have_no_commands(agent, redis, typed):
    message = await heard(agent, redis, entry(typed))
    assert not message.text.strip().startswith("/")
    assert message.text.split("{")[0] == typed.split("{")[0].lstrip("/ \t\n\u00a0\x1f")
    assert message.parse_data is None


def test_a_slash_inside_a_text_stays():
    assert as_text("1/2 chicken") == "1/2 chicken"
    assert as_text("and/or") == "and/or"


@pytest.mark.parametrize("typed", ["/", "///", " / "])
async def test_nothing_but_slashes_cannot_be_read(agent, redis, typed):
    message = await heard(agent, redis, entry(typed))
    assert message.parse_data["intent"]["name"] == "send_media"


async def test_a_picture_is_told_apart_from_text(agent, redis):
    message = await heard(agent, redis, entry(kind=Kind.UNREADABLE))
    assert message.parse_data["intent"] == {"name": "send_media", "confidence": 1.0}
    assert message.parse_data["entities"] == []


@pytest.mark.parametrize("typed", ["share_location", "send_card_number", "send_media", "/share_location"])
async def test_the_name_of_an_intent_is_only_a_text(agent, redis, typed):
    assert (await heard(agent, redis, entry(typed))).parse_data is None


@pytest.mark.parametrize("typed", ["", "my gate", "/restart"])
async def test_a_location_carries_where_it_is(agent, redis, typed):
    place = {"latitude": "6.6018", "longitude": "3.3515", "address": "", "label": "Ikeja City Mall"}
    message = await heard(agent, redis, entry(typed, Kind.LOCATION, data=place))
    assert message.parse_data["intent"] == {"name": "share_location", "confidence": 1.0}
    assert message.parse_data["entities"] == []
    assert message.metadata["event"] == place
    assert not message.metadata["notice"], "the customer sent it"


@pytest.mark.parametrize("typed", ["[card]", "2 burgers and pay with [card]", "/restart [card]"])
async def test_whatever_else_was_said_a_card_number_is_what_it_is_about(agent, redis, typed):
    message = await heard(agent, redis, entry(typed, Kind.CARD_NUMBER))
    assert message.parse_data["intent"] == {"name": "send_card_number", "confidence": 1.0}
    assert message.parse_data["entities"] == []
    assert message.metadata["event"] is None


async def test_an_event_carries_its_own_intent_and_values(agent, redis):
    data = {"order_number": "K7M2PX", "amount": "5912.50"}
    message = await heard(agent, redis, entry(kind=Kind.EVENT, event="payment_confirmed", data=data))
    assert message.parse_data["intent"]["name"] == "payment_confirmed"
    assert message.metadata["event"] == data
    assert message.metadata["notice"]


async def test_tracker_and_replies_are_committed_together(agent, redis):
    effects = await make_consumer(agent, redis).serve(entry("hi"))
    commands = committed(redis, effects)
    assert commands[0] == ("SET", TRACKER.key, TRACKER.value, "EX", TRACKER.seconds_to_live)
    replies = [command for command in commands if command[0] == "EVAL"]
    assert len(replies) == 2
    assert "SM1:0" in str(replies[0])
    assert "http://x/1.jpg" in str(replies[1])


async def test_a_turn_that_runs_twice_replies_under_the_same_ids(agent, redis):
    consumer = make_consumer(agent, redis)
    first, second = await consumer.serve(entry("hi")), await consumer.serve(entry("hi"))
    assert committed(redis, first) == committed(redis, second)


async def test_an_aborted_turn_is_asked_for_again_and_leaves_nothing(redis):
    async def abort(message: UserMessage) -> None:
        await answer_and_store(message)
        raise TurnAborted("action server answered 500")

    with pytest.raises(RetryLater, match="action server answered 500"):
        await make_consumer(Agent(abort), redis).serve(entry("hi"))
    assert current_turn.get() is None


async def test_without_a_model_the_message_waits(redis):
    async def say_nothing(_: UserMessage) -> None:
        pass

    with pytest.raises(RetryLater):
        await make_consumer(Agent(say_nothing), redis).serve(entry("hi"))


async def test_a_fault_of_rasa_is_not_swallowed(redis):
    async def fail(_: UserMessage) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await make_consumer(Agent(fail), redis).serve(entry("hi"))
    assert current_turn.get() is None


async def test_what_is_given_up_is_apologised_for_and_changes_no_tracker(agent, redis):
    effects = await make_consumer(agent, redis).give_up(entry("hi"))
    apology = committed(redis, effects)[0]
    assert "[utter_trouble]" in str(apology)
    assert agent.heard == []


async def test_buttons_go_out_as_numbered_text(redis):
    async def offer(message: UserMessage) -> None:
        buttons = [{"title": "Menu", "payload": "/browse_menu"}, {"title": "Cart", "payload": "/view_cart"}]
        await message.output_channel.send_response("ada", {"text": "Which?", "buttons": buttons})
        await message.output_channel.send_response("ada", {"text": " "})
        turn = current_turn.get()
        assert turn is not None
        turn.tracker = TRACKER

    commands = committed(
        redis,
        await make_consumer(Agent(offer), redis).serve(entry("hi")),
    )
    assert ("SET", "chatcart:choices:ada", '["/browse_menu", "/view_cart"]', "EX", 86400) in commands
    reply = next(command for command in commands if command[0] == "EVAL")
    assert "Which?\\\\n1. Menu\\\\n2. Cart" in str(reply) or "Which?\\n1. Menu\\n2. Cart" in str(reply)


async def test_a_session_that_is_to_be_forgotten_is_deleted_together_with_the_reply(redis):
    async def forget(message: UserMessage) -> None:
        await answer_and_store(message)
        turn = current_turn.get()
        assert turn is not None
        turn.tracker = StoredTracker(TRACKER.key, None, TRACKER.seconds_to_live)

    commands = committed(
        redis,
        await make_consumer(Agent(forget), redis).serve(entry("yes")),
    )
    assert commands[0] == ("DEL", TRACKER.key)
    names = [command[0] for command in commands[1:]]
    assert names == ["DEL", "DEL", "EVAL", "EVAL", "HINCRBY", "EXPIRE"], "replies and figures, no SET"


@pytest.mark.parametrize(
    ("picked", "intent", "entities"),
    [
        ("/affirm", "affirm", []),
        (
            '/browse_menu{"order_line": {"category": "Drinks"}}',
            "browse_menu",
            [{"entity": "order_line", "value": {"category": "Drinks"}}],
        ),
    ],
)
async def test_what_is_picked_is_understood_without_rasa(agent, redis, monkeypatch, picked, intent, entities):
    async def pick(_: Any, conversation: str, token: str | None, text: str) -> str | None:
        assert (conversation, token, text) == ("ada", "t" * 32, "Yes")
        return picked

    monkeypatch.setattr("dialogue.consumer.OfferedChoices.picked", pick)
    message = await heard(agent, redis, entry("Yes", choice="t" * 32))
    assert message.parse_data["intent"] == {"name": intent, "confidence": 1.0}
    assert message.parse_data["entities"] == entities
    assert message.text == "Yes"


async def understand(message: UserMessage, before: int, after: int) -> None:
    """A turn in ADDING_TO_CART, with so many misunderstandings in a row before and after it."""
    await answer_and_store(message)
    turn = current_turn.get()
    assert turn is not None
    turn.session_found = True
    turn.situation = Situation("ADDING_TO_CART", None, before)
    turn.outcome = Outcome("REVIEWING_ORDER", "checkout", after)


@pytest.mark.parametrize(
    ("before", "after", "missed"), [(0, 0, 0), (0, 1, 1), (1, 2, 1), (2, 0, 0), (1, 1, 0)]
)
async def test_a_turn_is_counted_for_prometheus_and_for_the_dashboard(redis, before, after, missed):
    registry = CollectorRegistry()
    agent = Agent(partial(understand, before=before, after=after))
    effects = await make_consumer(agent, redis, registry).serve(entry("that is all"))
    assert value(registry, "chatcart_turn_seconds_count", state="ADDING_TO_CART") == 1
    assert value(registry, "chatcart_messages_total", intent="checkout") == 1
    assert value(registry, "chatcart_not_understood_total") == missed
    assert value(registry, "chatcart_cache_requests_total", cache="session", result="hit") == 1
    moved = {"before": "ADDING_TO_CART", "after": "REVIEWING_ORDER"}
    assert value(registry, "chatcart_state_changes_total", **moved) == 1
    counted = [command[2] for command in committed(redis, effects) if command[0] == "HINCRBY"]
    assert counted == ["messages"] + ["not_understood"] * missed


async def test_what_the_shop_tells_by_itself_is_no_message_of_a_customer(agent, redis):
    told = entry(kind=Kind.EVENT, event="payment_confirmed", data={})
    commands = committed(redis, await make_consumer(agent, redis).serve(told))
    assert not [command for command in commands if command[0] == "HINCRBY"]
    assert 'asked_at\\": null' in str(commands) or '"asked_at": null' in str(commands)


async def test_an_answer_tells_when_its_question_was_taken_in(agent, redis):
    asked = Entry("1764041695123-0", "ada", entry("hi").body)
    commands = committed(redis, await make_consumer(agent, redis).serve(asked))
    first, second = (str(command) for command in commands if command[0] == "EVAL")
    assert '"asked_at": 1764041695.123' in first
    assert '"asked_at": null' in second


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One figure, as Prometheus would read it."""
    return registry.get_sample_value(name, labels)
