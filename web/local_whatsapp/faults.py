"""What Twilio may do with the next messages instead of delivering them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MOST_AHEAD = 20
AT_ONCE = {
    "429": (429, 20429, "Too Many Requests"),
    "21610": (400, 21610, "Attempt to send to unsubscribed recipient"),
}
"""Refused with this status, code and message."""
LATER = ("63016", "63018")
"""Taken, and a status callback tells that it was not delivered."""
SILENT = ("timeout", "answer_lost")
"""Never answered; in the second case the message arrives all the same."""
KINDS = (*AT_ONCE, *LATER, *SILENT)


class UnknownFault(ValueError):
    """Twilio does nothing by that name, or it was asked for too often."""


@dataclass
class Faults:
    """Faults that wait for their message, the next first."""

    _ahead: deque[str] = field(default_factory=deque)

    def plan(self, kind: str, count: int) -> None:
        """Let the next `count` messages meet this fault.

        Raises:
            UnknownFault
        """
        if kind not in KINDS or not 1 <= count <= MOST_AHEAD - len(self._ahead):
            raise UnknownFault(kind)
        self._ahead.extend([kind] * count)

    def take(self) -> str | None:
        """The fault of the message that is sent now; None: it goes well."""
        return self._ahead.popleft() if self._ahead else None

    def forget(self) -> None:
        """From now on all goes well."""
        self._ahead.clear()

    def __len__(self) -> int:
        return len(self._ahead)
