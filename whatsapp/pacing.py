"""How fast messages are handed over to Twilio: so many a second, of all senders together."""

from __future__ import annotations

import asyncio

from whatsapp.redis import RedisClient

KEY = "chatcart:outbound:next"
TAKE = """
local now = redis.call('TIME')
local present = now[1] * 1000 + now[2] / 1000
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), present)
local wait = math.ceil(slot - present)
redis.call('SET', KEYS[1], slot + ARGV[1], 'PX', wait + 60000)
return wait
"""


class Pace:
    """Hands out slots of equal length by Redis' clock; whoever takes one waits until it begins."""

    def __init__(self, redis: RedisClient, per_second: float) -> None:
        self._redis = redis
        self._milliseconds = 1000 / per_second if per_second else 0.0

    async def wait(self) -> None:
        """Wait for the next free slot; not at all where any number may be sent."""
        if not self._milliseconds:
            return
        wait = await self._redis.eval(TAKE, 1, KEY, self._milliseconds)
        await asyncio.sleep(int(wait) / 1000)
