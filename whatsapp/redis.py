"""How a process connects to Redis or Valkey: bounded waits, so that a stalled server stalls no process."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from settings import RedisSettings

# What redis-py's commands return depends on the connection's protocol; its hints name every case.
RedisClient = Any
RedisPipeline = Any

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0

# Keys that one plane writes and the other reads.
CATALOGUE_KEY = "chatcart:catalogue"
# A customer's pseudonym follows.
CUSTOMER_KEY_PREFIX = "chatcart:customer:"
SESSION_KEY_PREFIX = "chatcart:session:"
# Hits and misses of the copies in Redis: a hash of counters.
CACHE_COUNTERS_KEY = "chatcart:cache"
SENDER_BEAT_KEY = "chatcart:sender:beat"


def connection_options(settings: RedisSettings) -> dict[str, Any]:
    """What every client of redis-py is made with, the blocking ones, too."""
    return {
        "host": settings.host or "127.0.0.1",
        "port": settings.port,
        "password": settings.password,
        "ssl": settings.ssl,
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
    }


def connect(settings: RedisSettings) -> RedisClient:
    """A client with a connection pool; connects on first use."""
    return Redis(
        **connection_options(settings),
        health_check_interval=30,
        # Once more for a connection that was closed while idle; who calls decides about the rest. Not for one
        # that does not answer: Twilio waits for 15 s in all.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[RedisConnectionError],
    )
