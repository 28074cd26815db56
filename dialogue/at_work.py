"""How many turns Rasa works on at a time, whatever number is begun.

One process has one processor. Turns that share it all end late, those with several actions last, and a
webhook waits behind a step of each. So a few work, first come, first served; who waits for an action server
that takes its time (a language model may) makes room.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

MOST_AT_WORK = 4
PATIENCE_SECONDS = 0.1
"""Longer than the shop takes for an action; who waits longer does not work."""


class Place:
    """A place among those at work, held until it is left."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Make room, once; what is still to be done is done without a place."""
        if self._leave is not None:
            self._leave()
            self._leave = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While others work for this turn; the place is left where they do not hurry."""
        impatience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self.leave)
        try:
            yield
        finally:
            impatience.cancel()


class AtWork:
    """The places of one process."""

    def __init__(self, most: int = MOST_AT_WORK) -> None:
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """A place, as soon as one is free."""
        await self._free.acquire()
        place = Place(self._free.release)
        try:
            yield place
        finally:
            place.leave()
