"""Whether the web app lives, and whether what it needs is in reach."""

from __future__ import annotations

import asyncio

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from shop.service import Shop
from whatsapp.redis import RedisClient


class Health:
    """Answers for load balancers and operators."""

    def __init__(self, shop: Shop, redis: RedisClient) -> None:
        self._shop = shop
        self._redis = redis

    async def live(self, _: Request) -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> JSONResponse:
        """PostgreSQL and Redis answer."""
        parts = {"postgresql": await self._postgresql(), "redis": await self._redis_answers()}
        ready = all(parts.values())
        told = {name: "ok" if answers else "out of reach" for name, answers in parts.items()}
        return JSONResponse(
            {"status": "ok" if ready else "not ready", **told}, status_code=200 if ready else 503
        )

    async def _postgresql(self) -> bool:
        try:
            await asyncio.to_thread(self._shop.run, lambda work: work.session.execute(text("SELECT 1")))
        except SQLAlchemyError:
            return False
        return True

    async def _redis_answers(self) -> bool:
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False
