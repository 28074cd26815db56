"""The database of a program of the operator's: what is wrong with it is one line, and exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from db.engine import make_engine, make_sessions
from settings import Settings, exit_with
from shop.errors import describe
from shop.service import Shop


@contextmanager
def opened_shop(settings: Settings) -> Iterator[Shop]:
    """The shop on the database of the settings alone, with no way to pay.

    A database that is missing, out of reach or refuses ends the program in a line.
    """
    if settings.database_url is None:
        exit_with("DATABASE_URL: is not set; `make run` starts an embedded database, keep it running")
    engine = make_engine(settings.database_url)
    try:
        with database_failures_in_a_line():
            yield Shop(make_sessions(engine), settings.shop, settings.flags, providers={})
    finally:
        engine.dispose()


@contextmanager
def database_failures_in_a_line() -> Iterator[None]:
    """A database that is out of reach, or refuses what it is asked, ends the program in a line."""
    try:
        yield
    except DBAPIError as error:
        if _is_out_of_reach(error):
            exit_with("DATABASE_URL: the database is out of reach, or lets nobody in")
        exit_with(f"the database refused it: {describe(error)}")


def _is_out_of_reach(error: DBAPIError) -> bool:
    """What PostgreSQL refuses has an SQLSTATE; a connection that failed or was lost has none."""
    return isinstance(error, OperationalError) and getattr(error.orig, "pgcode", None) is None
