"""`make fuzz`: requests to the WhatsApp webhooks, each against what the channel promises.

Of every request: its answer is none of the server's failures; what Twilio did not sign leaves nothing in
Redis; what it signed is stored once per id, and was stored where the answer said so; nothing that is stored
or logged holds the sender's number. It ends with 1 at the first request that broke a promise.

    .venvs/dialogue/bin/python -m tests.fuzz.webhook --requests 100000
    .venvs/dialogue/bin/python -m tests.fuzz.webhook --seed 7 --first 4711 --requests 1    # one of them again
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import secrets
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from settings import Settings, read_settings
from tests.environment import ENVIRONMENT
from tests.fuzz.cases import NEXT_TOKEN, WEBHOOK, Case, make_case
from tests.fuzz.forms import SENDERS, national
from tests.fuzz.server import Client, named_or_own_redis, serving
from whatsapp.redis import connect

STREAM = "chatcart:inbound"
SEEN = f"{STREAM}:seen:"
PROGRESS = 10_000
MOST_SHOWN = 4000
LOGGERS = ("", "sanic.root", "sanic.error", "sanic.access")
# Pseudonyms, sealed addresses and Twilio's ids: their digits mean nothing.
UNREADABLE = re.compile(r"[0-9a-f]{64}|gAAAA[\w=-]{60,}|(?:SM|MM|AC)[0-9a-f]{32}")
NATIONAL = {national(number) for number in SENDERS}
LENGTHS = {len(number) for number in NATIONAL}


class Violation(Exception):
    """A promise was broken; the message tells how, by which request, and how to send it again."""


@dataclass
class Tally:
    """What became of a run's requests."""

    seed: int
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    stored: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def __str__(self) -> str:
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        speed = self.requests / self.seconds if self.seconds else 0
        return (
            f"{self.requests} requests (seed {self.seed}), {speed:.0f}/s; {counts}; {len(self.stored)} stored"
        )


class Log(logging.Handler):
    """What was logged since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as it would be written."""
        self._said.append(self.format(record))

    def taken(self) -> str:
        """What was logged; it is forgotten here."""
        said, self._said = "\n".join(self._said), []
        return said


def holds_a_number(text: str, numbers: Iterable[str]) -> bool:
    """Whether a text holds one of these national numbers, however it is written."""
    readable = unicodedata.normalize("NFKC", UNREADABLE.sub("", text))
    digits = "".join(str(unicodedata.decimal(sign)) for sign in readable if sign.isdecimal())
    return any(number in digits for number in numbers)


def holds_any_number(text: str) -> bool:
    """Whether a text holds any sender's number."""
    digits = re.sub(r"\D", "", UNREADABLE.sub("", text))
    return any(
        digits[at : at + length] in NATIONAL for length in LENGTHS for at in range(len(digits) - length + 1)
    )


