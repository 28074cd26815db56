"""Plays the transcripts of tests/conversations through the signed webhook against the running system.

docs/designers.md tells how to write one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from shop.service import Shop
from tests.e2e.rows import cart_of, latest_order_of, states_of
from tests.e2e.staff import Staff
from tests.e2e.system import Phone, System

TRANSCRIPTS = Path(__file__).parent.parent / "conversations"
STEPS = {
    "customer says",
    "customer pays",
    "customer sends",
    "staff takes",
    "staff writes",
    "staff hands back",
    "staff reads",
    "bot sends",
    "bot sends not",
}
AT_ONCE = 6
"""Customers who talk at the same time; most of a conversation is waiting for the next message."""
ENDS = {"conversation", "talk", "order becomes", "cart becomes", "states become"}


@dataclass(frozen=True, eq=False)
class Transcript:
    """One conversation of a transcript file."""

    file: str
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """The file and the conversation's title."""
        return f"{self.file}: {self.values['conversation']}"


Played = dict[Transcript, Future[None]]


def transcripts() -> Iterator[Transcript]:
    """All conversations, file by file."""
    for path in sorted(TRANSCRIPTS.rglob("*.yml")):
        for values in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield Transcript(path.relative_to(TRANSCRIPTS).with_suffix("").as_posix(), values)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, system: System, system_shop: Shop) -> Iterator[Played]:
    """The conversations that this run is about, being played, several at the same time."""
    chosen = [
        item.callspec.params["transcript"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_conversation.__name__
    ]
    numbers = random.sample(range(20_000_000, 99_999_999), len(chosen))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            transcript: pool.submit(hold, Phone(system, f"+23480{number}"), system_shop, transcript)
            for number, transcript in zip(numbers, chosen, strict=True)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("transcript", transcripts(), ids=lambda transcript: transcript.name)
def test_conversation(played: Played, transcript: Transcript) -> None:
    unknown = set(transcript.values) - ENDS
    assert not unknown, f"a transcript knows no {unknown}"
    played[transcript].result()


def hold(phone: Phone, shop: Shop, transcript: Transcript) -> None:
    """Hold a conversation; an AssertionError says where it goes another way."""
    staff = Staff(shop, phone)
    for number, turn in enumerate(transcript.values["talk"], start=1):
        assert set(turn) <= STEPS, f"turn {number} knows no {set(turn) - STEPS}"
        said = play(phone, staff, turn)
        for expected in as_list(turn.get("bot sends")):
            assert expected in said, f"turn {number}: the bot sent\n{said}"
        for unwanted in as_list(turn.get("bot sends not")):
            assert unwanted not in said, f"turn {number}: the bot sent\n{said}"
    check_end(phone.system, phone, transcript.values)


def play(phone: Phone, staff: Staff, turn: dict[str, Any]) -> str:
    """Do what the customer or the staff does; what the bot sends."""
    if "staff reads" in turn:
        return staff.read(str(turn["customer says"]), str(turn["staff reads"]))
    for step, act in (
        ("staff takes", staff.take),
        ("staff writes", staff.write),
        ("staff hands back", staff.hand_back),
    ):
        if step in turn:
            act(str(turn[step]))
            return phone.hear()
    if "customer pays" in turn:
        link = pay_link(phone)
        outcome = {"paid": "paid", "in vain": "failed"}[turn["customer pays"]]
        assert httpx.post(link, data={"outcome": outcome}).status_code == 200
        return phone.hear()
    if "customer sends" in turn:
        return phone.send(as_fields(str(turn["customer sends"])))
    return phone.say(str(turn["customer says"]))


def as_fields(sent: str) -> dict[str, str]:
    """A place ("6.5244, 3.3792"), or a picture, as Twilio posts it."""
    if "," not in sent:
        return {"NumMedia": "1", "MediaUrl0": "https://api.example/ME1", "MediaContentType0": "image/jpeg"}
    latitude, longitude = sent.split(",")
    return {"Latitude": latitude.strip(), "Longitude": longitude.strip()}


def pay_link(phone: Phone) -> str:
    """The last pay link that the bot sent."""
    sent = "\n".join(message.body for message in phone.system.sent_to(phone.number))
    return re.findall(r"http\S+/payments/sandbox/\S+", sent)[-1]


def check_end(system: System, phone: Phone, values: dict[str, Any]) -> None:
    """Compare what the database says with what the transcript says."""
    if "cart becomes" in values:
        assert cart_of(system, phone) == (values["cart becomes"] or {})
    if "states become" in values:
        assert states_of(system, phone) == values["states become"]
    if "order becomes" in values:
        order = latest_order_of(system, phone)
        expected = values["order becomes"]
        assert {name: order.get(name) for name in expected} == expected


def as_list(value: str | list[str] | None) -> list[str]:
    """One text, several, or none."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
