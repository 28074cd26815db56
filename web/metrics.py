"""`/metrics` of the web app: its own figures, and how the shop and the queues stand when it is asked.

The queues are told here and not by who serves them, so that a queue that nobody serves is seen, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings.metrics import CONTENT_TYPE, FAST, FORWARDED, PATH, exposed
from shop import standing
from shop.errors import describe
from shop.service import Shop
from shop.standing import Standing
from whatsapp.conversation_queue import inbound_queue, outbound_queue
from whatsapp.deliveries import COUNTERS_KEY
from whatsapp.redis import CACHE_COUNTERS_KEY, SENDER_BEAT_KEY, RedisClient

logger = logging.getLogger(__name__)

AREAS = ("console", "payments", "receipts", "health", "static", "pictures", "local-whatsapp", "metrics")
"""First parts of paths; every other path is `other`."""


@dataclass(frozen=True)
class Queue:
    """How many entries wait, and for how many seconds the oldest."""

    entries: int
    oldest_seconds: float


@dataclass(frozen=True)
class InRedis:
    """What Redis is asked for."""

    queues: Mapping[str, Queue]
    cache: Mapping[str, str]
    deliveries: Mapping[str, str]
    sender_beats: bool


class MetricsPage:
    """Answers Prometheus."""

    def __init__(self, shop: Shop, redis: RedisClient, registry: CollectorRegistry) -> None:
        self._shop = shop
        self._redis = redis
        self._registry = registry

    def routes(self) -> list[BaseRoute]:
        """The page."""
        return [Route(PATH, self._tell)]

    async def _tell(self, request: Request) -> Response:
        """Everything, for who asks from the inside."""
        if FORWARDED in request.headers:
            return PlainTextResponse("not found", status_code=404)
        stands, in_redis = await asyncio.gather(self._standing(), self._in_redis())
        snapshot = CollectorRegistry()
        snapshot.register(Snapshot(stands, in_redis))
        return Response(exposed(self._registry) + exposed(snapshot), media_type=CONTENT_TYPE)

    async def _standing(self) -> Standing | None:
        try:
            return await asyncio.to_thread(self._shop.run, standing.read, "standing")
        except SQLAlchemyError as error:
            logger.warning("metrics: %s", describe(error))
            return None

    async def _in_redis(self) -> InRedis | None:
        try:
            queues = {
                "inbound": await self._queue(inbound_queue(self._redis)),
                "outbound": await self._queue(outbound_queue(self._redis)),
            }
            return InRedis(
                queues,
                await self._redis.hgetall(CACHE_COUNTERS_KEY),
                await self._redis.hgetall(COUNTERS_KEY),
                bool(await self._redis.exists(SENDER_BEAT_KEY)),
            )
        except (RedisError, OSError) as error:
            logger.warning("metrics: %s", type(error).__name__)
            return None

    async def _queue(self, queue: Any) -> Queue:
        since = await queue.oldest()
        return Queue(await queue.length(), max(0.0, time.time() - since) if since else 0.0)


class Snapshot(Collector):
    """Figures that were read a moment ago; what could not be read is missing, and told so."""

    def __init__(self, stands: Standing | None, in_redis: InRedis | None) -> None:
        self._stands = stands
        self._in_redis = in_redis

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        reached = GaugeMetricFamily("chatcart_store_up", "Whether the store answered.", labels=["store"])
        reached.add_metric(["postgresql"], float(self._stands is not None))
        reached.add_metric(["redis"], float(self._in_redis is not None))
        yield reached
        if self._stands is not None:
            yield from _of_the_shop(self._stands)
        if self._in_redis is not None:
            yield from _of_redis(self._in_redis)


def _of_the_shop(stands: Standing) -> Iterator[Metric]:
    for name, help_text, counted in (
        ("orders", "Orders that are not settled.", stands.open_orders),
        ("payments", "Payments that are not decided.", stands.open_payments),
        ("refunds", "Refunds that are under way or failed.", stands.open_refunds),
        ("handoffs", "Conversations that wait for a person, or are with one.", stands.open_handoffs),
        ("recent_orders", "Orders made within 24 hours, as they are now.", stands.recent_orders),
    ):
        yield _by_label(f"chatcart_{name}", help_text, "status", counted)
    sales = GaugeMetricFamily(
        "chatcart_recent_sales", "What was sold within 24 hours, in units of money.", labels=["currency"]
    )
    for currency, amount in stands.recent_sales.items():
        sales.add_metric([currency], float(amount))
    yield sales
    yield GaugeMetricFamily("chatcart_outbox_events", "Events that are not told yet.", value=stands.untold)
    yield GaugeMetricFamily(
        "chatcart_outbox_oldest_seconds", "How long the oldest of them waits.", value=stands.untold_seconds
    )
    yield GaugeMetricFamily(
        "chatcart_handoff_oldest_seconds",
        "How long the first customer who asked for a person has waited.",
        value=stands.handoff_seconds,
    )
    yield GaugeMetricFamily(
        "chatcart_products_sold_out", "Products on the menu of which nothing is left.", value=stands.sold_out
    )


def _of_redis(read: InRedis) -> Iterator[Metric]:
    queues = read.queues
    waiting = {name: queue.entries for name, queue in queues.items()}
    yield _by_label("chatcart_queue_waiting_entries", "Entries that wait or are in work.", "queue", waiting)
    oldest = {name: queue.oldest_seconds for name, queue in queues.items()}
    yield _by_label("chatcart_queue_oldest_seconds", "How long the oldest of them waits.", "queue", oldest)
    yield GaugeMetricFamily(
        "chatcart_sender_up", "Whether the sender gave a sign of life.", value=float(read.sender_beats)
    )
    cache = CounterMetricFamily(
        "chatcart_cache_requests", "Look-ups in Redis: found or not.", labels=["cache", "result"]
    )
    for name in ("customer", "catalogue"):
        for result, counter in (("hit", f"{name}_hits"), ("miss", f"{name}_misses")):
            cache.add_metric([name, result], float(read.cache.get(counter, 0)))
    yield cache
    deliveries = CounterMetricFamily(
        "chatcart_deliveries", "Messages that reached a status, as Twilio tells it.", labels=["status"]
    )
    errors = CounterMetricFamily(
        "chatcart_delivery_errors", "Messages that Twilio could not deliver, by its code.", labels=["code"]
    )
    for name, count in read.deliveries.items():
        kind, _, code = name.partition(":")
        (errors if code else deliveries).add_metric([code or kind], float(count))
    yield deliveries
    yield errors


def _by_label(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], float(value))
    return family


class MeasureRequests:
    """Counts answers and the time until they begin, by area, method and status.

    An error that nobody caught is answered with 500 outside of all middleware; it is counted here.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "chatcart_http_requests",
            "Requests to the web app.",
            ["area", "method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "chatcart_http_request_seconds",
            "Time until an answer begins.",
            ["area"],
            registry=registry,
            buckets=FAST,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        area = _area(scope["path"])

        counted = False

        def count(status: int) -> None:
            nonlocal counted
            counted = True
            method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
            self._requests.labels(area, method, status).inc()
            self._seconds.labels(area).observe(time.perf_counter() - began)

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_count)
        except Exception:
            if not counted:
                count(500)
            raise


def _area(path: str) -> str:
    first = path.strip("/").partition("/")[0]
    return first if first in AREAS else "other"
