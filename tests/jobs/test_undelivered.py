"""A message of the staff's that did not arrive is marked in its thread, once."""

from __future__ import annotations

import uuid

import pytest

from db.models import Handoff, HandoffReason, OutboxEvent, ThreadMessage
from jobs.undelivered import note_undelivered
from shop import handoff_inbox, handoffs
from whatsapp.deliveries import UNDELIVERED_KEY


@pytest.fixture
def written(shop, caller, sessions) -> OutboxEvent:
    """Ada took a conversation and wrote; the event with which it goes out."""
    who = caller()
    shop.run(lambda work: handoffs.call(work, who.recognised(work), HandoffReason.ASKED, "a person please"))
    with sessions() as session:
        handoff = session.query(Handoff).one().id
    shop.run(lambda work: handoffs.take(work, handoff, "Ada"))
    shop.run(lambda work: handoffs.write(work, handoff, "Ada", "Ten minutes.", "a form's key"))
    with sessions() as session:
        return session.query(OutboxEvent).filter_by(event="staff_message").one()


async def test_it_is_noted_once_with_the_reason_and_open_pages_hear_of_it(shop, redis, written, sessions):
    before = shop.run(handoff_inbox.version)
    await redis.rpush(UNDELIVERED_KEY, f"{written.id}:0 63016", f"{written.id}:0 63018")
    assert await note_undelivered(shop, redis) == 2
    with sessions() as session:
        message = session.get(ThreadMessage, written.id)
        assert (message.text, message.undelivered_code) == ("Ten minutes.", "63016")
    assert shop.run(handoff_inbox.version) != before
    assert not await redis.exists(UNDELIVERED_KEY)


async def test_what_nobody_of_the_staff_wrote_is_put_aside(shop, redis, written, sessions):
    await redis.rpush(UNDELIVERED_KEY, f"{uuid.uuid4()}:0 63016", "SM1:0 63016", " ", "nonsense")
    assert await note_undelivered(shop, redis) == 0
    assert not await redis.exists(UNDELIVERED_KEY)
    with sessions() as session:
        assert session.get(ThreadMessage, written.id).undelivered_at is None
