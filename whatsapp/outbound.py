"""What the bot sends: replies of one turn, composed into as few WhatsApp messages as they need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from whatsapp.choices import Choice
from whatsapp.content import fill_choices, fill_picture, says_itself

MOST_CHARACTERS = 1600
"""Twilio's limit for a WhatsApp body (error 21617)."""


@dataclass(frozen=True)
class Reply:
    """One thing the bot says: text, or a picture with the text as its caption; what can be picked."""

    text: str = ""
    image: str | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class OutboundMessage:
    """One message for the sender; `id` is the same however often the turn is repeated.

    `content_sid` names the template of Twilio that shows it, filled with `content_variables`; its `body` is
    what it says in words.  `notice`: it was not asked for, so WhatsApp's window may be closed.
    `asked_at`, on the first message of an answer: when the question was taken in, in seconds since 1970.
    """

    id: str
    conversation: str
    address: str
    body: str
    media: tuple[str, ...] = ()
    content_sid: str | None = None
    content_variables: dict[str, str] = field(default_factory=dict)
    notice: bool = False
    asked_at: float | None = None

    def to_json(self) -> str:
        """The form in which it waits on the stream."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, body: str) -> OutboundMessage:
        """The message that `to_json` wrote."""
        values = json.loads(body)
        return cls(**{**values, "media": tuple(values["media"])})


@dataclass(frozen=True)
class Answered:
    """The message that replies answer: its id, whose it is, and when it was taken in (seconds since 1970).
    `notice`: it was the shop's own."""

    message_id: str
    conversation: str
    address: str
    taken_in: float | None = None
    notice: bool = False


@dataclass(frozen=True)
class Composed:
    """The messages of a turn; what can be picked from the last of them, by its token or its number."""

    messages: tuple[OutboundMessage, ...] = ()
    buttons: Mapping[str, Choice] = field(default_factory=dict)
    numbered: tuple[Choice, ...] = ()


def compose(
    replies: Sequence[Reply], answered: Answered, sids: Mapping[str, str], tokens: Sequence[str] = ()
) -> Composed:
    """The messages of one turn: texts are joined, a picture carries the text that goes with it, and
    only what is longer than WhatsApp takes is split, at line ends. What can be picked last goes out as
    buttons or a list where there is a template for it (`sids`, by purpose), else as numbered text; a picture
    by its template or as media.

    Args:
        tokens: for the choices, in order.
    """
    parts = _joined(replies)
    last = parts[-1] if parts else Reply()
    filled = None if last.image else fill_choices(last.text, last.choices, tokens, sids)
    numbered = () if filled or says_itself(last.text, last.choices) else last.choices
    bodies: list[tuple[str, str | None]] = []
    for part in parts:
        text = _numbered(part.text, numbered) if part is last else part.text
        for number, body in enumerate([filled[1]["1"]] if filled and part is last else split_body(text)):
            bodies.append((body, part.image if number == 0 else None))
    messages = [
        OutboundMessage(
            f"{answered.message_id}:{number}",
            answered.conversation,
            answered.address,
            body,
            (image,) if image else (),
            notice=answered.notice,
            asked_at=None if number or answered.notice else answered.taken_in,
        )
        for number, (body, image) in enumerate(bodies)
    ]
    messages = [_with_picture(message, sids) for message in messages]
    if filled:
        messages[-1] = replace(messages[-1], content_sid=filled[0], content_variables=filled[1])
    buttons = dict(zip(tokens, last.choices, strict=True)) if filled else {}
    return Composed(tuple(messages), buttons, numbered)


def _with_picture(message: OutboundMessage, sids: Mapping[str, str]) -> OutboundMessage:
    """A message whose picture goes by its template, where there is one."""
    filled = fill_picture(message.body, message.media[0], sids) if message.media else None
    if filled is None:
        return message
    return replace(message, content_sid=filled[0], content_variables=filled[1])


def _joined(replies: Sequence[Reply]) -> list[Reply]:
    """Replies with something in them; a text goes on in the text before it, what can be picked goes last."""
    joined: list[Reply] = []
    for reply in replies:
        text = reply.text.strip()
        if not text and not reply.image:
            continue
        before = joined[-1] if joined else None
        if before is None or reply.image or before.image:
            joined.append(replace(reply, text=text))
        else:
            choices = reply.choices or before.choices
            joined[-1] = Reply(f"{before.text}\n\n{text}", None, choices)
    return joined


def _numbered(text: str, choices: Sequence[Choice]) -> str:
    return "\n".join([text, *(f"{number}. {choice.title}" for number, choice in enumerate(choices, start=1))])


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
