"""The one door: what the shop has to tell goes through the inbound stream, once."""

from __future__ import annotations

import asyncio

import pytest

from db.models import OutboxEvent
from jobs.dispatcher import dispatch_outbox
from shop import outbox
from shop.customers import recognise
from tests.environment import CUSTOMER_NUMBER
from whatsapp.conversation_queue import ConversationQueue, inbound_queue
from whatsapp.identity import Identity
from whatsapp.inbound import InboundMessage, Kind

DATA = {"order_number": "K7M2PX", "amount": "5912.50", "currency": "NGN"}


@pytest.fixture
def inbound(redis) -> ConversationQueue:
    """The inbound stream."""
    return inbound_queue(redis)


def tell(shop, customer_id, event: str = "payment_confirmed", **data: str) -> None:
    """The shop has something to tell."""
    shop.run(lambda work: outbox.write(work, customer_id, event, {**DATA, **data}))


def marks(sessions) -> list[object]:
    """When each event was dispatched."""
    with sessions() as session:
        return [row.dispatched_at for row in session.query(OutboxEvent).order_by(OutboxEvent.sequence)]


async def waiting(redis) -> list[InboundMessage]:
    """What waits on the stream."""
    rows = await redis.xrange("chatcart:inbound")
    return [InboundMessage.from_json(fields["body"]) for _, fields in rows]


async def test_an_event_reaches_the_customers_conversation(
    shop, customer, inbound, redis, settings, sessions, clock
):
    tell(shop, customer.id)
    assert await dispatch_outbox(shop, inbound) == 1
    (message,) = await waiting(redis)
    identity = Identity(settings.privacy)
    assert (message.kind, message.event, message.data) == (Kind.EVENT, "payment_confirmed", DATA)
    assert message.conversation == identity.pseudonym(CUSTOMER_NUMBER)
    assert identity.unseal(message.address) == CUSTOMER_NUMBER
    assert marks(sessions) == [clock.now]


async def test_what_was_dispatched_is_not_dispatched_again(shop, customer, inbound, redis):
    tell(shop, customer.id)
    assert await dispatch_outbox(shop, inbound) == 1
    assert await dispatch_outbox(shop, inbound) == 0
    assert len(await waiting(redis)) == 1


async def test_a_crash_between_stream_and_mark_doubles_nothing(shop, customer, inbound, redis, sessions):
    tell(shop, customer.id)
    await dispatch_outbox(shop, inbound)
    with sessions.begin() as session:
        session.query(OutboxEvent).update({OutboxEvent.dispatched_at: None})
    assert await dispatch_outbox(shop, inbound) == 1
    assert len(await waiting(redis)) == 1
    assert marks(sessions) != [None]


async def test_two_replicas_at_once_double_nothing(shop, customer, inbound, redis, sessions):
    for number in range(20):
        tell(shop, customer.id, order_number=f"ORDER{number}")
    await asyncio.gather(*(dispatch_outbox(shop, inbound) for _ in range(3)))
    assert len(await waiting(redis)) == 20
    assert None not in marks(sessions)


async def test_events_are_told_in_the_order_of_their_causes(shop, customer, inbound, redis):
    for event in ("payment_failed", "payment_confirmed", "payment_in_review"):
        tell(shop, customer.id, event)
    await dispatch_outbox(shop, inbound)
    assert [message.event for message in await waiting(redis)] == [
        "payment_failed",
        "payment_confirmed",
        "payment_in_review",
    ]


async def test_who_has_no_address_is_left_alone(shop, customer, inbound, redis, sessions):
    in_the_shell = shop.run(lambda work: recognise(work, "shell", None, None))
    tell(shop, in_the_shell.id)
    tell(shop, customer.id)
    assert await dispatch_outbox(shop, inbound) == 1
    assert len(await waiting(redis)) == 1
    told, not_told = marks(sessions)[1], marks(sessions)[0]
    assert told is not None
    assert not_told is None


async def test_no_number_waits_in_clear(shop, customer, inbound, redis):
    tell(shop, customer.id)
    await dispatch_outbox(shop, inbound)
    rows = await redis.xrange("chatcart:inbound")
    assert "8031234567" not in str(rows)
