"""The order board: what is to be made, and one click that moves an order and tells the customer."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from db.models import OrderStatus
from shop import board, order_status
from shop.errors import CannotMove, ShopError
from shop.order_status import Decision
from shop.work import Work
from web.console.formatting import ago
from web.console.frame import Console, Flash, is_part
from web.console.live import Watch, event_stream
from web.console.permissions import Permission
from web.console.visit import Visit
from web.console.words import STATUS_WORDS, words_for

PATH = "/console/orders"
STEPS = {
    OrderStatus.PREPARING: "Start preparing",
    OrderStatus.READY: "Ready",
    OrderStatus.COMPLETED: "Handed over",
}
"""What the buttons say."""
COLUMNS = (
    ("New", "new", (OrderStatus.PLACED, OrderStatus.PAID)),
    ("Preparing", "preparing", (OrderStatus.PREPARING,)),
    ("Ready", "ready", (OrderStatus.READY,)),
)
"""The columns by title and kind, and the statuses in each."""
DONE = {
    OrderStatus.PREPARING: "is being prepared",
    OrderStatus.READY: "is ready",
    OrderStatus.COMPLETED: "is handed over",
}


class OrderBoard:
    """The board, its updates, and the moves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._watch = Watch(console.shop, board.version)

    def routes(self) -> list[BaseRoute]:
        """The page, the part of it that changes, what tells of changes, and the step of an order."""
        route = self._console.route
        return [
            route("/orders", self._show, Permission.ORDERS),
            route("/orders/board", self._part, Permission.ORDERS),
            route("/orders/events", self._events, Permission.ORDERS),
            route("/orders/{number}/move", self._move, Permission.ORDERS, methods=["POST"]),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        version = await self._console.ask(board.version)  # what changes from here on, the page is told of
        return await self._render(request, visit, "orders.html", version=version)

    async def _part(self, request: Request, visit: Visit) -> Response:
        return await self._render(request, visit, "orders_board.html")

    async def _events(self, request: Request, _: Visit) -> Response:
        return event_stream(self._console, request, self._watch, "board")

    async def _move(self, request: Request, visit: Visit) -> Response:
        """One step of an order: once, however often the form is sent; who comes second is told so."""
        number = request.path_params["number"]
        try:
            to = OrderStatus(visit.text("to"))
        except ValueError:
            raise HTTPException(400, "There is no such step") from None

        def move(work: Work) -> str:
            return order_status.advance(work, number, to, visit.who.name).value

        try:
            await self._console.once(visit, f"move {number} {to.value}", move, str)
            told = Flash("done", f"{number} {DONE.get(to, STATUS_WORDS[to.value])}. The customer is told.")
        except CannotMove as error:
            decision = await self._console.ask(order_status.latest_decision, number)
            told = Flash("refused", _too_late(error, decision))
        except ShopError as error:
            told = Flash("refused", words_for(error))
        if is_part(request):
            return await self._render(request, visit, "orders_board.html", told=told)
        return self._console.back(PATH, told.text, told.kind)

    async def _render(self, request: Request, visit: Visit, template: str, **context: Any) -> Response:
        shown = await self._console.ask(board.board)
        return self._console.page(
            request,
            visit,
            template,
            board=shown,
            columns=COLUMNS,
            steps=STEPS,
            waiting=shown.counts[OrderStatus.AWAITING_PAYMENT],
            in_review=shown.counts[OrderStatus.REVIEW],
            **context,
        )


def _too_late(error: CannotMove, decision: Decision | None) -> str:
    """Why an order does not move, and who was faster."""
    words = words_for(error)
    if decision is None:
        return words
    since = ago(decision.at)
    return f"{words} {decision.staff} decided that {'just now' if since == 'now' else since + ' ago'}."
