"""A server of the OpenAI kind on a real socket that does what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Writer = asyncio.StreamWriter
GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
Behaviour = Callable[[dict[str, Any], Writer], Awaitable[None]]


@dataclass
class StandIn:
    """Answers each request by `behaviour`; `requests` are the bodies that came."""

    behaviour: Behaviour
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    base_url: str = ""
    at_work: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """One connection with one request."""
        task = asyncio.current_task()
        assert task is not None
        self.at_work.add(task)
        task.add_done_callback(self.at_work.discard)
        with contextlib.suppress(*GONE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1])
                for line in head.splitlines()
                if line.lower().startswith("content-length")
            )
            self.headers.append(head)
            self.requests.append(json.loads(await reader.readexactly(length)))
            await self.behaviour(self.requests[-1], writer)
        writer.close()


@contextlib.asynccontextmanager
async def standing_in(behaviour: Behaviour) -> AsyncIterator[StandIn]:
    """A server for the time of a test."""
    stand_in = StandIn(behaviour)
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    stand_in.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield stand_in
    finally:
        server.close()
        for task in stand_in.at_work:
            task.cancel()


def completion(content: str, tokens: tuple[int, int] = (200, 20)) -> bytes:
    """The body of an answer."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return json.dumps({**body, "usage": usage}).encode()


async def reply(
    writer: Writer, body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str
) -> None:
    """Write a whole answer."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


def says(command: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]) -> Behaviour:
    """Answers with a command, or with what a function makes of the question."""

    async def behave(request: dict[str, Any], writer: Writer) -> None:
        made = command(question_of(request)) if callable(command) else command
        await reply(writer, completion(json.dumps({"command": made})))

    return behave


def question_of(request: dict[str, Any]) -> dict[str, Any]:
    """The situation that a request tells of."""
    question: dict[str, Any] = json.loads(request["messages"][-1]["content"])
    return question


def key_of(question: dict[str, Any], name: str) -> str:
    """The key of a candidate by its name."""
    return next(str(one["key"]) for one in question["candidates"] if one["name"] == name)


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[StandIn]:
    """The same in a thread, for processes of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = standing_in(behaviour)
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
