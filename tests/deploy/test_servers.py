"""The embedded servers: what a customer wrote does not get into their logs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from deploy.local.servers import POSTGRES_LOGS, EmbeddedPostgres

CANARY = "+2348055512399"


@pytest.fixture
def postgres_dir() -> Iterator[Path]:
    """A folder that the server's own user may enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def address(postgres_dir: Path) -> Iterator[str]:
    """A server that was just started; the address of a database of it."""
    server = EmbeddedPostgres(postgres_dir)
    try:
        yield server.database_url("canary").replace("+psycopg2", "")
    finally:
        server.stop()


def ask(address: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(address)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_a_statement_that_fails_leaves_no_value_in_the_log(address: str, postgres_dir: Path) -> None:
    for name, value in POSTGRES_LOGS.items():
        deadline = time.monotonic() + 5
        while ask(address, f"SHOW {name}") != [(value,)]:
            assert time.monotonic() < deadline
    ask(address, "CREATE TABLE people (phone text PRIMARY KEY, age int CONSTRAINT grown_up CHECK (age > 17))")
    ask(address, f"INSERT INTO people VALUES ('{CANARY}', 18)")
    for statement in (
        f"INSERT INTO people VALUES ('{CANARY}', 19)",
        f"INSERT INTO people VALUES ('{CANARY}2', 3)",
        f"INSERT INTO people VALUES (NULL, '{CANARY[1:4]}'::int) RETURNING '{CANARY}'",
        f"SELECT '{CANARY}' FROM nowhere",
        f"SELECT 1/0, '{CANARY}'",
    ):
        with pytest.raises(psycopg2.Error):
            ask(address, statement)
    log = (postgres_dir / "postgres" / "log").read_text()
    for told in ("people_pkey", "grown_up", "division by zero"):
        assert told in log, "that it failed, and of what, is told"
    assert CANARY not in log
    assert "STATEMENT" not in log and "DETAIL" not in log
