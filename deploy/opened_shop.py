"""The shop for a program of the operator's: its database alone, with no way to pay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from db.engine import make_engine, make_sessions
from settings import Settings, exit_with
from shop.errors import describe
from shop.service import Shop


@contextmanager
def opened_shop(settings: Settings) -> Iterator[Shop]:
    """The shop on the database of the settings; one that is missing or refuses ends the program in a line."""
    if settings.database_url is None:
        exit_with("DATABASE_URL: is not set; `make run` starts an embedded database, keep it running")
    engine = make_engine(settings.database_url)
    try:
        yield Shop(make_sessions(engine), settings.shop, settings.flags, providers={})
    except DBAPIError as error:
        exit_with(f"the database refused it: {describe(error)}")
    finally:
        engine.dispose()
