"""What Redis knows of customers, forgotten when the console erases one."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from settings import RedisSettings
from shop.known_customers import CacheUnavailable, KnownCustomer
from whatsapp.redis import CUSTOMER_KEY_PREFIX, SESSION_KEY_PREFIX, connection_options


class CopiesInRedis:
    """The console keeps no customer there; it takes away what the conversation's side has put there, which
    is the cached customer and the session with what was said. Thread-safe."""

    def __init__(self, settings: RedisSettings) -> None:
        self._redis = Redis(**connection_options(settings))

    def get(self, lookup: str) -> KnownCustomer | None:
        """Nobody: the console looks customers up."""
        return None

    def put(self, lookup: str, known: KnownCustomer) -> None:
        """Keeps nothing."""

    def forget(self, lookup: str) -> None:
        """Know a customer no more, nor what was said.

        Raises:
            CacheUnavailable
        """
        try:
            self._redis.delete(CUSTOMER_KEY_PREFIX + lookup, SESSION_KEY_PREFIX + lookup)
        except (RedisError, OSError) as error:
            raise CacheUnavailable() from error
