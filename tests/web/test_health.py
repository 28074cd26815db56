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
from whatsapp.redis import SENDER_BEAT_KEY, connection_options

NOWHERE = "1"


def test_a_process_that_answers_lives(web):
    answer = web.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


PARTS = ("postgresql", "redis", "actions", "rasa", "handlers", "sender", "messages")
ALL_OK = {
    "status": "ok",
    **dict.fromkeys(PARTS, "ok"),
    "model": "chatcart-1.tar.gz",
    "oldest_seconds": {"inbound": 0.0, "outbound": 0.0},
}
RASA = b'{"status": "ok", "model": "chatcart-1.tar.gz", "actions": ["action_checkout", "action_menu"]}'
HANDLERS = b'[{"name": "action_menu"}, {"name": "action_checkout"}, {"name": "action_more"}]'
UNKNOWN_MODEL = {"model": None, "handlers": "unknown"}


class Part(BaseHTTPRequestHandler):
    """A part that answers as told."""

    answers: ClassVar[dict[str, tuple[int, bytes]]]

    def do_GET(self) -> None:
        """Answer."""
        status, body = self.answers[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def rasa(reachable, redis_settings, monkeypatch) -> Iterator[dict[str, tuple[int, bytes]]]:
    """Where Rasa and the action server are, by path; what they answer can be changed. The sender beats."""
    answers = {
        "/webhooks/whatsapp/": (200, RASA),
        "/ready": (200, b'{"status": "ok"}'),
        "/actions": (200, HANDLERS),
    }
    kinds = [type(name, (Part,), {"answers": answers}) for name in ("Actions", "Rasa")]
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in kinds]
    for name, server in zip(("ACTIONS_URL", "RASA_URL"), servers, strict=True):
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    redis = Redis(**connection_options(redis_settings))
    redis.set(SENDER_BEAT_KEY, "1", ex=60)
    yield answers
    redis.delete(SENDER_BEAT_KEY)
    redis.close()
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
    unknown = {"sender": "unknown", "messages": "unknown"}
    waits = {"inbound": None, "outbound": None}
    told = {**ALL_OK, "status": "not ready", "redis": "out of reach", **unknown, "oldest_seconds": waits}
    assert ready() == (503, told)


@pytest.mark.parametrize(
    ("name", "value", "part", "unknown"),
    [
        ("DATABASE_URL", f"postgresql://shop:secret@127.0.0.1:{NOWHERE}/shop", "postgresql", {}),
        ("ACTIONS_URL", f"http://127.0.0.1:{NOWHERE}", "actions", {"handlers": "unknown"}),
        ("RASA_URL", f"http://127.0.0.1:{NOWHERE}", "rasa", UNKNOWN_MODEL),
    ],
)
def test_without_one_of_its_parts_it_is_not_ready(rasa, monkeypatch, name, value, part, unknown):
    monkeypatch.setenv(name, value)
    assert ready() == (503, {**ALL_OK, "status": "not ready", part: "out of reach", **unknown})


def test_without_a_sender_it_is_not_ready(rasa, redis_settings):
    with Redis(**connection_options(redis_settings)) as redis:
        redis.delete(SENDER_BEAT_KEY)
    assert ready() == (503, {**ALL_OK, "status": "not ready", "sender": "out of reach"})


def test_an_action_server_without_its_database_is_not_ready(rasa):
    rasa["/ready"] = (503, b'{"status": "PostgreSQL is out of reach"}')
    assert ready()[1]["actions"] == "PostgreSQL is out of reach"


def test_an_action_that_nobody_handles_is_told(rasa):
    """A model of another version: the action server would answer 404, message after message."""
    rasa["/actions"] = (200, b'[{"name": "action_menu"}]')
    told = {**ALL_OK, "status": "not ready", "handlers": "none for action_checkout"}
    assert ready() == (503, told)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, b'{"status": "no model is loaded"}'), "no model is loaded"),
        ((500, b"<html>"), "answers 500"),
    ],
)
def test_rasa_without_a_model_is_not_ready(rasa, answer, told):
    rasa["/webhooks/whatsapp/"] = answer
    assert ready() == (503, {**ALL_OK, "status": "not ready", "rasa": told, **UNKNOWN_MODEL})


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
        assert 300 <= told["oldest_seconds"][queue.partition(":")[2]] < 310
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
