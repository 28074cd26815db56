"""What the workers of a queue tell Prometheus, and what a day of messages comes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from tests.whatsapp.conftest import Note, commit, until, working
from whatsapp.conversation_queue import ConversationQueue, Effects, Entry
from whatsapp.daily import DailyFigures, Day
from whatsapp.metrics import QueueMetrics
from whatsapp.worker import Handlers, RetryLater, Worker

LAGOS = "Africa/Lagos"


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty one."""
    return CollectorRegistry()


@pytest.fixture
def queue(redis) -> ConversationQueue:
    """A queue of its own."""
    return ConversationQueue(redis, "test:queue")


def watched(
    queue: ConversationQueue,
    registry: CollectorRegistry,
    *failures: Exception,
    failed: Callable[[BaseException], None] = lambda error: None,
) -> Worker:
    """A worker that fails so, one message after the other, before it serves; it gives up at once."""
    left = list(failures)

    async def serve(entry: Entry) -> Effects:
        if left:
            raise left.pop(0)
        return commit(entry)

    async def give_up(entry: Entry) -> Effects:
        return commit(entry)

    patience = 60.0 if any(isinstance(failure, RetryLater) for failure in failures) else -1.0
    watch = QueueMetrics(registry, "inbound", failed)
    return Worker(queue, Handlers(serve, give_up, patience), watch=watch)


def ended(registry: CollectorRegistry, outcome: str) -> float | None:
    labels = {"queue": "inbound", "outcome": outcome}
    return registry.get_sample_value("chatcart_queue_entries_total", labels)


async def test_a_message_that_is_served_is_counted_with_its_wait(redis, queue, registry):
    await queue.add(Note("SM1"))
    async with working(watched(queue, registry)):
        await until(lambda: _is(ended(registry, "done") == 1))
    waits = {"queue": "inbound"}
    assert registry.get_sample_value("chatcart_queue_wait_seconds_count", waits) == 1
    assert ended(registry, "repeated") == ended(registry, "given_up") == 0


async def test_a_message_that_is_repeated_is_counted_as_such_and_served_once(redis, queue, registry):
    await queue.add(Note("SM1"))
    async with working(watched(queue, registry, RetryLater("busy", 0.01), RetryLater("busy", 0.01))):
        await until(lambda: _is(ended(registry, "done") == 1))
    assert ended(registry, "repeated") == 2
    assert registry.get_sample_value("chatcart_queue_wait_seconds_count", {"queue": "inbound"}) == 1


async def test_a_message_that_is_given_up_is_counted(redis, queue, registry):
    await queue.add(Note("SM1"))
    bug, told = ValueError("a bug"), list[BaseException]()
    async with working(watched(queue, registry, bug, failed=told.append)):
        await until(lambda: _is(ended(registry, "given_up") == 1))
    assert told == [bug]


async def test_a_lost_lease_is_counted(redis, queue, registry):
    async def serve(entry: Entry) -> Effects:
        async for key in redis.scan_iter(match=f"{queue.name}:lease:*"):
            await redis.set(key, "another worker")
        return commit(entry)

    await queue.add(Note("SM1"))
    worker = Worker(queue, Handlers(serve, serve, 60.0), watch=QueueMetrics(registry, "inbound"))
    async with working(worker):
        await until(lambda: _is((ended(registry, "lease_lost") or 0) >= 1))
    assert ended(registry, "done") == 0


async def test_a_day_counts_messages_and_how_fast_they_were_answered(redis):
    figures = DailyFigures(LAGOS)
    pipeline = redis.pipeline(transaction=True)
    for understood in (True, True, False):
        figures.count_in(pipeline, understood=understood)
    for seconds in (0.1, 0.25, 0.26, 4.0, 3600.0):
        figures.answered_in(pipeline, seconds)
    await pipeline.execute()
    today = datetime.now(ZoneInfo(LAGOS)).date()
    yesterday = today - timedelta(days=1)
    assert await figures.of(redis, [yesterday, today]) == [
        Day(yesterday),
        Day(today, messages=3, not_understood=1, answered={0.25: 2, 0.5: 1, 5.0: 1, None: 1}),
    ]
    assert await redis.ttl(f"chatcart:day:{today}") > 90 * 24 * 3600


async def _is(value: Any) -> bool:
    return bool(value)
