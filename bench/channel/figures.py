"""What was measured, and what is expected of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.channel.load import Outcome
from bench.channel.running import RASA

HEAD = (
    "system",
    "API ms",
    "conversations",
    "replies /s",
    "reply p50, p95 ms",
    "webhook p50, p99 ms",
    "lost of sent",
    "CPU ms a reply: rasa, others",
)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all does not exceed; not a number where there is none."""
    if not values:
        return math.nan
    return sorted(values)[max(math.ceil(part * len(values)) - 1, 0)]


def milliseconds(values: Sequence[float], part: float) -> float:
    """A percentile of seconds, in milliseconds."""
    return percentile(values, part) * 1000


@dataclass(frozen=True)
class Row:
    """One load on one system."""

    system: str
    api_milliseconds: int
    conversations: int
    outcome: Outcome

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        outcome = self.outcome
        replies = max(len(outcome.replies), 1)
        rasa = outcome.cpu.get(RASA, 0.0)
        others = sum(outcome.cpu.values()) - rasa
        return (
            self.system,
            str(self.api_milliseconds),
            str(self.conversations),
            f"{outcome.per_second:.1f}",
            _two(outcome.replies, 0.95),
            _two(outcome.answers, 0.99),
            f"{outcome.lost} of {outcome.sent}" + _remarks(outcome),
            f"{rasa / replies * 1000:.1f}, {others / replies * 1000:.1f}",
        )


@dataclass
class Figures:
    """One system's."""

    rows: list[Row] = field(default_factory=list)
    slow_api: list[Row] = field(default_factory=list)
    start_seconds: float = math.nan
    memory_mb: float = math.nan
    early_milliseconds: float = math.nan
    """A turn around the tenth of a conversation."""
    late_milliseconds: float = math.nan
    """A turn around the last of a long one."""

    def row(self, api_milliseconds: int, conversations: int) -> Row | None:
        """A row of the table, where it was measured."""
        for row in self.rows:
            if (row.api_milliseconds, row.conversations) == (api_milliseconds, conversations):
                return row
        return None


@dataclass(frozen=True)
class Target:
    """A limit, and what it is compared with."""

    title: str
    limit: float
    measured: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is kept; what is not a number keeps nothing."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        sign = "≥" if self.at_least else "≤"
        return (
            self.title,
            f"{sign} {self.limit:g}",
            f"{self.measured:.3g}",
            "met" if self.is_met else "MISSED",
        )


def targets(ours: Figures, stock: Figures) -> Iterator[Target]:
    """All targets for which something was measured."""
    yield from _load_targets(ours, stock)
    if ours.slow_api:
        one, full = ours.slow_api[0], ours.slow_api[-1]
        yield Target("webhook p99, one user, slow API, ms", 50, milliseconds(one.outcome.answers, 0.99))
        yield Target("webhook p99, under load, slow API, ms", 250, milliseconds(full.outcome.answers, 0.99))
    yield Target("late turn / tenth turn", 1.1, ours.late_milliseconds / ours.early_milliseconds)
    yield Target("start, of stock's", 1 / 3, ours.start_seconds / stock.start_seconds)
    yield Target("memory of rasa, of stock's", 0.55, ours.memory_mb / stock.memory_mb)


def _load_targets(ours: Figures, stock: Figures) -> Iterator[Target]:
    mine, other = ours.row(50, 32), stock.row(50, 32)
    if mine and other:
        ratio = mine.outcome.per_second / max(other.outcome.per_second, 1e-9)
        yield Target("replies /s at 32 conversations, times stock's", 10, ratio, at_least=True)
        yield Target("reply p95 at 32 conversations, ms", 1000, milliseconds(mine.outcome.replies, 0.95))
    for row in ours.rows:
        if row.conversations == 128:
            yield Target(f"lost at 128, API {row.api_milliseconds} ms", 0, row.outcome.lost)
    if one := ours.row(50, 1):
        beyond = milliseconds(one.outcome.replies, 0.5) - one.api_milliseconds
        yield Target("reply to one user beyond the API's time, p50 ms", 15, beyond)


def _two(seconds: Sequence[float], upper: float) -> str:
    return f"{milliseconds(seconds, 0.5):.0f}, {milliseconds(seconds, upper):.0f}"


def _remarks(outcome: Outcome) -> str:
    remarks = (("refused", outcome.refused), ("wrong", outcome.wrong), ("unexpected", outcome.unexpected))
    return "".join(f", {count} {name}" for name, count in remarks if count)
