"""One order with all that became of it, and all orders, page by page."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from db.models import OrderStatus
from shop import order_desk, order_status
from shop.errors import NoOrder, ShopError
from shop.money import format_money
from shop.work import Work
from web.console.fields import amount, amount_or_none, words
from web.console.frame import Console
from web.console.orders import PATH, STEPS
from web.console.permissions import Permission
from web.console.visit import Visit

ALL = f"{PATH}/all"
REASON_CHARACTERS = 200


class OrderPages:
    """The page of an order and its decisions; the list of all."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """The list, the page, and a form for each decision."""
        route, post = self._console.route, ["POST"]
        return [
            route("/orders/all", self._list, Permission.ORDERS),
            route("/orders/{number}", self._show, Permission.ORDERS),
            route("/orders/{number}/cancel", self._cancel, Permission.ORDERS, methods=post),
            route("/orders/{number}/transfer", self._confirm_transfer, Permission.ORDERS, methods=post),
            route("/orders/{number}/accept", self._accept, Permission.REFUNDS, methods=post),
            route("/orders/{number}/refund", self._refund, Permission.REFUNDS, methods=post),
        ]

    async def _list(self, request: Request, visit: Visit) -> Response:
        """Newest first; by status; or those whose number begins like what was typed."""
        query = request.query_params
        number, status = query.get("number", "").strip(), query.get("status", "")
        if number:
            page = await self._console.ask(order_desk.search, number)
            if len(page.cards) == 1:
                return RedirectResponse(f"{PATH}/{page.cards[0].number}", status_code=303)
        else:
            statuses = [OrderStatus(status)] if status in list(OrderStatus) else []
            page = await self._console.ask(order_desk.page, statuses, query.get("after"))
        return self._console.page(
            request,
            visit,
            "orders_all.html",
            page=page,
            number=number,
            status=status,
            steps=list(OrderStatus),
        )

    async def _show(self, request: Request, visit: Visit) -> Response:
        try:
            order = await self._console.ask(order_desk.find, request.path_params["number"])
        except NoOrder:
            raise HTTPException(404, "There is no such order") from None
        return self._console.page(request, visit, "order.html", order=order, card=order.card, steps=STEPS)

    async def _cancel(self, request: Request, visit: Visit) -> Response:
        """Cancel it: units are for sale again, money goes back (only owners then), the customer is told."""
        number, may_refund = request.path_params["number"], visit.may(Permission.REFUNDS)

        def cancel(work: Work) -> str:
            reason = words(visit, "reason", "Reason", most=REASON_CHARACTERS)
            order_status.cancel(work, number, visit.who.name, reason, may_refund=may_refund)
            return f"{number} is cancelled. The customer is told."

        return await self._decide(visit, number, "cancel", cancel)

    async def _confirm_transfer(self, request: Request, visit: Visit) -> Response:
        """The money of a bank transfer is on the account."""
        number = request.path_params["number"]

        def confirm(work: Work) -> str:
            reference = words(visit, "reference", "Reference", most=40)
            came = amount(visit, "amount", "Amount")
            # What came is noted as it is only where that was asked for: most differences are typing errors.
            take = order_status.record_transfer if visit.text("record") else order_status.confirm_transfer
            outcome = take(work, reference, came, visit.who.name)
            return {
                "review": f"Noted: another amount came for {number}. An owner accepts it or sends it back.",
                "verified": f"{number} is paid. The customer is told.",
                "refund": f"{number} cannot be had any more: send the money back.",
            }.get(outcome, f"{number}: that was confirmed before. Nothing happened.")

        return await self._decide(visit, number, "confirm transfer", confirm)

    async def _accept(self, request: Request, visit: Visit) -> Response:
        """Take the money of an order in review for what it is."""
        number = request.path_params["number"]

        def accept(work: Work) -> str:
            order_status.accept_payment(work, number, visit.who.name)
            return f"{number} is paid."

        return await self._decide(visit, number, "accept", accept)

    async def _refund(self, request: Request, visit: Visit) -> Response:
        """Send money back: the amount that was typed, or all that is left."""
        number = request.path_params["number"]

        def refund(work: Work) -> str:
            wanted: Decimal | None = amount_or_none(visit, "amount", "Amount")
            reason = words(visit, "reason", "Reason", most=REASON_CHARACTERS)
            sent = order_status.refund(work, number, wanted, visit.who.name, reason)
            return f"{format_money(sent, work.policy.currency)} of {number} goes back."

        return await self._decide(visit, number, "refund", refund)

    async def _decide(
        self, visit: Visit, number: str, command: str, operation: Callable[[Work], str]
    ) -> Response:
        try:
            await self._console.ask(order_desk.find, number)
        except ShopError:
            raise HTTPException(404, "There is no such order") from None
        return await self._console.carry_out(visit, f"{PATH}/{number}", f"{command} {number}", operation)
