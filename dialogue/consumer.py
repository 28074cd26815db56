"""The stream's consumer (MessageProcessingService): from a waiting message to a committed turn."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.at_work import AtWork
from dialogue.metrics import DialogueMetrics
from dialogue.turn import StoredTracker, Turn, TurnAborted, TurnOutput, current_turn
from settings import CONVERSATIONS_AT_ONCE, Settings
from settings.logs import shortened
from whatsapp import window
from whatsapp.choices import OfferedChoices, read_payload
from whatsapp.conversation_queue import Effects, Entry, inbound_queue, outbound_queue
from whatsapp.daily import DailyFigures
from whatsapp.inbound import InboundMessage, Kind
from whatsapp.outbound import Answered, Reply, compose
from whatsapp.redis import RedisClient, RedisPipeline
from whatsapp.worker import Handlers, RetryLater, Worker

logger = logging.getLogger(__name__)

GIVE_UP_SECONDS = 30.0
TROUBLE_RESPONSE = "utter_trouble"
# Messages that are told apart before Rasa parses: nobody can type these intents.
INTENTS = {
    Kind.UNREADABLE: "send_media",
    Kind.LOCATION: "share_location",
    Kind.CARD_NUMBER: "send_card_number",
    Kind.TOO_MANY: "send_too_many",
}
COMMAND_PREFIX = re.compile(r"\A[\s/]+")


class Consumer:
    """Hands waiting messages to Rasa and commits what they led to."""

    def __init__(
        self, agent: Agent, redis: RedisClient, settings: Settings, metrics: DialogueMetrics
    ) -> None:
        self._agent = agent
        self._metrics = metrics
        self._daily = DailyFigures(settings.shop.timezone)
        self._inbound = inbound_queue(redis)
        self._outbound = outbound_queue(redis)
        self._choices = OfferedChoices(redis, settings.privacy.phone_index_key)
        self._content_sids = settings.whatsapp.content_sids
        self._at_work = AtWork()

    def worker(self) -> Worker:
        """A worker on the inbound stream."""
        handlers = Handlers(self.serve, self.give_up, GIVE_UP_SECONDS)
        return Worker(
            self._inbound, handlers, most_conversations=CONVERSATIONS_AT_ONCE, watch=self._metrics.inbound
        )

    async def serve(self, entry: Entry) -> Effects:
        """Run one message through Rasa; the returned effects store the tracker and the replies.

        Raises:
            RetryLater: if a part failed; nothing was written on this plane.
        """
        message = InboundMessage.from_json(entry.body)
        picked = await self._choices.picked(message.conversation, message.choice, message.text)
        async with self._at_work.place() as place:
            turn = Turn(place)
            began = time.monotonic()
            context = current_turn.set(turn)
            try:
                await self._agent.handle_message(_user_message(message, turn, picked))
            except TurnAborted as abort:
                raise RetryLater(str(abort)) from abort
            finally:
                current_turn.reset(context)
        if turn.tracker is None:
            raise RetryLater("no model is loaded")
        seconds = time.monotonic() - began
        self._metrics.served(turn, seconds)
        _log_served(message, turn, seconds)
        return self._effects(entry, message, turn)

    async def give_up(self, entry: Entry) -> Effects:
        """Apologise for a message that could not be served; the conversation stays as it was."""
        message = InboundMessage.from_json(entry.body)
        session = await self._agent.tracker_store.retrieve(message.conversation)
        tracker = session or DialogueStateTracker.from_events(message.conversation, [])
        apology = await self._agent.nlg.generate(TROUBLE_RESPONSE, tracker, TurnOutput.name())
        apologetic = Turn(replies=[Reply(str((apology or {}).get("text", "")))])
        return self._effects(entry, message, apologetic)

    def _effects(self, entry: Entry, message: InboundMessage, turn: Turn) -> Effects:
        notice = message.kind is Kind.EVENT
        offered = next((len(reply.choices) for reply in reversed(turn.replies) if reply.choices), 0)
        composed = compose(
            turn.replies,
            Answered(message.id, message.conversation, message.address, entry.taken_in, notice),
            self._content_sids,
            [self._choices.token(message.id, position) for position in range(offered)],
        )

        def commit(pipeline: RedisPipeline) -> None:
            if turn.tracker is not None:
                self._keep(pipeline, message, turn.tracker)
                self._choices.keep_in(pipeline, message.conversation, composed.buttons, composed.numbered)
            for reply in composed.messages:
                self._outbound.add_in(pipeline, reply)
            if not notice:
                self._daily.count_in(pipeline, understood=turn.was_understood)

        return commit

    @staticmethod
    def _keep(pipeline: RedisPipeline, message: InboundMessage, tracker: StoredTracker) -> None:
        if tracker.value is None:
            pipeline.delete(tracker.key)
            window.forget_in(pipeline, message.conversation)
            return
        pipeline.set(tracker.key, tracker.value, ex=tracker.seconds_to_live)
        if message.kind is not Kind.EVENT:
            window.open_in(pipeline, message.conversation)


def _log_served(message: InboundMessage, turn: Turn, seconds: float) -> None:
    """The one line of a message; `conversation` is its pseudonym, shortened."""
    values = {
        "message_id": message.id,
        "conversation": shortened(message.conversation),
        "state_before": turn.situation.state,
        "state": turn.outcome.state,
        "intent": turn.outcome.intent,
        "milliseconds": round(seconds * 1000, 1),
    }
    logger.info("message served", extra=values)


def listen_again(
    tracker: DialogueStateTracker, output_channel: OutputChannel, nlg: NaturalLanguageGenerator
) -> None:
    """Rasa stops a turn that predicts action after action, and would stay stopped for ever: it counts
    back to the last time it listened. So it listens."""
    logger.error("a turn of %s predicted too many actions", shortened(tracker.sender_id))
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))


def _user_message(message: InboundMessage, turn: Turn, picked: str | None) -> UserMessage:
    """The message as Rasa takes it; what customers type is all that Rasa finds the intent of."""
    return UserMessage(
        text=as_text(message.text),
        output_channel=TurnOutput(turn),
        sender_id=message.conversation,
        input_channel=TurnOutput.name(),
        message_id=message.id,
        parse_data=_parse_data(message, picked),
        metadata={
            "message_id": message.id,
            "address": message.address,
            "profile_name": message.profile_name,
            "event": message.data,
            "notice": message.kind is Kind.EVENT,
        },
    )


def as_text(typed: str) -> str:
    """What a customer typed, as text: Rasa executes a leading slash, and customers have no commands."""
    return COMMAND_PREFIX.sub("", typed)


def _parse_data(message: InboundMessage, picked: str | None) -> dict | None:
    """What is understood of a message without Rasa's NLU; None where Rasa has to find out."""
    if message.kind is Kind.EVENT:
        return _understood(message, message.event)
    if message.kind in INTENTS:
        return _understood(message, INTENTS[message.kind])
    if picked is not None:
        return _understood(message, *read_payload(picked))
    if not as_text(message.text):
        return _understood(message, INTENTS[Kind.UNREADABLE])
    return None


def _understood(
    message: InboundMessage, intent: str | None, entities: Sequence[Mapping[str, Any]] = ()
) -> dict:
    return {
        "text": message.text,
        "intent": {"name": intent, "confidence": 1.0},
        "intent_ranking": [{"name": intent, "confidence": 1.0}],
        "entities": list(entities),
    }
