"""A conversation on a phone as a transcript test: what tests/conversations holds, ready to be replayed.

Expected of each answer is what will be the same next time: no order numbers, links, times or names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

from web.local_whatsapp.phones import PhoneMessage

MOST_LINES = 3
"""Lines of an answer that are expected."""
PAY_LINK = re.compile(r"/payments/sandbox/([^\s/?]+)")
PAID = {"paid": "paid", "failed": "in vain"}
_CHANGES = re.compile(
    r"https?://|\b(?=\w*[A-Z])(?=\w*[A-Z0-9]{6})[A-Z0-9]{6}\b|\b\d{1,2}[:.]\d{2}(?!\d)|\bwelcome back\b",
    re.IGNORECASE,
)
_ORDER_NUMBER = re.compile(r"\*[A-Z0-9]{6}\*")
_BOT_TALK = ("I am a bot", "ordering assistant")
"""Worded in several ways, one of them by chance."""


def transcript(
    title: str, messages: Sequence[PhoneMessage], name: str, outcome_of: Callable[[str], str | None]
) -> str:
    """The conversation in the format of tests/conversations.

    Args:
        messages: in the order in which they came.
        name: the customer's, which another customer does not have.
        outcome_of: what the sandbox says of a payment's reference: `paid`, `failed`, or None.
    """
    talk = [_plain(turn) for turn in _turns(messages, name, outcome_of)]
    values = {"conversation": title, "talk": talk}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def _turns(
    messages: Sequence[PhoneMessage], name: str, outcome_of: Callable[[str], str | None]
) -> Iterator[dict[str, Any]]:
    turn: dict[str, Any] | None = None
    to_pay: str | None = None
    for message in messages:
        if message.direction == "in":
            if turn is not None:
                yield turn
            turn = _step(message)
            continue
        paid = outcome_of(to_pay) if to_pay is not None else None
        if paid in PAID and turn is not None and turn.get("bot sends") and "customer says" in turn:
            # An answer that nobody asked for, after a payment was decided: it is the payment's.
            yield turn
            turn, to_pay = {"customer pays": PAID[paid]}, None
        if turn is None:
            continue  # said before the recording began
        turn.setdefault("bot sends", []).extend(_lasting_lines(message.body, name))
        link = PAY_LINK.search(message.body)
        to_pay = link[1] if link else to_pay
    if turn is not None:
        yield turn


def _step(message: PhoneMessage) -> dict[str, Any]:
    if message.media:
        return {"customer sends": "a picture"}
    if message.layout == "location":
        return {"customer sends": message.body.splitlines()[0].removeprefix("📍 ")}
    return {"customer says": message.body}


def _lasting_lines(body: str, name: str) -> list[str]:
    """The first lines of an answer that are said in the same words the next time."""
    lines = [line.strip() for line in body.splitlines()]
    lasting = [line for line in lines if line and not _is_passing(line, name)]
    return lasting[:MOST_LINES]


def _is_passing(line: str, name: str) -> bool:
    if _ORDER_NUMBER.search(line) or any(words in line for words in _BOT_TALK):
        return True
    return bool(_CHANGES.search(line)) or bool(name and name.casefold() in line.casefold())


def _plain(turn: dict[str, Any]) -> dict[str, Any]:
    """One expectation without a list around it, none left out."""
    expected = turn.pop("bot sends", [])
    if expected:
        turn["bot sends"] = expected[0] if len(expected) == 1 else expected
    return turn