class Fuzzer:
    """Sends the cases of one seed and looks at Redis after each."""

    def __init__(self, redis: Any, port: int, seed: int, log: Log) -> None:
        self.tally = Tally(seed)
        self._redis = redis
        self._clients = [Client(port) for _ in range(4)]
        self._log = log
        self._last = "-"
        self._keys = 0

    async def step(self, step: int) -> None:
        """Send one case.

        Raises:
            Violation
        """
        case = make_case(self.tally.seed, step)
        raw = case.raw
        answers = await asyncio.gather(
            *(client.send(raw) for client in self._clients[: case.copies]), return_exceptions=True
        )
        keys_before = self._keys
        entries = await self._look()
        broken = self._broken_by(case, answers, entries, self._keys - keys_before)
        if broken:
            raise Violation(self._told(broken, case, step))
        self.tally.requests += case.copies
        self.tally.statuses.update(answer for answer in answers if isinstance(answer, int))

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    async def sweep(self) -> None:
        """Look at all that is in Redis.

        Raises:
            Violation
        """
        ids = set()
        async for key in self._redis.scan_iter(count=1000):
            if key.startswith(SEEN):
                ids.add(key.removeprefix(SEEN))
            readable = key if key.startswith(STREAM) else f"{key} {await self._value(key)}"
            if holds_any_number(readable):
                raise Violation(f"seed {self.tally.seed}: a sender's number is in {readable[:MOST_SHOWN]!r}")
        if ids != self.tally.stored:
            raise Violation(f"seed {self.tally.seed}: ids of no message: {ids ^ self.tally.stored}")

    async def _value(self, key: str) -> Any:
        readers: dict[str, Callable[[str], Any]] = {
            "string": self._redis.get,
            "hash": self._redis.hgetall,
            "set": self._redis.smembers,
            "list": lambda name: self._redis.lrange(name, 0, -1),
            "zset": lambda name: self._redis.zrange(name, 0, -1, withscores=True),
            "stream": self._redis.xrange,
        }
        return await readers[await self._redis.type(key)](key)

    async def _look(self) -> list[dict[str, Any]]:
        """The messages that came since the last look."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xrange(STREAM, min=self._last)
            pipeline.dbsize()
            rows, self._keys = await pipeline.execute()
        if rows:
            self._last = f"({rows[-1][0]}"
        return [json.loads(values["body"]) for _, values in rows]

    def _broken_by(
        self, case: Case, answers: list[int | BaseException], entries: list[dict[str, Any]], keys: int
    ) -> str | None:
        """The promise that a case broke, if it broke one."""
        logged = self._log.taken()
        for answer in answers:
            if isinstance(answer, BaseException):
                return f"no answer: {answer!r}"
            if answer >= 500 or case.expected not in (None, answer):
                return f"answered {answer}, expected {case.expected or 'less than 500'}\n{logged}"
        if (entries or keys > 0) and not case.is_signed:
            return f"not signed, and {len(entries)} messages and {keys} keys were stored"
        if case.path != WEBHOOK and entries:
            return "a delivery callback was stored as a message"
        if holds_a_number(logged, [national(case.number)]):
            return f"the log holds the sender's number: {logged}"
        return self._broken_by_messages(case, answers, entries)

    def _broken_by_messages(
        self, case: Case, answers: list[int | BaseException], entries: list[dict[str, Any]]
    ) -> str | None:
        for entry in entries:
            if entry["id"] in self.tally.stored:
                return f"stored again: {entry['id']!r}"
            if entry["id"] not in case.ids:
                return f"stored under an id that it does not have: {entry['id']!r}"
            self.tally.stored.add(entry["id"])
            if any(holds_a_number(value, [national(case.number)]) for value in _strings(entry)):
                return f"the sender's number is stored: {entry!r}"
        if case.method == "POST" and case.path == WEBHOOK and 200 in answers:
            return None if case.ids & self.tally.stored else "answered with 200 and not stored"
        return None

    def _told(self, broken: str, case: Case, step: int) -> str:
        shown = case.raw[:MOST_SHOWN]
        again = f"--seed {self.tally.seed} --first {step} --requests 1"
        return f"{broken}\nstep {step} ({again}), {len(case.raw)} bytes:\n{shown!r}"


def _strings(value: Any) -> list[str]:
    """All texts in what JSON holds."""
    if isinstance(value, dict):
        return [*value, *(text for part in value.values() for text in _strings(part))]
    if isinstance(value, list):
        return [text for part in value for text in _strings(part)]
    return [] if value is None else [str(value)]


async def fuzz(
    settings: Settings, requests: int, seed: int, first: int = 0, report: Callable[[str], None] = print
) -> Tally:
    """Send so many requests to a server of its own; Redis is emptied before.

    Raises:
        Violation: at the first broken promise.
    """
    log, redis = Log(), connect(settings.redis)
    for name in LOGGERS:
        logging.getLogger(name).addHandler(log)
    await redis.flushall()
    async with serving(settings) as port:
        fuzzer = Fuzzer(redis, port, seed, log)
        tally, step, reported, started = fuzzer.tally, first, 0, time.monotonic()
        try:
            while tally.requests < requests:
                await fuzzer.step(step)
                step += 1
                tally.seconds = time.monotonic() - started
                if tally.requests // PROGRESS > reported:
                    reported = tally.requests // PROGRESS
                    await fuzzer.sweep()
                    report(str(tally))
            await fuzzer.sweep()
        finally:
            fuzzer.close()
            for name in LOGGERS:
                logging.getLogger(name).removeHandler(log)
            await redis.close()
    return tally


def main() -> None:
    """Fuzz, and end with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None, help="the seed of the run to repeat")
    parser.add_argument("--first", type=int, default=0, help="the step to begin with")
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    print(f"chatcart: fuzzing the webhooks with seed {seed}", flush=True)
    logging.getLogger("sanic.error").propagate = False
    with named_or_own_redis() as redis:
        os.environ.update(ENVIRONMENT, TWILIO_AUTH_TOKEN_NEXT=NEXT_TOKEN, REDIS_HOST=redis.host or "")
        os.environ.update(REDIS_PORT=str(redis.port), REDIS_PASSWORD=redis.password or "")
        try:
            tally = asyncio.run(
                fuzz(read_settings(), given.requests, seed, given.first, lambda said: print(said, flush=True))
            )
        except Violation as violation:
            sys.exit(f"chatcart: a promise is broken: {violation}")
    print(f"{tally}\nchatcart: every promise held")


if __name__ == "__main__":
    main()
