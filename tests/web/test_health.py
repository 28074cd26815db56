"""Health: the process lives, and says which part it cannot reach."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from settings import read_settings
from web.app import make_app

NOWHERE = "1"


def test_a_process_that_answers_lives(web):
    answer = web.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_with_everything_in_reach_it_is_ready(web):
    answer = web.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "postgresql": "ok", "redis": "ok"}


@pytest.mark.parametrize(("name", "value"), [("REDIS_PORT", NOWHERE), ("REDIS_PASSWORD", "wrong")])
def test_without_redis_it_lives_but_is_not_ready(reachable, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with TestClient(make_app(read_settings())) as web:
        answer = web.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "postgresql": "ok", "redis": "out of reach"}
        assert web.get("/health/live").status_code == 200


def test_without_postgresql_it_lives_but_is_not_ready(reachable, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://shop:secret@127.0.0.1:{NOWHERE}/shop")
    with TestClient(make_app(read_settings())) as web:
        answer = web.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "postgresql": "out of reach", "redis": "ok"}
        assert "secret" not in answer.text
        assert web.get("/health/live").status_code == 200


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
