"""Known customers in Redis, for 24 hours since they last wrote (CUSTOMER_CACHE_HOURS).

Hits and misses are counted in the hash `chatcart:cache`, for all replicas together.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from settings import RedisSettings
from shop.known_customers import CacheUnavailable, KnownCustomer
from whatsapp.redis import CACHE_COUNTERS_KEY, CUSTOMER_KEY_PREFIX, connection_options

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 0.25
"""A cache that takes longer is slower than what it stands in for."""
PAUSE_SECONDS = 5.0
"""How long a cache that did not answer is left alone."""


class RedisCustomerCache:
    """Customers by the pseudonym of their number. Thread-safe."""

    def __init__(
        self, settings: RedisSettings, hours_to_live: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        options = {**connection_options(settings), "socket_timeout": ANSWER_SECONDS}
        self._redis = Redis(**{**options, "socket_connect_timeout": ANSWER_SECONDS})
        self._seconds_to_live = hours_to_live * 3600
        self._clock = clock
        self._left_alone_until = 0.0

    def get(self, lookup: str) -> KnownCustomer | None:
        """The customer, who is kept from now on for the full time again; None if unknown."""
        if self._clock() < self._left_alone_until:
            return None
        try:
            kept = self._redis.getex(_key(lookup), ex=self._seconds_to_live)
            self._redis.hincrby(CACHE_COUNTERS_KEY, "customer_hits" if kept else "customer_misses", 1)
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return None
        return _parse(str(kept)) if kept else None

    def put(self, lookup: str, known: KnownCustomer) -> None:
        """Keep a customer."""
        if self._clock() < self._left_alone_until:
            return
        values = {"id": str(known.id), "name": known.name, "language": known.language}
        try:
            self._redis.set(_key(lookup), json.dumps(values), ex=self._seconds_to_live)
        except (RedisError, OSError) as error:
            self._leave_alone(error)

    def forget(self, lookup: str) -> None:
        """Know a customer no more.

        Raises:
            CacheUnavailable
        """
        try:
            self._redis.delete(_key(lookup))
        except (RedisError, OSError) as error:
            raise CacheUnavailable() from error

    def _leave_alone(self, error: Exception) -> None:
        self._left_alone_until = self._clock() + PAUSE_SECONDS
        logger.warning("customer cache out of reach: %s", type(error).__name__)


def _key(lookup: str) -> str:
    return CUSTOMER_KEY_PREFIX + lookup


def _parse(kept: str) -> KnownCustomer | None:
    try:
        values = json.loads(kept)
        return KnownCustomer(uuid.UUID(values["id"]), values["name"], values["language"])
    except (ValueError, KeyError, TypeError):
        return None  # of another version: as if it were not there
