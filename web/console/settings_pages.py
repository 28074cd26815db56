"""When the shop is open, and codes that make an order cheaper."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import discount_desk, opening_hours, weekly_hours
from shop.errors import BadInput
from shop.work import Work
from web.console.fields import amount, amount_or_none, whole_or_none
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.visit import Visit

HOURS, DISCOUNTS = "/console/hours", "/console/discounts"


class HoursPage:
    """The opening hours."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """The page, the hours, the switch for today."""
        route, post = self._console.route, ["POST"]
        return [
            route("/hours", self._show, Permission.OPENING_HOURS),
            route("/hours", self._set, Permission.OPENING_HOURS, methods=post),
            route("/hours/week", self._set_week, Permission.OPENING_HOURS, methods=post),
            route("/hours/today", self._today, Permission.OPENING_HOURS, methods=post),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        hours = await self._console.ask(opening_hours.current)
        timezone = self._console.shop.policy.timezone
        # What says more than a week (holidays, seasons) would be lost by a form that knows only days.
        week = weekly_hours.read(hours.notation) if hours.notation else dict.fromkeys(weekly_hours.DAYS, "")
        return self._console.page(
            request, visit, "hours.html", hours=hours, timezone=timezone, week=week, days=weekly_hours.DAYS
        )

    async def _set(self, request: Request, visit: Visit) -> Response:
        def set_hours(work: Work) -> str:
            opening_hours.set_notation(work, visit.who.name, visit.text("notation"))
            return "The hours are set. The bot knows them now."

        return await self._console.carry_out(visit, HOURS, "set hours", set_hours)

    async def _set_week(self, request: Request, visit: Visit) -> Response:
        """The same, day by day."""

        def set_week(work: Work) -> str:
            notation = weekly_hours.written({day: visit.text(day) for day in weekly_hours.DAYS})
            if notation == weekly_hours.NEVER:
                raise BadInput("hours", "Every day is empty. To close for good, write off below.")
            opening_hours.set_notation(work, visit.who.name, notation)
            return "The hours are set. The bot knows them now."

        return await self._console.carry_out(visit, HOURS, "set week", set_week)

    async def _today(self, request: Request, visit: Visit) -> Response:
        closed = visit.text("closed") == "yes"

        def switch(work: Work) -> str:
            opening_hours.close_today(work, visit.who.name, closed)
            return "Closed for today." if closed else "Open again, as the hours say."

        return await self._console.carry_out(visit, HOURS, "close today", switch)


class DiscountPage:
    """Discount codes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """The list, a new code, the end of one."""
        route, post = self._console.route, ["POST"]
        return [
            route("/discounts", self._show, Permission.DISCOUNTS),
            route("/discounts", self._add, Permission.DISCOUNTS, methods=post),
            route("/discounts/{discount}/end", self._end, Permission.DISCOUNTS, methods=post),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        discounts = await self._console.ask(discount_desk.discounts)
        currency = self._console.shop.policy.currency
        return self._console.page(request, visit, "discounts.html", discounts=discounts, currency=currency)

    async def _add(self, request: Request, visit: Visit) -> Response:
        def add(work: Work) -> str:
            terms = discount_desk.NewDiscount(
                code=visit.text("code"),
                kind=visit.text("kind"),
                value=amount(visit, "value", "Value"),
                minimum_amount=amount_or_none(visit, "minimum", "Minimum"),
                last_day=visit.text("last_day"),
                most_uses=whole_or_none(visit, "most_uses", "Uses"),
            )
            return f"{discount_desk.add(work, visit.who.name, terms)} can be used."

        return await self._console.carry_out(visit, DISCOUNTS, "add discount", add)

    async def _end(self, request: Request, visit: Visit) -> Response:
        discount_id = request.path_params["discount"]

        def end(work: Work) -> str:
            return f"{discount_desk.end(work, visit.who.name, discount_id)} cannot be used any more."

        return await self._console.carry_out(visit, DISCOUNTS, f"end discount {discount_id}", end)
