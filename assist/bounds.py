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

    async def take(self, customer: str) -> None:
        """Count one call. What cannot be counted is not asked.

        Raises:
            NotAsked
        """
        day = self._clock().strftime("%Y%m%d")
        keys = (f"chatcart:llm:calls:{day}:{customer}", f"chatcart:llm:calls:{day}")
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                for key in keys:
                    pipeline.incr(key)
                    pipeline.expire(key, COUNTER_SECONDS)
                of_one, _, of_all, _ = await pipeline.execute()
        except (RedisError, OSError):
            raise NotAsked("not_counted") from None
        if of_one > self._of_one:
            raise NotAsked("customer_budget")
        if of_all > self._of_all:
            raise NotAsked("daily_budget")


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
