"""WhatsApp's window: for a day after a customer wrote, anything may be said; later, only templates.

Source: Twilio, "WhatsApp session" (error 63016).
"""

from __future__ import annotations

from whatsapp.redis import RedisClient, RedisPipeline

WINDOW_SECONDS = 24 * 3600


def open_in(pipeline: RedisPipeline, conversation: str) -> None:
    """The customer wrote: open the window, as a part of a MULTI."""
    pipeline.set(_key(conversation), "open", ex=WINDOW_SECONDS)


def forget_in(pipeline: RedisPipeline, conversation: str) -> None:
    """Forget that the customer wrote, as a part of a MULTI."""
    pipeline.delete(_key(conversation))


async def is_open(redis: RedisClient, conversation: str) -> bool:
    """Whether the customer wrote within a day."""
    return bool(await redis.exists(_key(conversation)))


async def seconds_left(redis: RedisClient, conversation: str) -> int:
    """How long the window stays open; 0: it is closed."""
    return max(int(await redis.ttl(_key(conversation))), 0)


def _key(conversation: str) -> str:
    return f"chatcart:window:{conversation}"
