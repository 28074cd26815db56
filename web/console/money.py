"""Money that waits for a person: transfers to look for, payments in review, refunds to send by hand."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import order_desk, refunds
from shop.errors import NoRefund
from shop.work import Work
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.visit import Visit

PATH = "/console/payments"


class MoneyPages:
    """The page of open money."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """The page; that a refund was sent."""
        route = self._console.route
        return [
            route("/payments", self._show, Permission.ORDERS),
            route("/payments/refunds/{refund}/sent", self._sent, Permission.REFUNDS, methods=["POST"]),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        money = await self._console.ask(order_desk.open_money)
        return self._console.page(request, visit, "payments.html", open=money)

    async def _sent(self, request: Request, visit: Visit) -> Response:
        """A refund that no provider makes was made by hand."""
        refund_id = request.path_params["refund"]

        def sent(work: Work) -> str:
            try:
                refunds.finish_by_hand(work, uuid.UUID(refund_id), visit.who.name)
            except ValueError:
                raise NoRefund() from None
            return "Noted. The customer is told that the money went back."

        return await self._console.carry_out(visit, PATH, f"refund sent {refund_id}", sent)
