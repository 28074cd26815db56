"""Figures of each day, for the dashboard: messages, those not understood, and how fast we answered.

A hash per day in Redis (`chatcart:day:2026-11-25`), counted in the MULTI that commits the message anyway, so
that it costs no round trip and nothing is counted twice. The day is the shop's own.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from whatsapp.redis import RedisClient, RedisPipeline

DAYS_KEPT = 100
MESSAGES, NOT_UNDERSTOOD, WITHIN = "messages", "not_understood", "answered_within:"
BOUNDS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds; slower answers count beyond the last."""
BEYOND = "more"


@dataclass(frozen=True)
class Day:
    """The figures of one day. `answered` counts answers by the bound (seconds) that they kept; None: none."""

    on: date
    messages: int = 0
    not_understood: int = 0
    answered: Mapping[float | None, int] = field(default_factory=dict)


class DailyFigures:
    """Counts, and tells what was counted."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def count_in(self, pipeline: RedisPipeline, *, understood: bool) -> None:
        """A customer's message is served."""
        key = self._today()
        pipeline.hincrby(key, MESSAGES, 1)
        if not understood:
            pipeline.hincrby(key, NOT_UNDERSTOOD, 1)
        pipeline.expire(key, DAYS_KEPT * 24 * 3600)

    def answered_in(self, pipeline: RedisPipeline, seconds: float) -> None:
        """Twilio has our answer to a message that was taken in so long ago; infinity: it was given up."""
        place = bisect.bisect_left(BOUNDS, seconds)
        bound = str(BOUNDS[place]) if place < len(BOUNDS) else BEYOND
        key = self._today()
        pipeline.hincrby(key, WITHIN + bound, 1)
        pipeline.expire(key, DAYS_KEPT * 24 * 3600)

    async def of(self, redis: RedisClient, days: Sequence[date]) -> list[Day]:
        """The figures of these days, in their order."""
        pipeline = redis.pipeline(transaction=False)
        for day in days:
            pipeline.hgetall(_key(day))
        return [_read(day, kept) for day, kept in zip(days, await pipeline.execute(), strict=True)]

    def _today(self) -> str:
        return _key(datetime.now(self._zone).date())


def _key(day: date) -> str:
    return f"chatcart:day:{day.isoformat()}"


def _read(day: date, kept: Mapping[str, str]) -> Day:
    answered: dict[float | None, int] = {}
    for name, count in kept.items():
        if name.startswith(WITHIN):
            bound = name.removeprefix(WITHIN)
            answered[None if bound == BEYOND else float(bound)] = int(count)
    return Day(day, int(kept.get(MESSAGES, 0)), int(kept.get(NOT_UNDERSTOOD, 0)), answered)
