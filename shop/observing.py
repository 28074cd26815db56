"""What the shop tells whoever watches it: how long transactions took, and what went wrong where."""

from __future__ import annotations

import traceback
from typing import Protocol

OURS = ("shop", "actions", "assist", "db", "jobs", "web", "whatsapp")
ELSEWHERE = "elsewhere"


class Observer(Protocol):
    """Who watches. What is called here must be quick: it is on the way of every message."""

    def transaction(self, command: str, seconds: float) -> None:
        """A transaction ended, whether or not it was carried through; with its retries."""

    def retried(self, sql_state: str) -> None:
        """PostgreSQL asked for a transaction to be tried again."""

    def replayed(self, command: str) -> None:
        """A command was asked for again and answered from its record."""

    def statement(self, seconds: float) -> None:
        """PostgreSQL answered a statement."""

    def failed(self, error: BaseException) -> None:
        """Something was refused, or went wrong."""


class NobodyWatches:
    """The observer of a shop that nobody watches."""

    def transaction(self, command: str, seconds: float) -> None:
        """Nothing is done with it."""

    def retried(self, sql_state: str) -> None:
        """Nothing is done with it."""

    def replayed(self, command: str) -> None:
        """Nothing is done with it."""

    def statement(self, seconds: float) -> None:
        """Nothing is done with it."""

    def failed(self, error: BaseException) -> None:
        """Nothing is done with it."""


def module_of(error: BaseException) -> str:
    """The module of ours that an error comes from: the innermost one on its way."""
    modules = [
        str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    ours = (module for module in reversed(modules) if module.partition(".")[0] in OURS)
    return next(ours, ELSEWHERE)
