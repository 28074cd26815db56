"""What breaks a part of the running system for a while, and what tells when a conversation is quiet again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import redis
from starlette.exceptions import HTTPException

from deploy.local.processes import Command
from tests.e2e.rows import pseudonym
from tests.e2e.system import READY_SECONDS, Phone, System
from tests.e2e.tap import Tap
from tests.e2e.twilio_server import free_ports
from web.local_whatsapp.phones import PhoneMessage, Phones
from whatsapp.redis import connection_options


def redis_of(system: System) -> Any:
    """A client of the system's Redis, past all taps."""
    return redis.Redis(**connection_options(system.settings.redis))


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that has to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.02)


def all_answers(system: System, *phones: Phone, seconds: float = 30.0) -> list[list[str]]:
    """What reached each phone, once nothing of its conversation waits any more: no answer comes later."""
    client = redis_of(system)
    conversations = [pseudonym(system, phone) for phone in phones]

    def nothing_waits() -> bool:
        # A turn's end moves its message from one queue to the other: asked in this order, none is missed.
        pipeline = client.pipeline(transaction=False)
        for queue in ("inbound", "outbound"):
            for conversation in conversations:
                pipeline.exists(f"chatcart:{queue}:waiting:{conversation}")
        return not any(pipeline.execute())

    until(nothing_waits, seconds, "every message is answered")
    return [[message.body for message in system.sent_to(phone.number)] for phone in phones]


def answers(phone: Phone, seconds: float = 30.0) -> list[str]:
    """The same of one phone."""
    return all_answers(phone.system, phone, seconds=seconds)[0]


def session_of(phone: Phone) -> str:
    """The conversation's session as Redis keeps it."""
    return str(redis_of(phone.system).get(f"chatcart:session:{pseudonym(phone.system, phone)}"))


def events_of(phone: Phone, kind: str) -> list[dict[str, Any]]:
    """The events of one kind in the conversation's session."""
    return [event for event in json.loads(session_of(phone))["events"] if event["event"] == kind]


class Valve:
    """Lies between a tap and its server: refuses connections, or keeps back what the server answers."""

    def __init__(self, tap: Tap) -> None:
        self.refuses = False
        self._tap = tap
        self._direct = tap._connect
        self._passing = asyncio.Event()
        self._passing.set()

    def open(self) -> None:
        """Let everything pass."""
        self.refuses = False
        self._tap._loop.call_soon_threadsafe(self._passing.set)

    def stall(self) -> None:
        """Keep back the server's answers; connections are still accepted."""
        self._tap._loop.call_soon_threadsafe(self._passing.clear)

    async def connect(self) -> tuple[Any, asyncio.StreamWriter]:
        """Connect to the server, in place of the tap's own way."""
        if self.refuses:
            raise ConnectionRefusedError
        reader, writer = await self._direct()
        return _Answers(reader, self._passing), writer


@dataclass
class _Answers:
    """A server's answers, while they may pass."""

    reader: asyncio.StreamReader
    passing: asyncio.Event

    async def read(self, most: int) -> bytes:
        chunk = await self.reader.read(most)
        await self.passing.wait()
        return chunk


@contextmanager
def redis_valve(system: System) -> Iterator[Valve]:
    """A valve between Rasa and Redis; open connections are closed, and made anew."""
    tap = system.taps["rasa_redis"]
    direct, valve = tap._connect, Valve(tap)
    tap._connect = valve.connect
    close_connections(system)
    try:
        yield valve
    finally:
        valve.open()
        tap._connect = direct


def close_connections(system: System) -> None:
    """Close every connection to Redis, from Redis' end."""
    redis_of(system).client_kill_filter(_type="normal", skipme=True)


@dataclass
class ReluctantPhones:
    """The phones behind the stand-in of Twilio; the API refuses with `refusals`, one by one, at first."""

    phones: Phones
    refusals: list[HTTPException]
    asked: list[str] = field(default_factory=list)

    async def add(self, number: str, message: PhoneMessage) -> None:
        """Put a message on a phone, in place of `Phones.add`."""
        self.asked.append(message.body)
        if self.refusals:
            raise self.refusals.pop(0)
        await Phones.add(self.phones, number, message)


@contextmanager
def another_rasa(system: System) -> Iterator[tuple[int, int]]:
    """A second Rasa server beside the first: its port and its process id."""
    (port,) = free_ports(1)
    first, its_port = system._commands["rasa"].arguments, str(system.settings.rasa_port)
    arguments = tuple(str(port) if argument == its_port else argument for argument in first)
    process = system._spawn(Command("rasa.2", arguments))
    try:
        until(lambda: _answers(process, port), READY_SECONDS, "the second Rasa is ready")
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, "the second Rasa ended"
    try:
        return httpx.get(f"http://127.0.0.1:{port}/webhooks/whatsapp/", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
