"""The channel's real Sanic app on a loopback port, a client that sends it any bytes, and its Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from rasa.core.run import configure_app
from sanic import Sanic

from dialogue.channel import WhatsAppInput
from settings import RedisSettings, Settings

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(os.environ.get("CHATCART_VENVS", ROOT / ".venvs"))
ANSWER_SECONDS = 20.0
LONGEST_HEAD = 256 * 1024


class NoAnswer(Exception):
    """The server closed the connection, or was silent."""


class Client:
    """One keep-alive connection; it is opened again where the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> int:
        """Send a request; the status of its answer.

        Raises:
            NoAnswer
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LONGEST_HEAD)
        reader, writer = self._streams
        try:
            writer.write(request)
            status, stays_open = await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from None
        if not stays_open:
            self.close()
        return status

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of an answer, and whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    await reader.readexactly(int(lines.get(b"content-length", b"0")))
    return status, lines.get(b"connection") == b"keep-alive"


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[int]:
    """The app as `rasa run` makes it; its port. No consumer takes away what it stores."""
    Sanic.test_mode = True  # several apps of one name, one after the other, in the process of the tests
    app = configure_app([WhatsAppInput(settings)], enable_api=False)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
        await server.startup()
        try:
            yield listening.getsockname()[1]
        finally:
            await server.close()
            for connection in server.connections:
                connection.close()


@contextlib.contextmanager
def named_or_own_redis() -> Iterator[RedisSettings]:
    """The Redis that CHATCART_TEST_REDIS_PORT names, else an embedded one for as long as it is needed."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if port:
        yield RedisSettings("127.0.0.1", int(port), os.environ.get("CHATCART_TEST_REDIS_PASSWORD"), False)
        return
    process = subprocess.Popen(
        [str(VENVS / "commerce" / "bin" / "python"), "-m", "tests.fuzz.valkey"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield RedisSettings("127.0.0.1", said["port"], said["password"], False)
    finally:
        process.communicate(timeout=30)
