"""The phones: what each has sent and received since the process started. In memory only."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime

MOST_REMEMBERED = 500


@dataclass(frozen=True)
class PhoneMessage:
    """A message on a phone; `direction` is `in` for what the customer wrote, `out` for the bot.

    `status` is Twilio's word for what became of it (sent, delivered, read, undelivered), or `waiting`: it
    has not left the phone. `arrived` False: the phone has not got it.
    """

    sid: str
    direction: str
    body: str
    media: tuple[str, ...]
    sent_at: datetime
    buttons: tuple[tuple[str, str], ...] = ()
    """Title and token of each."""
    layout: str = ""
    """How they are shown: `list` behind one button, else below the text."""
    status: str = ""
    arrived: bool = True


@dataclass
class Phones:
    """All phones, by number."""

    _messages: dict[str, list[PhoneMessage]] = field(default_factory=lambda: defaultdict(list))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _watched: Counter[str] = field(default_factory=Counter)
    offline: set[str] = field(default_factory=set)
    """Numbers without a network."""

    def of(self, number: str) -> list[PhoneMessage]:
        """All messages of a phone, oldest first."""
        return list(self._messages[number])

    def is_looked_at(self, number: str) -> bool:
        """Whether somebody has this phone in front of them, so that what arrives is read."""
        return self._watched[number] > 0

    async def add(self, number: str, message: PhoneMessage) -> None:
        """Put a message on a phone."""
        async with self._changed:
            self._messages[number].append(message)
            del self._messages[number][:-MOST_REMEMBERED]
            self._changed.notify_all()

    async def change(self, number: str, sid: str, *, status: str, arrived: bool | None = None) -> None:
        """Say what became of a message."""
        async with self._changed:
            messages = self._messages[number]
            for place, message in enumerate(messages):
                if message.sid == sid:
                    now = message.arrived if arrived is None else arrived
                    messages[place] = replace(message, status=status, arrived=now)
            self._changed.notify_all()

    async def follow(self, number: str) -> AsyncIterator[PhoneMessage]:
        """All messages that a phone has, then every new one, and each again when something became of it."""
        told: dict[str, PhoneMessage] = {}

        def news() -> list[PhoneMessage]:
            return [m for m in self._messages[number] if m.arrived and told.get(m.sid) != m]

        self._watched[number] += 1
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(news)
                    new = news()
                for message in new:
                    told[message.sid] = message
                    yield message
        finally:
            self._watched[number] -= 1
