"""The measurements, each of both systems one after the other, so that the machine is as busy for both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.channel.conversation import CONVERSATION, lines
from bench.channel.figures import HEAD, Figures, Row, targets
from bench.channel.load import Outcome
from bench.channel.place import Place
from bench.channel.running import MeasuredSystem
from bench.report import print_head, print_row

WINDOW = 2 * len(CONVERSATION)
"""Turns of which the median is one turn's time: each message of the conversation twice."""


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Args:
        turns: of a conversation.
        least_turns: few conversations are repeated until there were so many.
        starts: the quickest of so many counts.
        long_turns: of the long conversation.
        slow_conversations: under load while the API is slow.
        slow_turns: of these, for stock; ours have `turns`.
    """

    conversations: tuple[int, ...]
    api_milliseconds: tuple[int, ...]
    turns: int
    least_turns: int = 40
    starts: int = 2
    long_turns: int = 500
    slow_milliseconds: int = 800
    slow_conversations: int = 32
    slow_turns: int = 2


class Measuring:
    """Measures both systems and prints as it goes."""

    def __init__(self, place: Place, scale: Scale) -> None:
        self._place = place
        self._scale = scale
        self.figures = {system: Figures() for system in place.systems}

    async def run(self) -> None:
        """Everything."""
        await self._start()
        await self._place.check(len(CONVERSATION))
        print_head(HEAD)
        for milliseconds in self._scale.api_milliseconds:
            for conversations in self._scale.conversations:
                await self._measure_load(milliseconds, conversations)
        for system, figures in self.figures.items():
            figures.memory_mb = system.memory_mb()
        await self._measure_slow_api()
        await self._measure_long_conversation()

    def report(self) -> bool:
        """Print what is no load, then the targets; whether all are met."""
        print_head(("system", "rasa ready after s", "memory of rasa MB", "turn 10 ms", "late turn ms"))
        for system, figures in self.figures.items():
            times = f"{figures.early_milliseconds:.0f}", f"{figures.late_milliseconds:.0f}"
            print_row((system.title, f"{figures.start_seconds:.1f}", f"{figures.memory_mb:.0f}", *times))
        print_head(("target", "limit", "measured", ""))
        found = list(targets(*self.figures.values()))
        for target in found:
            print_row(target.cells())
        return all(target.is_met for target in found)

    async def _start(self) -> None:
        seconds: dict[MeasuredSystem, list[float]] = {}
        for system in self._place.systems:
            seconds[system] = [await asyncio.to_thread(system.start)]
        for _ in range(self._scale.starts - 1):
            for system in self._place.systems:
                seconds[system].append(await asyncio.to_thread(system.start_rasa))
        for system, figures in self.figures.items():
            figures.start_seconds = min(seconds[system])

    async def _measure_load(self, milliseconds: int, conversations: int) -> None:
        await self._place.load.delay(milliseconds)
        repeats = -(-self._scale.least_turns // (self._scale.turns * conversations))
        for system, figures in self.figures.items():
            row = await self._row(system, milliseconds, conversations, self._scale.turns, repeats)
            figures.rows.append(row)

    async def _measure_slow_api(self) -> None:
        scale = self._scale
        await self._place.load.delay(scale.slow_milliseconds)
        for system, figures in self.figures.items():
            ours = system is self._place.chatcart
            turns = scale.turns if ours else scale.slow_turns
            for conversations in (1, scale.slow_conversations):
                repeats = -(-scale.least_turns // (turns * conversations)) if ours else 1
                row = await self._row(system, scale.slow_milliseconds, conversations, turns, repeats)
                figures.slow_api.append(row)

    async def _row(
        self, system: MeasuredSystem, milliseconds: int, conversations: int, turns: int, repeats: int
    ) -> Row:
        outcome = Outcome()
        for _ in range(max(repeats, 1)):
            outcome.take(await self._place.load.run(system, conversations, lines(turns)))
        row = Row(system.title, milliseconds, conversations, outcome)
        print_row(row.cells())
        return row

    async def _measure_long_conversation(self) -> None:
        await self._place.load.delay(0)
        for system, figures in self.figures.items():
            outcome = await self._place.load.run(system, 1, lines(self._scale.long_turns))
            times = list(_windows(outcome.replies))
            figures.early_milliseconds, figures.late_milliseconds = times


def _windows(replies: list[float]) -> Iterator[float]:
    for window in (replies[:WINDOW], replies[-WINDOW:]):
        yield median(window) * 1000 if window else float("nan")
