"""How long PostgreSQL takes to answer each statement."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

BEGAN = "chatcart_began"


def time_statements(engine: Engine, tell: Callable[[float], None]) -> None:
    """Have every statement's seconds told, those that PostgreSQL refused left out."""

    @event.listens_for(engine, "before_cursor_execute")
    def began(connection: Any, *_: Any) -> None:
        connection.info[BEGAN] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def ended(connection: Any, *_: Any) -> None:
        tell(time.perf_counter() - connection.info[BEGAN])
