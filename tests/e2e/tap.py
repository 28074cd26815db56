"""A tap on a connection between two parts: passes bytes on, and kills a process at a chosen moment.

So a test can end a process with SIGKILL between any two steps that touch the network, without a line
of test code in the product.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
CHUNK = 1 << 20


@dataclass
class Trap:
    """Fires once when a request holds `pattern`: before it is passed on, or after it was answered.

    It looks for `pattern` only once `armed_by` was seen, and lets the first `skip` of them pass.
    """

    pattern: bytes
    after: bool
    kill: Callable[[], None]
    armed_by: bytes = b""
    skip: int = 0
    sprung: threading.Event = field(default_factory=threading.Event)
    answer_awaited_on: Any = None

    def is_meant_by(self, chunk: bytes) -> bool:
        """Whether this is the request to fire at."""
        if self.armed_by not in chunk and self.armed_by:
            return False
        self.armed_by = b""
        if self.pattern not in chunk:
            return False
        self.skip -= 1
        return self.skip < 0


class Tap:
    """A listener in front of one server."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connect: Connect) -> None:
        self._loop = loop
        self._connect = connect
        self._trap: Trap | None = None
        self.port = 0

    def listen_tcp(self) -> int:
        """Listen on a free loopback port."""
        server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK))
        self.port = server.sockets[0].getsockname()[1]
        return self.port

    def listen_unix(self, path: Path) -> None:
        """Listen on a unix socket."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._run(asyncio.start_unix_server(self._serve, str(path), limit=CHUNK))

    def set(
        self, pattern: bytes, *, after: bool, kill: Callable[[], None], armed_by: bytes = b"", skip: int = 0
    ) -> Trap:
        """Set a trap; it replaces one that did not fire."""
        trap = Trap(pattern, after, kill, armed_by, skip)
        self._loop.call_soon_threadsafe(setattr, self, "_trap", trap)
        return trap

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await self._connect()
        except OSError:
            writer.close()
            return
        key = object()
        pumps = [
            asyncio.create_task(self._requests(reader, upstream_writer, key)),
            asyncio.create_task(self._answers(upstream_reader, writer, key)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for end in (writer, upstream_writer):
            with contextlib.suppress(OSError):
                end.close()

    async def _requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, key: object) -> None:
        while chunk := await source.read(CHUNK):
            trap = self._trap
            if trap is not None and trap.is_meant_by(chunk):
                if not trap.after:
                    self._spring(trap)
                    return
                trap.answer_awaited_on = key
            sink.write(chunk)
            await sink.drain()

    async def _answers(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, key: object) -> None:
        while chunk := await source.read(CHUNK):
            trap = self._trap
            if trap is not None and trap.answer_awaited_on is key:
                self._spring(trap)
                return
            sink.write(chunk)
            await sink.drain()

    def _spring(self, trap: Trap) -> None:
        self._trap = None
        trap.kill()
        trap.sprung.set()


class TapLoop:
    """The event loop on which taps run, in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def tcp(self, port: int) -> Tap:
        """A tap in front of a loopback port."""
        return Tap(self.loop, lambda: asyncio.open_connection("127.0.0.1", port, limit=CHUNK))

    def unix(self, path: Path) -> Tap:
        """A tap in front of a unix socket."""
        return Tap(self.loop, lambda: asyncio.open_unix_connection(str(path), limit=CHUNK))

    def stop(self) -> None:
        """End the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
