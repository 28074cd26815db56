"""Health: the process lives, and says which part it cannot reach."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from redis import Redis
from starlette.testclient import TestClient

from settings import read_settings
from web.app import make_app
from whatsapp.redis import connection_options

NOWHERE = "1"


def test_a_process_that_answers_lives(web):
    answer = web.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


ALL_OK = {"status": "ok", "postgresql": "ok", "redis": "ok", "actions": "ok", "rasa": "ok", "messages": "ok"}


class Part(BaseHTTPRequestHandler):
    """A part that answers as told."""

    answer: ClassVar[tuple[int, bytes]] = (200, b'{"status": "ok"}')

    def do_GET(self) -> None:
        """Answer."""
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def rasa(reachable, monkeypatch) -> Iterator[type[Part]]:
    """Where Rasa and the action server are; what Rasa answers can be changed."""
    kinds = [type("Actions", (Part,), {}), type("Rasa", (Part,), {})]
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in kinds]
    for name, server in zip(("ACTIONS_URL", "RASA_URL"), servers, strict=True):
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    yield kinds[1]
    for server in servers:
        server.shutdown()
        server.server_close()


def ready() -> tuple[int, dict[str, str]]:
    """What a web app of the present settings answers."""
    with TestClient(make_app(read_settings())) as web:
        assert web.get("/health/live").status_code == 200, "it lives, whatever else is down"
        answer = web.get("/health/ready")
        assert "secret" not in answer.text
        return answer.status_code, answer.json()


def test_with_everything_in_reach_it_is_ready(rasa):
    assert ready() == (200, ALL_OK)


@pytest.mark.parametrize(("name", "value"), [("REDIS_PORT", NOWHERE), ("REDIS_PASSWORD", "wrong")])
def test_without_redis_it_is_not_ready(rasa, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    told = {**ALL_OK, "status": "not ready", "redis": "out of reach", "messages": "unknown"}
    assert ready() == (503, told)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("DATABASE_URL", f"postgresql://shop:secret@127.0.0.1:{NOWHERE}/shop", "postgresql"),
        ("ACTIONS_URL", f"http://127.0.0.1:{NOWHERE}", "actions"),
        ("RASA_URL", f"http://127.0.0.1:{NOWHERE}", "rasa"),
    ],
)
def test_without_one_of_its_parts_it_is_not_ready(rasa, monkeypatch, name, value, part):
    monkeypatch.setenv(name, value)
    assert ready() == (503, {**ALL_OK, "status": "not ready", part: "out of reach"})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, b'{"status": "no model is loaded"}'), "no model is loaded"),
        ((500, b"<html>"), "answers 500"),
    ],
)
def test_rasa_without_a_model_is_not_ready(rasa, answer, told):
    rasa.answer = answer
    assert ready() == (503, {**ALL_OK, "status": "not ready", "rasa": told})


@pytest.mark.parametrize("queue", ["chatcart:inbound", "chatcart:outbound"])
def test_a_message_that_waits_for_long_is_told(rasa, redis_settings, queue):
    redis = Redis(**connection_options(redis_settings))
    minutes_ago = int(time.time() - 300) * 1000
    redis.delete(queue)  # a stream remembers its newest id, even when it is empty
    redis.xadd(queue, {"conversation": "ada", "body": "hi"}, id=f"{minutes_ago}-0")
    try:
        status, told = ready()
        assert status == 503
        assert re.fullmatch(r"the oldest waits for 30\d s", told["messages"])
    finally:
        redis.delete(queue)
        redis.close()


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/nothing-here"])
def test_every_answer_keeps_to_itself(web, path):
    headers = web.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_web_app_without_a_database_says_so_in_one_line(monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit):
        make_app(read_settings())
    told = capsys.readouterr().err
    assert told.startswith("chatcart: DATABASE_URL")
    assert told.count("\n") == 1
