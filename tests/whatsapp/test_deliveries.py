"""What became of a message moves forward only, whatever order Twilio tells it in."""

from __future__ import annotations

import itertools

import pytest

from whatsapp.deliveries import COUNTERS_KEY, UNDELIVERED_KEY, Deliveries, reason, sent_in

TOLD = ("queued", "sent", "delivered", "read")


@pytest.mark.parametrize("order", list(itertools.permutations(TOLD)))
async def test_in_whatever_order_it_is_told_the_last_step_stays(redis, order):
    deliveries = Deliveries(redis)
    for status in order:
        await deliveries.record("SM1", status)
    assert await deliveries.status("SM1") == "read"


async def test_each_step_is_counted_once_however_often_it_is_told(redis):
    deliveries = Deliveries(redis)
    assert await deliveries.record("SM1", "sent")
    assert not await deliveries.record("SM1", "sent")
    await deliveries.record("SM2", "sent")
    await deliveries.record("SM2", "failed", "63016")
    assert await redis.hgetall(COUNTERS_KEY) == {"sent": "2", "failed": "1", "error:63016": "1"}


async def test_a_status_that_nobody_knows_changes_nothing(redis):
    assert not await Deliveries(redis).record("SM1", "eaten")
    assert await Deliveries(redis).status("SM1") is None


@pytest.mark.parametrize("told_first", [False, True])
async def test_one_of_the_shops_own_that_did_not_arrive_is_listed_whatever_is_known_first(redis, told_first):
    deliveries = Deliveries(redis)
    pipeline = redis.pipeline(transaction=True)
    sent_in(pipeline, "an event:0", "SM1")
    if told_first:
        await deliveries.record("SM1", "undelivered", "63016")
    await pipeline.execute()
    if not told_first:
        assert await redis.lrange(UNDELIVERED_KEY, 0, -1) == []
        await deliveries.record("SM1", "undelivered", "63016")
    await deliveries.record("SM1", "undelivered", "63016")
    await deliveries.record("SM2", "failed", "63016")
    assert await redis.lrange(UNDELIVERED_KEY, 0, -1) == ["an event:0 63016"], "once, and no other"


async def test_what_arrived_is_not_listed(redis):
    pipeline = redis.pipeline(transaction=True)
    sent_in(pipeline, "an event:0", "SM1")
    await pipeline.execute()
    for status in TOLD:
        await Deliveries(redis).record("SM1", status)
    assert not await redis.exists(UNDELIVERED_KEY)


def test_a_code_is_told_in_words():
    assert reason("63016").startswith("the customer has not written for 24 hours")
    assert reason("99999") == "see Twilio's error dictionary"
