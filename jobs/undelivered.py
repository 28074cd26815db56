"""Tells the shop which of its own messages did not arrive: whoever of the staff wrote one sees it."""

from __future__ import annotations

import asyncio
import functools

from shop import handoffs
from shop.service import Shop
from whatsapp.deliveries import UNDELIVERED_KEY
from whatsapp.redis import RedisClient

BATCH = 100


async def note_undelivered(shop: Shop, redis: RedisClient) -> int:
    """Note what is in the list; how many of it were messages of the staff's.

    An entry goes when it is noted: a crash in between notes it again, which changes nothing.
    """
    noted = 0
    for entry in await redis.lrange(UNDELIVERED_KEY, 0, BATCH - 1):
        message_id, _, code = entry.partition(" ")
        event_id = message_id.partition(":")[0]
        note = functools.partial(handoffs.note_undelivered, event_id=event_id, code=code)
        noted += await asyncio.to_thread(shop.run, note)
        await redis.lrem(UNDELIVERED_KEY, 1, entry)
    return noted
