"""The stand-in of Twilio's API, in a process of its own: takes replies, waits as long as it was told, tells.

Run with `python -m bench.channel.stand_in PORT`. A reply is told on `GET /arrivals`, one line of JSON each,
when the API's answer goes out: number, text, and the time on the clock that all processes share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import uvicorn

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ARRIVALS, DELAY = "/arrivals", "/delay/"
LISTENING = "listening"
"""The first line of `/arrivals`: whoever has read it misses nothing."""
MESSAGES = "/Messages.json"


class StandIn:
    """An ASGI application without a framework: it must not be what is measured."""

    def __init__(self) -> None:
        self._delay_seconds = 0.0
        self._followers: set[asyncio.Queue[str]] = set()
        self._count = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, method = scope["path"], scope["method"]
        if path == ARRIVALS:
            await self._follow(receive, send)
        elif path.startswith(DELAY):
            self._delay_seconds = float(path.removeprefix(DELAY)) / 1000
            await _answer(send, 200, {})
        elif path.endswith(MESSAGES) and method == "POST":
            await self._create(await _body(receive), send)
        elif path.endswith(MESSAGES):
            await _answer(send, 200, {"messages": [], "next_page_uri": None, "page": 0})
        else:
            await _answer(send, 404, {"code": 20404, "message": "not found", "status": 404})

    async def _create(self, body: bytes, send: Send) -> None:
        fields = parse_qs(body.decode())
        to = fields["To"][0]
        self._count += 1
        if self._delay_seconds:
            await asyncio.sleep(self._delay_seconds)
        text = fields.get("Body", [""])[0]
        told = json.dumps({"number": to.rpartition(":")[2], "at": time.monotonic(), "text": text})
        for follower in self._followers:
            follower.put_nowait(f"{told}\n")
        resource = {
            "sid": f"SM{self._count:032x}",
            "to": to,
            "from": fields["From"][0],
            "body": text,
            "status": "queued",
        }
        await _answer(send, 201, resource)

    async def _follow(self, receive: Receive, send: Send) -> None:
        lines: asyncio.Queue[str] = asyncio.Queue()
        self._followers.add(lines)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            lines.put_nowait(f"{LISTENING}\n")
            while not gone.done():
                line = asyncio.create_task(lines.get())
                await asyncio.wait({line, gone}, return_when=asyncio.FIRST_COMPLETED)
                if line.done():
                    await send(
                        {"type": "http.response.body", "body": line.result().encode(), "more_body": True}
                    )
                else:
                    line.cancel()
        finally:
            self._followers.discard(lines)
            gone.cancel()


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until told to stop."""
    uvicorn.run(
        StandIn(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
