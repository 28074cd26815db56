"""Serves a conversation queue: leases conversations, repeats what failed, gives up in the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from whatsapp.conversation_queue import (
    LEASE_MILLISECONDS,
    ConversationQueue,
    Effects,
    Entry,
    LeaseLost,
)

logger = logging.getLogger(__name__)

BLOCK_MILLISECONDS = 1_000
IDLE_MILLISECONDS = 2_000
SWEEP_SECONDS = 1.5
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 3.0)


class RetryLater(Exception):
    """A handler's wish to be asked again, after `seconds` where it knows how long."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Watch(Protocol):
    """Who wants to know how it goes."""

    def waited(self, seconds: float) -> None:
        """An entry is taken up that waited for so long."""

    def ended(self, outcome: str) -> None:
        """An attempt ended: `done`, `repeated`, `given_up`, `lease_lost`, or `out_of_reach` (Redis)."""

    def failed(self, error: BaseException) -> None:
        """A handler failed of something that nobody foresaw."""


class Unwatched:
    """Nobody wants to know."""

    def waited(self, seconds: float) -> None:
        """Nothing is done with it."""

    def ended(self, outcome: str) -> None:
        """Nothing is done with it."""

    def failed(self, error: BaseException) -> None:
        """Nothing is done with it."""


@dataclass(frozen=True)
class Handlers:
    """What a worker does with an entry.

    `serve` returns the effects to commit with the entry's removal; `give_up` the effects where it
    failed for `give_up_seconds`.
    """

    serve: Callable[[Entry], Awaitable[Effects]]
    give_up: Callable[[Entry], Awaitable[Effects]]
    give_up_seconds: float


class Worker:
    """One replica's worker on one queue."""

    def __init__(
        self,
        queue: ConversationQueue,
        handlers: Handlers,
        *,
        most_conversations: int = 64,
        watch: Watch | None = None,
    ) -> None:
        self._queue = queue
        self._watch = watch or Unwatched()
        self._handlers = handlers
        self._consumer = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._slots = asyncio.Semaphore(most_conversations)
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._woken_again: set[str] = set()

    async def run(self) -> None:
        """Serve until cancelled; conversations in work are then left to the next worker."""
        try:
            await asyncio.gather(self._repeat(self._read), self._repeat(self._sweep))
        finally:
            for task in self._serving.values():
                task.cancel()
            await asyncio.gather(*self._serving.values(), return_exceptions=True)

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (RedisError, OSError) as error:
                logger.error("queue %s out of reach: %s", self._queue.name, type(error).__name__)
                await asyncio.sleep(1.0)

    async def _read(self) -> None:
        for conversation in await self._queue.read(self._consumer, 16, BLOCK_MILLISECONDS):
            await self._start(conversation)

    async def _sweep(self) -> None:
        for conversation in await self._queue.claim_idle(self._consumer, IDLE_MILLISECONDS):
            await self._start(conversation)
        await asyncio.sleep(SWEEP_SECONDS)

    async def _start(self, conversation: str) -> None:
        if conversation in self._serving:
            # The running task takes what waits, unless it is just ending: then look once more.
            self._woken_again.add(conversation)
            return
        await self._slots.acquire()
        self._serving[conversation] = asyncio.create_task(self._serve(conversation))

    async def _serve(self, conversation: str) -> None:
        try:
            await self._serve_conversation(conversation)
            while conversation in self._woken_again:
                self._woken_again.discard(conversation)
                await self._serve_conversation(conversation)
        finally:
            self._serving.pop(conversation, None)
            self._woken_again.discard(conversation)
            self._slots.release()

    async def _serve_conversation(self, conversation: str) -> None:
        token = uuid.uuid4().hex
        heart: asyncio.Task[None] | None = None
        perhaps_held = True
        try:
            entry = await self._queue.take(conversation, token)
            if entry is not None:
                heart = asyncio.create_task(self._keep(conversation, token))
            while entry is not None:
                self._watch.waited(time.time() - entry.taken_in)
                effects = await self._serve_until_done(entry)
                entry = await self._queue.finish(entry, token, effects)
                self._watch.ended("done")
            perhaps_held = False  # not got, or given back when nothing waited any more
        except LeaseLost:
            self._watch.ended("lease_lost")
            logger.warning("lost the lease of a conversation on %s", self._queue.name)
        except (RedisError, OSError) as error:
            self._watch.ended("out_of_reach")
            logger.error("queue %s out of reach: %s", self._queue.name, type(error).__name__)
        finally:
            if heart is not None:
                heart.cancel()
            # Also when stopped in the middle of leasing: a lease that nobody holds delays the next one.
            if perhaps_held:
                with contextlib.suppress(RedisError, OSError):
                    await self._queue.release(conversation, token)

    async def _serve_until_done(self, entry: Entry) -> Effects:
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                return await self._handlers.serve(entry)
            except (RedisError, OSError, LeaseLost):
                raise
            except RetryLater as wish:
                reason, pause = str(wish), wish.seconds
            except Exception as error:  # noqa: BLE001 - whatever fails, the message is kept
                logger.exception("entry %s of %s failed", entry.id, self._queue.name)
                self._watch.failed(error)
                reason, pause = type(error).__name__, None
            if time.monotonic() - started > self._handlers.give_up_seconds:
                logger.error("entry %s of %s given up: %s", entry.id, self._queue.name, reason)
                self._watch.ended("given_up")
                return await self._handlers.give_up(entry)
            logger.warning("entry %s of %s repeated: %s", entry.id, self._queue.name, reason)
            self._watch.ended("repeated")
            await asyncio.sleep(pause or RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _keep(self, conversation: str, token: str) -> None:
        while True:
            await asyncio.sleep(LEASE_MILLISECONDS / 3000)
            with contextlib.suppress(RedisError, OSError):
                await self._queue.extend(conversation, token)
