"""Whether the web app lives, and whether the whole shop takes and answers messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import httpx
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from settings import Settings
from shop.service import Shop
from whatsapp.conversation_queue import inbound_queue, outbound_queue
from whatsapp.redis import RedisClient

OK, OUT_OF_REACH = "ok", "out of reach"
ANSWER_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 120
"""A message that waits longer waits for somebody to look: retries and apologies end sooner."""


class Health:
    """Answers for load balancers and operators."""

    def __init__(self, shop: Shop, redis: RedisClient, client: httpx.AsyncClient, settings: Settings) -> None:
        self._shop = shop
        self._redis = redis
        self._client = client
        self._actions = f"{settings.actions_url}/health"
        self._rasa = f"{settings.rasa_url}/webhooks/whatsapp/"

    async def live(self, _: Request) -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> JSONResponse:
        """Every part answers, Rasa with a model, and no message waits for long."""
        checks: dict[str, Awaitable[str]] = {
            "postgresql": self._postgresql(),
            "redis": self._redis_answers(),
            "actions": self._answers(self._actions),
            "rasa": self._answers(self._rasa),
            "messages": self._messages(),
        }
        parts = dict(zip(checks, await asyncio.gather(*checks.values()), strict=True))
        ready = all(told == OK for told in parts.values())
        return JSONResponse(
            {"status": "ok" if ready else "not ready", **parts}, status_code=200 if ready else 503
        )

    async def _postgresql(self) -> str:
        try:
            await asyncio.to_thread(self._shop.run, lambda work: work.session.execute(text("SELECT 1")))
        except SQLAlchemyError:
            return OUT_OF_REACH
        return OK

    async def _redis_answers(self) -> str:
        try:
            return OK if await self._redis.ping() else OUT_OF_REACH
        except (RedisError, OSError):
            return OUT_OF_REACH

    async def _answers(self, url: str) -> str:
        try:
            answer = await self._client.get(url, timeout=ANSWER_SECONDS)
        except httpx.HTTPError:
            return OUT_OF_REACH
        if answer.is_success:
            return OK
        return _told(answer) or f"answers {answer.status_code}"

    async def _messages(self) -> str:
        """Whether one waits for long, to be answered or to be sent."""
        try:
            queues = (inbound_queue(self._redis), outbound_queue(self._redis))
            since = [oldest for queue in queues if (oldest := await queue.oldest()) is not None]
        except (RedisError, OSError):
            return "unknown"
        waits = time.time() - min(since) if since else 0
        return OK if waits <= LONGEST_WAIT_SECONDS else f"the oldest waits for {waits:.0f} s"


def _told(answer: httpx.Response) -> str | None:
    """The reason that a part gives for not being ready."""
    try:
        reason = answer.json().get("status")
    except (ValueError, AttributeError):
        return None
    return str(reason) if reason else None
