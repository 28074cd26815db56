"""One turn: everything a message causes on the dialogue plane, held back until it commits as a whole.

While a turn is current, the output channel collects replies here and the tracker store puts the
tracker here instead of writing it. A part that fails aborts the turn; then nothing of it is written,
and the message is served again.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from rasa.core.channels.channel import OutputChannel

from dialogue.at_work import Place
from whatsapp.choices import Choice
from whatsapp.outbound import Reply


class TurnAborted(BaseException):
    """The turn cannot be completed now.

    Not an `Exception` on purpose: Rasa's processor logs and swallows those of actions, and its
    `FailSafeTrackerStore` those of stores, and both go on as if nothing had happened.
    """


@dataclass
class StoredTracker:
    """A serialised tracker and where it goes; `value` None: what is there is deleted."""

    key: str
    value: str | None
    seconds_to_live: int


@dataclass(frozen=True)
class Situation:
    """Where a conversation stood when the message came; the NLU reads it with it in mind."""

    state: str | None = None
    active_form: str | None = None
    misunderstood: int = 0
    """How many messages in a row were not understood."""
    proposal_asked: bool = False
    """Whether the customer was just asked "Did you mean this?"."""


@dataclass(frozen=True)
class Outcome:
    """Where a turn has led to, and what it began with."""

    state: str | None = None
    intent: str | None = None
    misunderstood: int = 0


@dataclass
class Turn:
    """What a turn has produced so far, and what it began with."""

    place: Place = field(default_factory=lambda: Place(lambda: None))
    """Where it is worked on; anywhere, unless a place was given."""
    situation: Situation = field(default_factory=Situation)
    replies: list[Reply] = field(default_factory=list)
    tracker: StoredTracker | None = None
    session_found: bool = False
    """Whether the conversation had one in Redis."""
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def was_understood(self) -> bool:
        """Whether one message more was not understood than before."""
        return self.outcome.misunderstood <= self.situation.misunderstood


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)


class TurnOutput(OutputChannel):
    """Collects what the bot says in one turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    @classmethod
    def name(cls) -> str:
        """The channel's name, as responses may ask for it."""
        return "whatsapp"

    async def send_response(self, recipient_id: str, message: dict) -> None:
        """Take one utterance; text and picture of one response stay together in one message."""
        text = message.get("text") or ""
        buttons = message.get("buttons") or []
        choices = tuple(
            Choice(button["title"], button.get("payload") or button["title"]) for button in buttons
        )
        reply = Reply(text, message.get("image"), choices)
        if reply.text.strip() or reply.image:
            self._turn.replies.append(reply)
