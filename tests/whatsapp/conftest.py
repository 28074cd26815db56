"""For the WhatsApp code, which runs on both planes: a real Redis, short waits, and workers that note
what they serve."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from settings import RedisSettings, Settings
from whatsapp import conversation_queue, worker
from whatsapp.conversation_queue import ConversationQueue, Effects, Entry
from whatsapp.identity import Identity
from whatsapp.redis import connect
from whatsapp.worker import Handlers, Worker

SERVED = "test:served"
PATIENCE_SECONDS = 8.0
ON_THE_DIALOGUE_PLANE = importlib.util.find_spec("rasa") is not None


@pytest.fixture
def redis_server(request: pytest.FixtureRequest) -> RedisSettings:
    """Where a real Redis listens; embedded on the commerce plane, else the one that is named."""
    if not ON_THE_DIALOGUE_PLANE:
        return request.getfixturevalue("redis_settings")
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if not port:
        pytest.skip("needs a Redis: CHATCART_TEST_REDIS_PORT is not set")
    return RedisSettings("127.0.0.1", int(port), os.environ.get("CHATCART_TEST_REDIS_PASSWORD"), False)


@pytest.fixture
async def redis(redis_server: RedisSettings) -> AsyncIterator[Any]:
    """An empty Redis."""
    client = connect(redis_server)
    await client.flushall()
    yield client
    await (client.aclose() if hasattr(client, "aclose") else client.close())


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases, sweeps and pauses that a test can wait for."""
    for module in (conversation_queue, worker):
        monkeypatch.setattr(module, "LEASE_MILLISECONDS", 400)
    monkeypatch.setattr(worker, "BLOCK_MILLISECONDS", 50)
    monkeypatch.setattr(worker, "IDLE_MILLISECONDS", 100)
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(worker, "RETRY_SECONDS", (0.02, 0.05))


@pytest.fixture
def identity(settings: Settings) -> Identity:
    """The identities of the test's keys."""
    return Identity(settings.privacy)


@dataclass(frozen=True)
class Note:
    """A message of one word."""

    id: str
    conversation: str = "ada"

    def to_json(self) -> str:
        """The form in which it waits."""
        return self.id


def commit(entry: Entry) -> Effects:
    """The effect of a served entry: its word, written down in Redis."""

    def effects(pipeline: Any) -> None:
        pipeline.rpush(SERVED, entry.body)

    return effects


async def serve(entry: Entry) -> Effects:
    """Serves at once."""
    return commit(entry)


def make_worker(
    queue: ConversationQueue,
    serve_entry: Callable[[Entry], Awaitable[Effects]] = serve,
    *,
    give_up: Callable[[Entry], Awaitable[Effects]] = serve,
    give_up_seconds: float = 60.0,
    most_conversations: int = 64,
) -> Worker:
    """A worker with these handlers."""
    handlers = Handlers(serve_entry, give_up, give_up_seconds)
    return Worker(queue, handlers, most_conversations=most_conversations)


@contextlib.asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Workers at work; stopped in order afterwards."""
    tasks = [asyncio.create_task(one.run()) for one in workers]
    try:
        yield tasks
        assert not any(task.done() for task in tasks), "a worker ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def served(redis: Any, count: int) -> list[str]:
    """What was served, once `count` entries were."""

    async def enough() -> bool:
        return bool(await redis.llen(SERVED) >= count)

    await until(enough)
    return list(await redis.lrange(SERVED, 0, -1))
