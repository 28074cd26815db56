"""Whether the web app lives, and whether the whole shop takes and answers messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import httpx
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from settings import Settings
from shop.service import Shop
from whatsapp.conversation_queue import ConversationQueue, inbound_queue, outbound_queue
from whatsapp.redis import SENDER_BEAT_KEY, RedisClient

OK, OUT_OF_REACH, UNKNOWN = "ok", "out of reach", "unknown"
PARTS = ("postgresql", "redis", "actions", "rasa", "handlers", "sender", "messages")
ANSWER_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 120
"""A message that waits longer waits for somebody to look: retries and apologies end sooner."""


@dataclass(frozen=True)
class Told:
    """What a part answers: `ok` or what is wrong, and what it tells besides."""

    status: str
    body: Any = None


class Health:
    """Answers for load balancers and operators."""

    def __init__(self, shop: Shop, redis: RedisClient, client: httpx.AsyncClient, settings: Settings) -> None:
        self._shop = shop
        self._redis = redis
        self._client = client
        self._actions = settings.actions_url
        self._rasa = f"{settings.rasa_url}/webhooks/whatsapp/"

    async def live(self, _: Request) -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> JSONResponse:
        """Every part answers, Rasa with a model for whose actions there are handlers, and no message waits
        for long."""
        checks: dict[str, Awaitable[Told]] = {
            "postgresql": self._postgresql(),
            "redis": self._redis_answers(),
            "actions": self._answers(f"{self._actions}/ready"),
            "rasa": self._answers(self._rasa),
            "handlers": self._answers(f"{self._actions}/actions"),
            "sender": self._sender(),
            "inbound": self._waits(inbound_queue(self._redis)),
            "outbound": self._waits(outbound_queue(self._redis)),
        }
        told = dict(zip(checks, await asyncio.gather(*checks.values()), strict=True))
        parts = {name: answer.status for name, answer in told.items()}
        parts["handlers"] = _handlers(told["rasa"], told["handlers"])
        parts["messages"] = _messages(told["inbound"], told["outbound"])
        ready = all(parts[name] == OK for name in PARTS)
        answer = {
            "status": OK if ready else "not ready",
            **{name: parts[name] for name in PARTS},
            "model": _field(told["rasa"].body, "model"),
            "oldest_seconds": {name: told[name].body for name in ("inbound", "outbound")},
        }
        return JSONResponse(answer, status_code=200 if ready else 503)

    async def _postgresql(self) -> Told:
        try:
            await asyncio.to_thread(self._shop.run, lambda work: work.session.execute(text("SELECT 1")))
        except SQLAlchemyError:
            return Told(OUT_OF_REACH)
        return Told(OK)

    async def _redis_answers(self) -> Told:
        try:
            return Told(OK if await self._redis.ping() else OUT_OF_REACH)
        except (RedisError, OSError):
            return Told(OUT_OF_REACH)

    async def _answers(self, url: str) -> Told:
        try:
            answer = await self._client.get(url, timeout=ANSWER_SECONDS)
        except httpx.HTTPError:
            return Told(OUT_OF_REACH)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success:
            return Told(OK, body)
        return Told(str(_field(body, "status") or f"answers {answer.status_code}"))

    async def _sender(self) -> Told:
        """Whether the sender gave a sign of life in the last seconds."""
        try:
            return Told(OK if await self._redis.exists(SENDER_BEAT_KEY) else OUT_OF_REACH)
        except (RedisError, OSError):
            return Told(UNKNOWN)

    async def _waits(self, queue: ConversationQueue) -> Told:
        """For how many seconds the oldest message waits, to be answered or to be sent."""
        try:
            since = await queue.oldest()
        except (RedisError, OSError):
            return Told(UNKNOWN)
        return Told(OK, round(max(0.0, time.time() - since), 1) if since is not None else 0.0)


def _messages(*queues: Told) -> str:
    """Whether a message waits for long."""
    if any(queue.status != OK for queue in queues):
        return UNKNOWN
    waits = max(queue.body for queue in queues)
    return OK if waits <= LONGEST_WAIT_SECONDS else f"the oldest waits for {waits:.0f} s"


def _handlers(rasa: Told, actions: Told) -> str:
    """Whether the action server has a handler for every action that Rasa's model may ask for."""
    needed = _field(rasa.body, "actions")
    if rasa.status != OK or actions.status != OK or not isinstance(actions.body, list) or needed is None:
        return UNKNOWN
    missing = sorted(set(needed) - {_field(action, "name") for action in actions.body})
    return OK if not missing else f"none for {', '.join(missing)}"


def _field(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None
