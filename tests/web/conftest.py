"""What the tests of the web app share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from settings import read_settings
from web.app import make_app


@pytest.fixture
def reachable(monkeypatch, database_url, redis_settings) -> None:
    """PostgreSQL and Redis of the environment are the tests' own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_HOST", str(redis_settings.host))
    monkeypatch.setenv("REDIS_PORT", str(redis_settings.port))
    monkeypatch.setenv("REDIS_PASSWORD", redis_settings.password or "")


@pytest.fixture
def web(reachable) -> Iterator[TestClient]:
    """The web app with everything in reach."""
    with TestClient(make_app(read_settings())) as client:
        yield client
