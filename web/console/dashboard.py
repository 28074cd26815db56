"""The dashboard: figures of the last days as charts, each with its table.

Sales, best sellers and the funnel come from PostgreSQL; messages and response times from the counts of each
day in Redis (`whatsapp/daily.py`), so that the page works where there is no Prometheus.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

from babel.dates import format_date
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import dashboard
from shop.conversation import ConversationState as State
from shop.money import format_money
from shop.work import Work
from web.console import charts
from web.console.frame import Console, Handler
from web.console.permissions import Permission
from web.console.visit import Visit
from whatsapp.daily import BOUNDS, DailyFigures, Day
from whatsapp.redis import RedisClient

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

PATH = "/console/dashboard"
FRESH_SECONDS = 15.0
"""How old figures may be that are shown."""
PERIODS = {1: "Today", 7: "7 days", 30: "30 days"}
STEP_WORDS = {
    State.GREETING: "Wrote to us",
    State.BROWSING_PRODUCTS: "Looked at the menu",
    State.COLLECTING_QUANTITY: "Picked a product",
    State.ADDING_TO_CART: "Had something in the cart",
    State.REVIEWING_ORDER: "Saw the summary",
    State.AWAITING_PAYMENT: "Ordered, to be paid",
    State.PAYMENT_CONFIRMATION: "Said to have paid",
    State.ORDER_COMPLETE: "Order complete",
}


@dataclass(frozen=True)
class Speed:
    """Answers of some days by the seconds that they kept (None: slower than all bounds)."""

    counts: Sequence[tuple[float | None, int]]

    @property
    def total(self) -> int:
        """How many answers."""
        return sum(count for _, count in self.counts)

    def within(self, share: float) -> str:
        """The time in which this share of the answers was given, in words."""
        reached = itertools.accumulate(count for _, count in self.counts)
        for (bound, _), sofar in zip(self.counts, reached, strict=True):
            if self.total and sofar >= share * self.total:
                return _seconds(bound)
        return "–"


class DashboardPage:
    """The page, and each of its charts."""

    def __init__(self, console: Console, redis: RedisClient) -> None:
        self._console = console
        self._redis = redis
        self._daily = DailyFigures(console.shop.policy.timezone)
        self._kept: dict[tuple[str, int], tuple[float, Any]] = {}

    def routes(self) -> list[BaseRoute]:
        """The page, and an image for each chart."""
        drawn: dict[str, Handler] = {
            "sales": self._draw_sales,
            "best-sellers": self._draw_best_sellers,
            "funnel": self._draw_funnel,
            "messages": self._draw_messages,
            "answers": self._draw_answers,
        }
        route = partial(self._console.route, permission=Permission.DASHBOARD)
        images = [route(f"/dashboard/{name}.svg", draw) for name, draw in drawn.items()]
        return [route("/dashboard", self._show), *images]

    async def _show(self, request: Request, visit: Visit) -> Response:
        count = _period(request)
        days = await self._days(count)
        return self._console.page(
            request,
            visit,
            "dashboard.html",
            period=count,
            periods=PERIODS,
            sales=await self._ask(dashboard.sales, count),
            sellers=await self._ask(dashboard.best_sellers, count),
            steps=await self._ask(dashboard.funnel, count),
            step_words=STEP_WORDS,
            days=days,
            speed=speed_of(days or ()),
            speed_of_day=lambda day: speed_of([day]),
            date=_date,
        )

    async def _draw_sales(self, request: Request, _: Visit) -> Response:
        currency = self._console.shop.policy.currency
        sold = await self._ask(dashboard.sales, _period(request))
        shown = [row for row in sold if row.currency == currency]
        return charts.bars(
            [_date(row.day) for row in shown],
            {"Sales": [float(row.amount) for row in shown]},
            lambda amount: format_money(Decimal(round(amount)), currency),
        )

    async def _draw_best_sellers(self, request: Request, _: Visit) -> Response:
        sellers = await self._ask(dashboard.best_sellers, _period(request))
        return charts.lying_bars([one.name for one in sellers], [one.units for one in sellers], _whole)

    async def _draw_funnel(self, request: Request, _: Visit) -> Response:
        steps = await self._ask(dashboard.funnel, _period(request))
        words = [STEP_WORDS[step.state] for step in steps]
        return charts.lying_bars(words, [step.customers for step in steps], _whole)

    async def _draw_messages(self, request: Request, _: Visit) -> Response:
        days = await self._days(_period(request)) or []
        understood = [day.messages - day.not_understood for day in days]
        return charts.bars(
            [_date(day.on) for day in days],
            {"Understood": understood, "Not understood": [day.not_understood for day in days]},
            _whole,
        )

    async def _draw_answers(self, request: Request, _: Visit) -> Response:
        speed = speed_of(await self._days(_period(request)) or [])
        labels = [_seconds(bound) for bound, _ in speed.counts]
        return charts.bars(labels, {"Answers": [count for _, count in speed.counts]}, _whole)

    async def _ask(self, question: Callable[[Work, int], Result], count: int) -> Result:
        """What the shop answers; the page and its image ask the same, one right after the other."""
        key = (question.__name__, count)
        asked, known = self._kept.get(key, (-FRESH_SECONDS, None))
        if time.monotonic() - asked < FRESH_SECONDS:
            return cast(Result, known)
        answer = await self._console.ask(question, count)
        self._kept[key] = (time.monotonic(), answer)
        return answer

    async def _days(self, count: int) -> list[Day] | None:
        """The figures of the last days; None: Redis cannot be asked."""
        days = await self._console.ask(dashboard.days_until_today, count)
        try:
            return await self._daily.of(self._redis, days)
        except (RedisError, OSError) as error:
            logger.warning("dashboard: %s", type(error).__name__)
            return None


def speed_of(days: Sequence[Day]) -> Speed:
    """How fast these days' messages were answered."""
    bounds = (*BOUNDS, None)
    return Speed([(bound, sum(day.answered.get(bound, 0) for day in days)) for bound in bounds])


def _period(request: Request) -> int:
    """The days that are asked for; the address bar may say anything."""
    asked = request.query_params.get("days", "7")
    if asked not in map(str, PERIODS):
        raise HTTPException(404, "There is no such period.")
    return int(asked)


def _date(day: date) -> str:
    return str(format_date(day, "d MMM", locale="en"))


def _seconds(bound: float | None) -> str:
    return f"over {BOUNDS[-1]:g} s" if bound is None else f"{bound:g} s"


def _whole(value: float) -> str:
    return f"{value:.0f}"
