"""Conversations that want a person: who waits, the thread, and writing to the customer in WhatsApp."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import handoff_inbox, handoffs
from shop.errors import NotThere, ShopError
from shop.work import Work
from web.console.formatting import ago
from web.console.frame import Console, Flash, is_part
from web.console.live import Watch, event_stream
from web.console.permissions import Permission
from web.console.visit import Visit
from web.console.words import words_for
from whatsapp.deliveries import reason
from whatsapp.redaction import redact
from whatsapp.redis import RedisClient
from whatsapp.window import WINDOW_SECONDS, seconds_left

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

PATH = "/console/handoffs"
REASONS = {
    "asked": "asked for a person",
    "complaint": "complains",
    "not_understood": "was not understood",
    "staff": "written to by us",
}
NO_WORDS = {
    "media": "sent a picture, a voice note or a file: it stays on their phone, ask them to describe it",
    "too_many": "wrote more messages in a minute than are taken in",
}


class HandoffPages:
    """The inbox, one conversation, and what a person does in it."""

    def __init__(self, console: Console, redis: RedisClient, home_number: str) -> None:
        """`home_number`: the shop's own, in whose country numbers without a country code are read."""
        self._console = console
        self._redis = redis
        self._home_number = home_number
        self._watch = Watch(console.shop, handoff_inbox.version)

    def routes(self) -> list[BaseRoute]:
        """The pages, the parts of them that change, what tells of changes, and the deeds."""
        route = self._console.route
        reads: tuple[tuple[str, Any], ...] = (
            ("/handoffs", self._inbox),
            ("/handoffs/list", self._list),
            ("/handoffs/events", self._events),
            ("/handoffs/{id:uuid}", self._show),
            ("/handoffs/{id:uuid}/thread", self._thread),
        )
        does: tuple[tuple[str, Any], ...] = (
            ("/handoffs/start", self._start),
            ("/handoffs/{id:uuid}/take", self._take),
            ("/handoffs/{id:uuid}/write", self._write),
            ("/handoffs/{id:uuid}/hand-back", self._hand_back),
        )
        return [
            *(route(path, handler, Permission.HANDOFFS) for path, handler in reads),
            *(route(path, handler, Permission.HANDOFFS, methods=["POST"]) for path, handler in does),
        ]

    async def _inbox(self, request: Request, visit: Visit) -> Response:
        return await self._render_inbox(request, visit, "handoffs.html")

    async def _list(self, request: Request, visit: Visit) -> Response:
        return await self._render_inbox(request, visit, "handoffs_list.html")

    async def _events(self, request: Request, _: Visit) -> Response:
        return event_stream(self._console, request, self._watch, "inbox")

    async def _show(self, request: Request, visit: Visit) -> Response:
        return await self._render(request, visit, "handoff.html")

    async def _thread(self, request: Request, visit: Visit) -> Response:
        return await self._render(request, visit, "handoff_thread.html")

    async def _start(self, request: Request, visit: Visit) -> Response:
        """Take the conversation of a customer who may not have called anybody."""
        try:
            customer_id = uuid.UUID(visit.text("customer"))
        except ValueError:
            raise HTTPException(404) from None

        def start(work: Work) -> str:
            return str(handoffs.start(work, customer_id, visit.who.name))

        try:
            handoff_id = await self._console.once(visit, f"start {customer_id}", start, str)
        except ShopError as error:
            return self._console.refused(PATH, error)
        return self._console.back(f"{PATH}/{handoff_id}")

    async def _take(self, request: Request, visit: Visit) -> Response:
        """Take it; from whom it was shown to be with, and from nobody else."""
        instead_of = visit.text("instead_of") or None

        def take(work: Work) -> str:
            return str(handoffs.take(work, _id(request), visit.who.name, instead_of=instead_of))

        return await self._do(request, visit, "take", take, str)

    async def _write(self, request: Request, visit: Visit) -> Response:
        """Write to the customer. Numbers leave the text before anything keeps it, as in customers' texts."""
        text = redact(visit.text("text"), self._home_number, self._home_number).text

        def write(work: Work) -> None:
            handoffs.write(work, _id(request), visit.who.name, text, visit.once())

        return await self._do(request, visit, "write", write, type(None))

    async def _hand_back(self, request: Request, visit: Visit) -> Response:
        def hand_back(work: Work) -> None:
            handoffs.hand_back(work, _id(request), visit.who.name)

        try:
            await self._console.once(visit, f"hand back {_id(request)}", hand_back, type(None))
        except ShopError as error:
            return self._console.refused(f"{PATH}/{_id(request)}", error)
        return self._console.back(PATH, "The bot has the conversation again.")

    async def _do(
        self,
        request: Request,
        visit: Visit,
        what: str,
        operation: Callable[[Work], Result],
        result_type: type[Result],
    ) -> Response:
        """Do it once; then the conversation, with what was typed where the shop refuses."""
        try:
            await self._console.once(visit, f"{what} {_id(request)}", operation, result_type)
        except ShopError as error:
            flash = Flash("refused", words_for(error))
            typed = visit.text("text")
            return await self._render(request, visit, _part(request), flash=flash, typed=typed)
        if is_part(request):
            return await self._render(request, visit, _part(request))
        return self._console.back(f"{PATH}/{_id(request)}")

    async def _render_inbox(self, request: Request, visit: Visit, template: str) -> Response:
        found = await self._console.ask(handoff_inbox.inbox)
        waiting = [each for each in found if each.taken_by is None]
        taken = [each for each in found if each.taken_by is not None]
        columns = (("Waiting", "new", waiting), ("With a person", "preparing", taken))
        return self._console.page(
            request, visit, template, columns=columns, waiting=waiting, reasons=REASONS, no_words=NO_WORDS
        )

    async def _render(self, request: Request, visit: Visit, template: str, **context: Any) -> Response:
        try:
            thread = await self._console.ask(handoff_inbox.thread, str(_id(request)))
        except NotThere:
            raise HTTPException(404) from None
        return self._console.page(
            request,
            visit,
            template,
            thread=thread,
            handoff=thread.waiting,
            window=await self._window(thread.lookup),
            most_characters=handoffs.MOST_CHARACTERS,
            reasons=REASONS,
            no_words=NO_WORDS,
            why_not=why_not,
            **context,
        )

    async def _window(self, lookup: str) -> str:
        """Whether WhatsApp lets the staff write freely, in words."""
        try:
            left = await seconds_left(self._redis, lookup)
        except (RedisError, OSError) as error:
            logger.warning("window not known: %s", type(error).__name__)
            return "It cannot be said now when the customer last wrote."
        if left:
            wrote = ago(datetime.now(UTC) - timedelta(seconds=WINDOW_SECONDS - left))
            return (
                "The customer wrote just now." if wrote == "now" else f"The customer last wrote {wrote} ago."
            )
        return ""


def _id(request: Request) -> uuid.UUID:
    handoff_id = request.path_params["id"]
    assert isinstance(handoff_id, uuid.UUID)
    return handoff_id


def _part(request: Request) -> str:
    """What of the conversation's page is answered with."""
    return "handoff_conversation.html" if is_part(request) else "handoff.html"


def why_not(code: str) -> str:
    """Why a message did not arrive, in words."""
    return f"{reason(code)} ({code})" if code else "WhatsApp was out of reach for ten minutes"
