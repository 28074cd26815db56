"""Which statements PostgreSQL is sent, as PostgreSQL itself tells it: with its BEGINs, COMMITs and pings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

PREFIX = "statement:"


class Heard:
    """Takes the server's notices in place of a connection's list of them."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def append(self, notice: str) -> None:
        """One notice."""
        _, found, statement = notice.partition(PREFIX)
        if found:
            self.statements.append(statement.strip())

    def take(self) -> list[str]:
        """What was heard since the last time."""
        statements, self.statements = self.statements, []
        return statements


@contextmanager
def listen_to(engine: Engine) -> Iterator[Heard]:
    """Hear every statement of an engine's new connections (their user must be a superuser)."""
    heard = Heard()

    def ask_for_statements(connection: Any, _: Any) -> None:
        connection.notices = heard
        with connection.cursor() as cursor:
            cursor.execute("SET log_statement = 'all'; SET client_min_messages = 'log'")
        connection.commit()

    event.listen(engine, "connect", ask_for_statements)
    try:
        yield heard
    finally:
        event.remove(engine, "connect", ask_for_statements)
        engine.dispose()
