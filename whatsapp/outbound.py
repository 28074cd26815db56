"""What the bot sends: replies of one turn, composed into as few WhatsApp messages as they need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MOST_CHARACTERS = 1600
"""Twilio's limit for a WhatsApp body (error 21617)."""


@dataclass(frozen=True)
class Reply:
    """One thing the bot says: text, or a picture with the text as its caption."""

    text: str = ""
    image: str | None = None


@dataclass(frozen=True)
class OutboundMessage:
    """One message for the sender; `id` is the same however often the turn is repeated."""

    id: str
    conversation: str
    address: str
    body: str
    media: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The form in which it waits on the stream."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, body: str) -> OutboundMessage:
        """The message that `to_json` wrote."""
        values = json.loads(body)
        return cls(**{**values, "media": tuple(values["media"])})


def compose(
    replies: Sequence[Reply], *, inbound_id: str, conversation: str, address: str
) -> list[OutboundMessage]:
    """The messages of one turn: texts are joined, a picture carries the text that goes with it, and
    only what is longer than WhatsApp takes is split, at line ends."""
    parts: list[tuple[str, tuple[str, ...]]] = []
    for reply in replies:
        text = reply.text.strip()
        if not text and not reply.image:
            continue
        if not reply.image and parts and not parts[-1][1]:
            parts[-1] = (f"{parts[-1][0]}\n\n{text}", ())
        else:
            parts.append((text, (reply.image,) if reply.image else ()))
    split = [
        (body, media if position == 0 else ())
        for text, media in parts
        for position, body in enumerate(split_body(text))
    ]
    return [
        OutboundMessage(f"{inbound_id}:{number}", conversation, address, body, media)
        for number, (body, media) in enumerate(split)
    ]


def split_body(text: str, limit: int = MOST_CHARACTERS) -> list[str]:
    """Split a text at line ends, else at spaces, else where it must be."""
    bodies: list[str] = []
    rest = text
    while len(rest) > limit:
        cut = max(rest.rfind("\n", 1, limit + 1), 0) or max(rest.rfind(" ", 1, limit + 1), 0)
        cut = cut or limit
        bodies.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*bodies, rest]
