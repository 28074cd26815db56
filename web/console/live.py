"""Pages that update by themselves: one watcher per process tells every open page that something changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from shop.errors import describe
from shop.service import Shop
from shop.work import Work
from web.console.frame import Console

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
PING_SECONDS = 15
STILL_SIGNED_IN_SECONDS = 20
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Watch:
    """Asks for a version while anybody listens, and wakes the listeners when it changes.

    It polls: one cheap query four times a second for a process, however many pages are open. LISTEN would
    hold a connection of its own open, which poolers do not pass on, and every change would have to remember
    to notify; a version that is read from the rows cannot be forgotten.
    """

    def __init__(self, shop: Shop, version: Callable[[Work], str], seconds: float = POLL_SECONDS) -> None:
        self._shop = shop
        self._version = version
        self._seconds = seconds
        self._known: str | None = None
        self._listeners = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def follow(self) -> AsyncIterator[str | None]:
        """The version now, and each new one; None when nothing changed for `STILL_SIGNED_IN_SECONDS`."""
        self._listeners += 1
        if self._task is None or self._task.done():
            self._known = None
            self._task = asyncio.create_task(self._poll())
        told: str | None = None
        try:
            while True:
                changed = False
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STILL_SIGNED_IN_SECONDS), self._changed:
                        while self._known in (None, told):
                            await self._changed.wait()
                        told, changed = self._known, True
                yield told if changed else None
        finally:
            self._listeners -= 1

    async def _poll(self) -> None:
        while self._listeners:
            try:
                version = await run_in_threadpool(self._shop.run, self._version)
            except Exception as error:
                logger.warning("a page's version: %s", describe(error))
                await asyncio.sleep(1.0)
                continue
            if version != self._known:
                async with self._changed:
                    self._known = version
                    self._changed.notify_all()
            await asyncio.sleep(self._seconds)


def event_stream(console: Console, request: Request, watch: Watch, event: str) -> EventSourceResponse:
    """Server-sent events: `event` with each new version, until the listener is signed out or goes. A page
    that says which version it shows (`?known=`) is not told of that one first."""

    async def events() -> AsyncIterator[ServerSentEvent]:
        known = request.query_params.get("known")
        yield ServerSentEvent(comment="here", retry=1000)
        async for version in watch.follow():
            if version is not None:
                if version != known:
                    yield ServerSentEvent(event=event, data=version)
                known = None
            elif await console.signed_in(request, touch=False) is None:
                yield ServerSentEvent(event="signed-out", data="")
                return

    return EventSourceResponse(events(), ping=PING_SECONDS, headers=HEADERS)
