"""What the tests of the local WhatsApp share: a webhook that listens, and the app in front of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from settings import read_settings
from web.app import make_app


class Webhook(ThreadingHTTPServer):
    """Stands where Rasa's webhook is; keeps what was posted."""

    status, document = 200, "<Response/>"

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], str | None]] = []
        super().__init__(("127.0.0.1", 0), _WebhookHandler)


class _WebhookHandler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(parse_qsl(body, keep_blank_values=True))
        self.server.posts.append((self.path, fields, self.headers["X-Twilio-Signature"]))
        document = self.server.document.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def webhook(monkeypatch) -> Iterator[Webhook]:
    """The webhook, listening; RASA_URL names it."""
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("RASA_URL", f"http://127.0.0.1:{server.server_address[1]}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def web(monkeypatch, database_url, redis_settings, webhook) -> Iterator[TestClient]:
    """The web app; its public address is not the one on which the webhook listens."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_HOST", str(redis_settings.host))
    monkeypatch.setenv("REDIS_PORT", str(redis_settings.port))
    monkeypatch.setenv("REDIS_PASSWORD", redis_settings.password or "")
    monkeypatch.setenv("BUSINESS_NAME", "Mama's <Kitchen>")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://shop.example")
    with TestClient(make_app(read_settings())) as client:
        yield client


@pytest.fixture
def listening(web) -> Iterator[httpx.Client]:
    """The same app behind a real server: a stream that does not end needs one."""
    config = uvicorn.Config(web.app, port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5.0) as client:
        yield client
    server.should_exit = True
    thread.join(5)
