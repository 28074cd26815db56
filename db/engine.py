"""How a process connects to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

CONNECT_SECONDS = 5
STATEMENT_MILLISECONDS = 5_000
LOCK_MILLISECONDS = 3_000


def make_engine(
    database_url: str, pool_size: int = 10, *, statement_milliseconds: int = STATEMENT_MILLISECONDS
) -> Engine:
    """An engine with bounded waits: a stalled database stalls a turn for seconds, never for ever.

    Args:
        database_url: a `postgresql+psycopg2://` address.
        pool_size: connections this process keeps; as many again may be opened under load, 20 at most.
        statement_milliseconds: how long one statement may take; 0 for ever (migrations).
    """
    return create_engine(
        database_url,
        pool_size=pool_size,
        max_overflow=max(0, 20 - pool_size),
        pool_timeout=CONNECT_SECONDS,
        # Values of statements are personal data: neither logs nor error texts may show them.
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "chatcart",
            "options": f"-c timezone=UTC -c statement_timeout={statement_milliseconds}"
            f" -c lock_timeout={LOCK_MILLISECONDS}",
        },
    )


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)
