"""Headers that keep pages to themselves, and a limit on what a request may carry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
MOST_UPLOADED_BYTES = 5 * 1024 * 1024 + MOST_BYTES
"""A picture or a menu of 5 MB, and the form around it."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class BodyTooLarge(Exception):
    """A request carries more than its route takes."""


class SecureHeaders:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def read_body(request: Request) -> bytes:
    """The raw body.

    Raises:
        BodyTooLarge: as soon as more than `MOST_BYTES` arrived.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BodyTooLarge()
    return body


@asynccontextmanager
async def read_form(request: Request, most_bytes: int = MOST_BYTES) -> AsyncIterator[FormData]:
    """The form of a request, with one file at most, which is gone afterwards.

    Raises:
        BodyTooLarge: before anything is read where the request says how much it is, else as soon as more
            than that arrived.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes:
        raise BodyTooLarge()
    arrived = 0

    async def receive() -> Message:
        nonlocal arrived
        message = await request.receive()
        arrived += len(message.get("body", b""))
        if arrived > most_bytes:
            raise BodyTooLarge()
        return message

    async with Request(request.scope, receive).form(
        max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_BYTES
    ) as form:
        yield form
