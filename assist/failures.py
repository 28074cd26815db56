"""Why the model did not help. Each has a short name, for the log and the metric."""

from __future__ import annotations


class NotHelped(Exception):
    """The model did not help; `reason` is one of a few short names."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAsked(NotHelped):
    """A bound of ours: the model was not even asked."""


class Unavailable(NotHelped):
    """The server did not answer well; after some of these it is left alone for a while."""


class BadAnswer(NotHelped):
    """The server answered, and what it said is not within the grammar or does not fit the message."""
