"""What asking the model may cost: how often, how many at once, and never the same twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from redis.exceptions import RedisError

from assist.failures import NotAsked
from settings import LlmSettings

COUNTER_SECONDS = 2 * 24 * 3600
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30


class Budget:
    """Counts calls by day (UTC) in Redis, for all replicas together, and for each customer."""

    def __init__(
        self, redis: Any, settings: LlmSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._redis = redis
        self._of_all = settings.daily_calls
        self._of_one = settings.daily_calls_per_customer
        self._clock = clock

    async def left(self, customer: str) -> None:
        """Look, without counting, whether a call may be made.

        Raises:
            NotAsked
        """
        try:
            of_one, of_all = await self._redis.mget(self._keys(customer))
        except (RedisError, OSError):
            raise NotAsked("not_counted") from None
        if int(of_one or 0) >= self._of_one:
            raise NotAsked("customer_budget")
        if int(of_all or 0) >= self._of_all:
            raise NotAsked("daily_budget")

    async def take(self, customer: str) -> None:
        """Count one call. What cannot be counted is not asked, and a call that the customer's own budget
        refuses is no call of the day: else one of them would use up what all have.

        Raises:
            NotAsked
        """
        own, days = self._keys(customer)
        if await self._count(own) > self._of_one:
            raise NotAsked("customer_budget")
        if await self._count(days) > self._of_all:
            raise NotAsked("daily_budget")

    def _keys(self, customer: str) -> tuple[str, str]:
        day = self._clock().strftime("%Y%m%d")
        return f"chatcart:llm:calls:{day}:{customer}", f"chatcart:llm:calls:{day}"

    async def _count(self, key: str) -> int:
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                counted, _ = await pipeline.incr(key).expire(key, COUNTER_SECONDS).execute()
        except (RedisError, OSError):
            raise NotAsked("not_counted") from None
        return int(counted)


class AnswerCache:
    """Answers in Redis by what exactly was asked: the keyed hash of it is the key, and the answer is sealed,
    so that no text stands there in clear."""

    def __init__(self, redis: Any, secret: bytes, settings: LlmSettings) -> None:
        self._redis = redis
        self._key = hmac.new(secret, b"language model cache", hashlib.sha256).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(self._key))
        self._model = settings.model
        self._seconds = settings.cache_hours * 3600

    def key_of(self, messages: list[Any], catalogue_version: str) -> str:
        """The key of a question to this model about this version of the catalogue."""
        asked = json.dumps([self._model, catalogue_version, messages], sort_keys=True).encode()
        return f"chatcart:llm:answer:{hmac.new(self._key, asked, hashlib.sha256).hexdigest()}"

    async def get(self, key: str) -> str | None:
        """What was answered before; None where nothing is known, or Redis is out of reach."""
        try:
            kept = await self._redis.get(key)
            return self._seal.decrypt(str(kept).encode()).decode() if kept else None
        except (RedisError, OSError, InvalidToken):
            return None

    async def put(self, key: str, answer: str) -> None:
        """Keep an answer, if Redis can be reached."""
        sealed = self._seal.encrypt(answer.encode()).decode()
        try:
            await self._redis.set(key, sealed, ex=self._seconds)
        except (RedisError, OSError):
            return
