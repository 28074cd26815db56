"""A provider's API on 127.0.0.1 for the tests: real HTTP, and moods to be in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY = "sk_test_for_tests_only"
Reply = tuple[int, Any]


class LocalServer:
    """Answers with `answer` while it is well; `mood` makes it fail, be silent or talk nonsense.

    A mood is a raw answer (status, body), `silent`, or `deaf`: it does what was asked, but no answer
    arrives. `spoilt` holds raw answers for single requests.
    """

    def __init__(self) -> None:
        self.mood: str | tuple[int, bytes] = "well"
        self.spoilt: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.requests: list[tuple[str, str]] = []
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, path: str) -> int:
        """How often that was asked."""
        return self.requests.count((method, path))

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """What a healthy server says."""
        raise NotImplementedError

    def respond(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """What it says in its mood; None: nothing, ever."""
        parts = urlsplit(target)
        self.requests.append((method, parts.path))
        mood = self.spoilt.get((method, parts.path), self.mood)
        if isinstance(mood, tuple):
            return mood
        if self.mood != "silent":
            reply = self.answer(method, parts.path, parts.query, headers, body)
            if self.mood == "well":
                return reply
        self._stopped.wait(10)
        return None


def _handler(server: LocalServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or each answer waits 40 ms for an acknowledgement

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.respond(self.command, self.path, headers, body)
            if reply is None:
                self.close_connection = True
                return
            status, content = reply
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET: Callable[..., None] = _handle
        do_POST: Callable[..., None] = _handle

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


UNUSABLE: list[tuple[int, bytes]] = [
    (200, b""),
    (200, b"<html>login</html>"),
    (200, b"{"),
    (200, b"{}"),
    (200, b"[]"),
    (200, b"null"),
    (200, b'"x"'),
    (200, b'{"status": true, "data": {"id": "x", "amount": "12"}}'),
    (200, b"\xff\xfe"),
    (302, b""),
    (401, b'{"status": false, "message": "Invalid key", "error": {"type": "invalid_request_error"}}'),
    (403, b"[]"),
    (404, b"<html>not here</html>"),
    (429, b'{"status": false, "message": "slow down", "error": {"type": "invalid_request_error"}}'),
    (500, b'{"status": false, "error": {"message": "canary@example.com"}}'),
    (502, b"<html>bad gateway</html>"),
    (503, b""),
]
"""Answers that say nothing of a payment."""
