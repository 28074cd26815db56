"""What every answer and every request of the web app is held to: headers that keep pages to themselves, a
limit on what a request carries, and on how often a stranger posts.

Nothing is shared across origins: there is no CORS header on any answer, so browsers refuse.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
MOST_ADDRESSES, FORGET_SECONDS = 10_000, 10.0
"""How many are remembered before those are forgotten that have not posted for a minute, and how often that is
looked at: a flood of addresses must not have every post look at all of them."""
MOST_UPLOADED_BYTES = 5 * 1024 * 1024 + MOST_BYTES
"""A picture or a menu of 5 MB, and the form around it."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), browsing-topics=(), camera=(), display-capture=(),"
    " geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
"""Where the public address is https: browsers then ask for nothing else, for a year."""
UPLOADS = ("/console/", "/local-whatsapp/")
"""Below these a route may take a picture or a menu; its page says what it takes when that is too large."""
POSTED_BY_STRANGERS = {"/payments/webhooks/": 600, "/payments/": 120, "/console/sign-in": 60}
"""Where anybody may post, and how often in a minute from one address. Providers post many from one; what is
refused they tell again, and the jobs ask them."""


class BodyTooLarge(Exception):
    """A request carries more than its route takes."""


def headers_for(public_base_url: str) -> dict[str, str]:
    """The headers of every answer."""
    return {**HEADERS, **(HSTS if public_base_url.startswith("https:") else {})}


class SecureHeaders:
    """Adds the headers to every answer that does not say otherwise itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class LimitBodies:
    """Answers 413 to a request that carries more than any route below its path takes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told_by_page = scope["path"].startswith(UPLOADS)
        most = MOST_UPLOADED_BYTES if told_by_page else MOST_BYTES
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or (int(declared) > most and not told_by_page):
            await _TOO_LARGE(scope, receive, send)
            return
        arrived, begun = 0, False

        async def receive_counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                raise BodyTooLarge()
            return message

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive_counted, send_noted)
        except BodyTooLarge:
            if begun:
                raise
            await _TOO_LARGE(scope, receive, send)


class LimitPosts:
    """Answers 429 to an address that posts too often where anybody may post.

    Each address has as many posts as a minute allows, and they come back evenly. Counted in this process:
    with more of them a stranger has more; none of it is needed for anything to be right.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        self._forgot_at = clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and not self._may(scope):
            await _TOO_OFTEN(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        place = next((path for path in POSTED_BY_STRANGERS if scope["path"].startswith(path)), None)
        if place is None:
            return True
        most, now = POSTED_BY_STRANGERS[place], self._clock()
        if len(self._left) > MOST_ADDRESSES and now - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = now
            self._left = {key: kept for key, kept in self._left.items() if now - kept[1] < 60}
        key = (place, household_of(scope["client"][0] if scope.get("client") else ""))
        left, since = self._left.get(key, (float(most), now))
        left = min(float(most), left + (now - since) * most / 60)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def household_of(address: str) -> str:
    """Where a request comes from, as it is counted: of IPv6 the network that one household has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


_TOO_LARGE = JSONResponse({"error": "too large"}, status_code=413)
_TOO_OFTEN = JSONResponse({"error": "too often"}, status_code=429, headers={"Retry-After": "10"})


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
