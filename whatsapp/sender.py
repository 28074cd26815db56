"""The sender (WhatsAppMessageService): takes messages off the outbound stream and gives them to Twilio."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry
from requests.exceptions import RequestException

from settings import WhatsAppSettings
from whatsapp import window
from whatsapp.content import fill_notice
from whatsapp.conversation_queue import Effects, Entry, outbound_queue
from whatsapp.daily import DailyFigures
from whatsapp.deliveries import OPTED_OUT, reason, sent_in, undelivered_in
from whatsapp.identity import Identity, InvalidAddress
from whatsapp.metrics import QueueMetrics, SenderMetrics
from whatsapp.outbound import OutboundMessage
from whatsapp.pacing import Pace
from whatsapp.redis import RedisClient, RedisPipeline
from whatsapp.twilio_api import MOST_AT_ONCE, Busy, TwilioMessages, TwilioRestException
from whatsapp.worker import Handlers, RetryLater, Worker

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

GIVE_UP_SECONDS = 600.0
ATTEMPT_SECONDS = 24 * 3600
# Worth another try: too many requests, and a token that is being rotated.
TEMPORARY = (401, 429)


@dataclass(frozen=True)
class Figures:
    """Where the sender counts: for Prometheus, and for the dashboard."""

    metrics: SenderMetrics
    queue: QueueMetrics
    daily: DailyFigures

    @classmethod
    def make(
        cls,
        registry: CollectorRegistry,
        timezone: str,
        failed: Callable[[BaseException], None] = lambda error: None,
    ) -> Figures:
        """All of them, on one registry. `failed` is called with what nobody foresaw."""
        queue = QueueMetrics(registry, "outbound", failed)
        return cls(SenderMetrics(registry), queue, DailyFigures(timezone))


@dataclass(frozen=True)
class End:
    """What became of a message at Twilio: the id that it has there, or the code with which it was refused;
    neither where it was found there after a crash."""

    sid: str = ""
    refused: str = ""


class Sender:
    """Delivers each message once as far as Twilio lets anyone know.

    Creating a message is not idempotent there. So an attempt is noted before it is made, and a
    message whose earlier attempt has no known end is looked up before it is sent again.
    """

    def __init__(
        self,
        redis: RedisClient,
        identity: Identity,
        messages: TwilioMessages,
        settings: WhatsAppSettings,
        figures: Figures,
        opted_out: Callable[[str], None],
    ) -> None:
        """`opted_out` is called, in a thread, with a conversation that Twilio lets us send nothing to."""
        self._opted_out = opted_out
        self._redis = redis
        self._identity = identity
        self._messages = messages
        self._content_sids = settings.content_sids
        self._metrics = figures.metrics
        self._watch = figures.queue
        self._daily = figures.daily
        self._pace = Pace(redis, settings.most_sent_per_second)
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="twilio")

    def worker(self) -> Worker:
        """A worker that delivers what waits on the outbound stream."""
        handlers = Handlers(self.deliver, self.give_up, GIVE_UP_SECONDS)
        return Worker(outbound_queue(self._redis), handlers, watch=self._watch)

    async def deliver(self, entry: Entry) -> Effects:
        """Send one message.

        Raises:
            RetryLater: if Twilio was busy or out of reach.
        """
        message = OutboundMessage.from_json(entry.body)
        try:
            number = self._identity.unseal(message.address)
        except InvalidAddress:
            logger.error("message %s dropped: no key opens its address", message.id)
            self._metrics.sent.labels("undeliverable", "").inc()
            return _nothing_more
        started_key = f"chatcart:outbound:attempt:{message.id}"
        now = datetime.now(timezone.utc)
        earlier = await self._redis.set(started_key, now.isoformat(), nx=True, get=True, ex=ATTEMPT_SECONDS)
        if earlier and await self._arrived(number, message, datetime.fromisoformat(earlier)):
            logger.info("message %s had been sent", message.id)
            self._metrics.sent.labels("found", "").inc()
            end = End()
        else:
            end = await self._send(number, message)

        def note_end(pipeline: RedisPipeline) -> None:
            pipeline.delete(started_key)
            if message.notice and end.sid:
                sent_in(pipeline, message.id, end.sid)
            elif message.notice and end.refused:
                undelivered_in(pipeline, message.id, end.refused)
            if not end.refused and message.asked_at is not None:
                self._daily.answered_in(pipeline, time.time() - message.asked_at)

        return note_end

    async def give_up(self, entry: Entry) -> Effects:
        """Drop a message that could not be delivered for `GIVE_UP_SECONDS`; the log tells which."""
        message = OutboundMessage.from_json(entry.body)
        logger.error("message %s not delivered", message.id)
        self._metrics.sent.labels("given_up", "").inc()

        def note_end(pipeline: RedisPipeline) -> None:
            if message.notice:
                undelivered_in(pipeline, message.id)
            if message.asked_at is not None:
                self._daily.answered_in(pipeline, math.inf)

        return note_end

    async def _send(self, number: str, message: OutboundMessage) -> End:
        """Send it, once."""
        message = await self._within_window(message)
        with self._metrics.pace.time():
            await self._pace.wait()
        content = (message.content_sid, message.content_variables)
        try:
            sid = await self._ask(self._messages.create, number, message.body, message.media, *content)
        except TwilioRestException as refusal:
            self._metrics.sent.labels("refused", str(refusal.code or refusal.status)).inc()
            if refusal.status in TEMPORARY or refusal.status >= 500:
                raise RetryLater(f"Twilio answered {refusal.status}") from None
            code = str(refusal.code)
            logger.error("message %s refused by Twilio: code %s, %s", message.id, code, reason(code))
            if code == OPTED_OUT:
                await asyncio.to_thread(self._opted_out, message.conversation)
            return End(refused=code)
        self._metrics.sent.labels("sent", "").inc()
        logger.info("message %s sent as %s", message.id, sid)
        return End(sid)

    async def _within_window(self, message: OutboundMessage) -> OutboundMessage:
        """A notice for a customer who has not written for a day, as the template that may go out then."""
        if not message.notice or await window.is_open(self._redis, message.conversation):
            return message
        filled = fill_notice(message.body, self._content_sids)
        if filled is None:
            logger.warning("message %s: the window is closed, and no template is for notices", message.id)
            return message
        return replace(message, content_sid=filled[0], content_variables=filled[1])

    async def _ask(self, call: Callable[..., Answer], *args: Any) -> Answer:
        """Ask Twilio, off the event loop.

        Raises:
            TwilioRestException
            RetryLater: it is busy or out of reach.
        """
        try:
            with self._metrics.seconds.time():
                return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
        except Busy as busy:
            self._metrics.sent.labels("busy", "").inc()
            raise RetryLater(str(busy), busy.seconds) from None
        except (RequestException, OSError) as error:
            self._metrics.sent.labels("out_of_reach", "").inc()
            raise RetryLater(f"Twilio out of reach: {type(error).__name__}") from None

    async def _arrived(self, number: str, message: OutboundMessage, since: datetime) -> bool:
        try:
            return await self._ask(self._messages.was_sent, number, message.body, since)
        except TwilioRestException as refusal:
            # An API that cannot be asked: better said twice than not at all.
            logger.warning("message %s could not be looked up: %s", message.id, refusal.status)
            return False


def _nothing_more(_: RedisPipeline) -> None:
    """Only the entry's removal."""
