"""Customers who write and wait: the next message goes out when the reply to the last one has arrived."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from twilio.request_validator import RequestValidator

from bench.channel.conversation import Line
from bench.channel.running import MeasuredSystem
from bench.channel.stand_in import ARRIVALS, DELAY, LISTENING
from tests.environment import ENVIRONMENT

LOST_SECONDS = 30.0
ANSWER_SECONDS = 60.0
_numbers = itertools.count(random.randint(20_000_000, 80_000_000))


@dataclass
class Outcome:
    """What became of the messages of a load."""

    sent: int = 0
    replies: list[float] = field(default_factory=list)
    """Seconds from the post to the reply, in the order of their arrival."""
    answers: list[float] = field(default_factory=list)
    """Seconds until the webhook answered with success."""
    refused: int = 0
    unexpected: int = 0
    """Replies after the conversation."""
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    wrong: int = 0
    """Replies to something else than what was written last: an apology, or one that came too late."""
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Messages without their reply within `LOST_SECONDS`."""
        return self.sent - len(self.replies)

    @property
    def per_second(self) -> float:
        """Replies per second, from the first message to the last reply."""
        return len(self.replies) / max(self.ended - self.started, 1e-9)

    def take(self, other: Outcome) -> None:
        """Add a load that ran after this one; the pause between the two is not counted."""
        self.ended = max(self.ended, self.started) + (other.ended - other.started)
        self.sent += other.sent
        self.replies += other.replies
        self.answers += other.answers
        self.refused += other.refused
        self.unexpected += other.unexpected
        self.wrong += other.wrong
        for name, seconds in other.cpu.items():
            self.cpu[name] = self.cpu.get(name, 0.0) + seconds


class Load:
    """Writes to a system as customers do, through Twilio's signed webhook."""

    def __init__(self, session: aiohttp.ClientSession, stand_in: str) -> None:
        self._session = session
        self._stand_in = stand_in
        self._validator = RequestValidator(ENVIRONMENT["TWILIO_AUTH_TOKEN"])
        self._waiting: dict[str, asyncio.Queue[tuple[float, str]]] = {}
        self._outcome = Outcome()

    async def delay(self, milliseconds: int) -> None:
        """Let the API take so long from now on."""
        async with self._session.post(f"{self._stand_in}{DELAY}{milliseconds}") as answer:
            answer.raise_for_status()

    async def run(
        self, system: MeasuredSystem, conversations: int, lines: Sequence[Line], pause_seconds: float = 0.0
    ) -> Outcome:
        """So many new customers at once, each with the whole conversation, who pause after each reply."""
        outcome = self._outcome = Outcome()
        before = system.cpu_seconds()
        customers = (self._talk(system, outcome, lines, pause_seconds) for _ in range(conversations))
        posts = await asyncio.gather(*customers)
        outcome.ended = max(outcome.ended, outcome.started)
        await asyncio.gather(*itertools.chain.from_iterable(posts))
        outcome.cpu = {name: seconds - before[name] for name, seconds in system.cpu_seconds().items()}
        return outcome

    async def _talk(
        self, system: MeasuredSystem, outcome: Outcome, lines: Sequence[Line], pause_seconds: float
    ) -> list[asyncio.Task[None]]:
        number = f"+23480{next(_numbers):08d}"
        arrivals = self._waiting[number] = asyncio.Queue()
        posts = []
        for line in lines:
            outcome.sent += 1
            sent = time.monotonic()
            posts.append(asyncio.create_task(self._post(system, outcome, number, line.text)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOST_SECONDS):
                    arrived = await _hear(arrivals, line, outcome)
                outcome.replies.append(arrived - sent)
                outcome.ended = max(outcome.ended, arrived)
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
        outcome.unexpected += arrivals.qsize()
        self._waiting.pop(number, None)
        return posts

    async def _post(self, system: MeasuredSystem, outcome: Outcome, number: str, text: str) -> None:
        fields = _fields(number, text)
        headers = {"X-Twilio-Signature": self._validator.compute_signature(system.signed_url, fields)}
        started = time.monotonic()
        try:
            async with self._session.post(system.webhook, data=fields, headers=headers) as answer:
                await answer.read()
                if answer.ok:
                    outcome.answers.append(time.monotonic() - started)
                else:
                    outcome.refused += 1
        except (aiohttp.ClientError, TimeoutError):
            outcome.refused += 1

    async def _listen(self, stream: aiohttp.StreamReader) -> None:
        async for line in stream:
            told = json.loads(line)
            number = told["number"]
            waiting = self._waiting.get(number)
            if waiting is None:
                self._outcome.unexpected += 1
            else:
                waiting.put_nowait((told["at"], told["text"]))


@asynccontextmanager
async def open_load(stand_in: str) -> AsyncIterator[Load]:
    """A load whose replies are listened for."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        load = Load(session, stand_in)
        forever = aiohttp.ClientTimeout(total=None)
        async with session.get(f"{stand_in}{ARRIVALS}", timeout=forever) as arrivals:
            assert (await arrivals.content.readline()).decode().strip() == LISTENING
            listening = asyncio.create_task(load._listen(arrivals.content))
            try:
                yield load
            finally:
                listening.cancel()


async def _hear(arrivals: asyncio.Queue[tuple[float, str]], line: Line, outcome: Outcome) -> float:
    """When the reply to a line arrived; others are counted."""
    while True:
        arrived, reply = await arrivals.get()
        if line.hears in reply:
            return arrived
        outcome.wrong += 1


def _fields(number: str, text: str) -> dict[str, str]:
    return {
        "MessageSid": f"SM{uuid.uuid4().hex}",
        "AccountSid": ENVIRONMENT["TWILIO_ACCOUNT_SID"],
        "From": f"whatsapp:{number}",
        "To": ENVIRONMENT["TWILIO_WHATSAPP_NUMBER"],
        "ProfileName": "Ada",
        "Body": text,
        "NumMedia": "0",
    }
