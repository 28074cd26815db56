"""A connection to Redis that was closed while nobody used it."""

from __future__ import annotations

from typing import Any

from settings import RedisSettings
from whatsapp.redis import connect


async def test_a_connection_that_redis_closed_is_made_anew(redis: Any, redis_server: RedisSettings) -> None:
    client = connect(redis_server)
    await client.set("greeting", "hello")
    await redis.client_kill_filter(_type="normal", skipme=True)
    assert await client.get("greeting") == "hello"
