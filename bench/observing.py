"""Statements as SQLAlchemy sends them: how long each takes, and examples to explain."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

VALUE = r"%\(\w+\)s(?:::[\w\[\]]+)*"
SEVERAL = re.compile(rf"\((?:{VALUE}, )+{VALUE}\)")
MANY_ROWS = re.compile(r"(VALUES \([^()]*\))(?:, \([^()]*\))+")
SELECTED = re.compile(r"^SELECT .*? FROM ", re.DOTALL)
EXAMPLES = 5


@dataclass
class Observed:
    """One statement: the seconds of each time it was sent, and some of the times with its values."""

    seconds: list[float] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """In milliseconds."""
        return self._within(0.5)

    @property
    def p95(self) -> float:
        """In milliseconds."""
        return self._within(0.95)

    def _within(self, part: float) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * part)] * 1000


class Observer:
    """Collects what is sent; the same statement with other values is the same."""

    def __init__(self) -> None:
        self.statements: defaultdict[str, Observed] = defaultdict(Observed)
        self._sent = 0.0

    def before(self, _: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        """A statement is about to be sent."""
        self._sent = time.perf_counter()

    def after(self, _: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        """It was answered."""
        seconds = time.perf_counter() - self._sent
        observed = self.statements[normalised(statement)]
        observed.seconds.append(seconds)
        # Powers of two: examples from the beginning to the end.
        if len(observed.seconds).bit_count() == 1:
            observed.examples = [*observed.examples, cursor.query.decode()][-EXAMPLES:]

    def forget(self) -> None:
        """Forget what was seen while things warmed up."""
        self.statements.clear()


def normalised(statement: str) -> str:
    """A statement with no trace of how many values it was sent with."""
    one = SEVERAL.sub("(...)", " ".join(statement.split()))
    return MANY_ROWS.sub(r"\1, ...", one)


def shortened(statement: str) -> str:
    """What a person recognises a statement by."""
    return re.sub(VALUE, "?", SELECTED.sub("SELECT ... FROM ", statement)).replace("|", "\\|")


@contextmanager
def observe(engine: Engine) -> Iterator[Observer]:
    """Observe an engine that one thread uses."""
    observer = Observer()
    event.listen(engine, "before_cursor_execute", observer.before)
    event.listen(engine, "after_cursor_execute", observer.after)
    try:
        yield observer
    finally:
        event.remove(engine, "before_cursor_execute", observer.before)
        event.remove(engine, "after_cursor_execute", observer.after)
