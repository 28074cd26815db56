"""A queue that loses nothing, doubles nothing, and keeps every conversation in order."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.whatsapp.conftest import SERVED, Note, commit, make_worker, served, until, working
from whatsapp.conversation_queue import Admission, ConversationQueue, Effects, Entry, LeaseLost
from whatsapp.worker import RetryLater

pytestmark = pytest.mark.usefixtures("short_waits")


@pytest.fixture
def queue(redis) -> ConversationQueue:
    """A queue of its own."""
    return ConversationQueue(redis, "test:queue")


async def nothing_left(redis, queue: ConversationQueue) -> bool:
    """Whether neither stream nor lists nor leases hold anything."""
    keys = [key async for key in redis.scan_iter(match=f"{queue.name}:*") if ":seen:" not in key]
    return not keys and await redis.xlen(queue.name) == 0


async def test_the_same_message_posted_twice_is_taken_once(redis, queue):
    assert await queue.add(Note("SM1"))
    assert not await queue.add(Note("SM1"))
    async with working(make_worker(queue)):
        await queue.add(Note("SM2"))
        assert await served(redis, 2) == ["SM1", "SM2"]
        assert not await queue.add(Note("SM1"))
    assert 6 * 24 * 3600 < await redis.ttl(f"{queue.name}:seen:SM1") <= 7 * 24 * 3600


async def test_one_message_posted_to_many_replicas_at_once_is_taken_by_one(queue):
    taken = await asyncio.gather(*(queue.add(Note("SM1")) for _ in range(20)))
    assert sum(taken) == 1


async def test_messages_of_one_conversation_are_served_in_order_by_many_workers(redis, queue):
    async def hesitate(entry: Entry) -> Effects:
        await asyncio.sleep(0.02 if entry.body.endswith("0") else 0)
        return commit(entry)

    words = [f"SM{number}" for number in range(40)]
    async with working(*(make_worker(queue, hesitate) for _ in range(3))):
        for word in words:
            await queue.add(Note(word))
        assert await served(redis, len(words)) == words
        await until(lambda: nothing_left(redis, queue))


async def test_many_conversations_are_served_at_the_same_time(redis, queue):
    everybody_is_here = asyncio.Barrier(10) if hasattr(asyncio, "Barrier") else None
    at_once: set[str] = set()
    most = 0

    async def wait_for_the_others(entry: Entry) -> Effects:
        nonlocal most
        at_once.add(entry.conversation)
        most = max(most, len(at_once))
        if everybody_is_here is not None:
            await everybody_is_here.wait()
        else:
            await asyncio.sleep(0.3)
        at_once.discard(entry.conversation)
        return commit(entry)

    for number in range(10):
        await queue.add(Note(f"SM{number}", f"customer {number}"))
    async with working(make_worker(queue, wait_for_the_others)):
        assert len(await served(redis, 10)) == 10
    assert most == 10


async def test_a_worker_takes_no_more_conversations_than_it_is_allowed(redis, queue):
    at_once, most = 0, 0

    async def count(entry: Entry) -> Effects:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return commit(entry)

    for number in range(9):
        await queue.add(Note(f"SM{number}", f"customer {number}"))
    async with working(make_worker(queue, count, most_conversations=2)):
        await served(redis, 9)
    assert most == 2


async def test_two_workers_never_serve_one_conversation_at_the_same_time(redis, queue):
    inside: set[str] = set()
    overlaps: list[str] = []

    async def watch(entry: Entry) -> Effects:
        if entry.conversation in inside:
            overlaps.append(entry.body)
        inside.add(entry.conversation)
        await asyncio.sleep(0.01)
        inside.discard(entry.conversation)
        return commit(entry)

    async with working(*(make_worker(queue, watch) for _ in range(3))):
        await asyncio.gather(*(queue.add(Note(f"SM{n}", f"customer {n % 3}")) for n in range(45)))
        assert len(await served(redis, 45)) == 45
    assert overlaps == []


async def test_serving_longer_than_a_lease_keeps_the_lease(redis, queue):
    begun: list[str] = []

    async def take_long(entry: Entry) -> Effects:
        begun.append(entry.body)
        await asyncio.sleep(1.0)
        return commit(entry)

    await queue.add(Note("SM1"))
    async with working(make_worker(queue, take_long), make_worker(queue, take_long)):
        assert await served(redis, 1) == ["SM1"]
    assert begun == ["SM1"]


async def test_what_a_dead_worker_held_is_finished_by_another_when_its_lease_is_over(redis, queue):
    await queue.add(Note("SM1"))
    await queue.add(Note("SM2"))
    # The first worker reads, leases, serves, and dies before it commits.
    await queue.read("dead", 16, 10)
    assert set(await queue.read("dead", 16, 10)) == {"ada"}
    held = await queue.take("ada", "the dead worker's token")
    assert held is not None
    died = time.monotonic()
    async with working(make_worker(queue)):
        assert await served(redis, 2) == ["SM1", "SM2"]
        assert time.monotonic() - died > 0.3, "the lease was not respected"
        # It was only very slow: now it wants to commit after all.
        with pytest.raises(LeaseLost):
            await queue.finish(held, "the dead worker's token", commit(held))
        await asyncio.sleep(0.3)
    assert await redis.lrange(SERVED, 0, -1) == ["SM1", "SM2"]
    assert await nothing_left(redis, queue)


async def test_a_worker_that_is_stopped_leaves_its_message_to_the_next(redis, queue):
    began = asyncio.Event()

    async def hang(_: Entry) -> Effects:
        began.set()
        await asyncio.sleep(60)
        raise AssertionError("unreachable")

    await queue.add(Note("SM1"))
    async with working(make_worker(queue, hang)):
        await asyncio.wait_for(began.wait(), 5)
    assert await redis.lrange(SERVED, 0, -1) == []
    async with working(make_worker(queue)):
        assert await served(redis, 1) == ["SM1"]


async def test_without_its_lease_a_worker_writes_nothing(redis, queue):
    await queue.add(Note("SM1"))
    entry = await queue.take("ada", "token")
    assert entry is not None
    with pytest.raises(LeaseLost):
        await queue.finish(entry, "another's", commit(entry))
    assert await redis.exists(SERVED) == 0
    await queue.release("ada", "token")
    with pytest.raises(LeaseLost):
        await queue.finish(entry, "token", commit(entry))
    assert await redis.exists(SERVED) == 0
    assert await queue.take("ada", "token") == entry


async def test_effects_and_removal_are_committed_together_or_not_at_all(redis, queue):
    await queue.add(Note("SM1"))
    entry = await queue.take("ada", "token")
    assert entry is not None

    def break_off(pipeline) -> None:
        pipeline.rpush(SERVED, entry.body)
        raise RuntimeError("while the effects are being put together")

    with pytest.raises(RuntimeError):
        await queue.finish(entry, "token", break_off)
    assert await redis.exists(SERVED) == 0
    await queue.release("ada", "token")
    assert await queue.take("ada", "token") == entry
    assert await queue.finish(entry, "token", commit(entry)) is None
    assert await redis.lrange(SERVED, 0, -1) == ["SM1"]
    assert await queue.take("ada", "token") is None


async def test_a_reply_put_on_another_queue_is_there_exactly_when_its_cause_is_gone(redis, queue):
    replies = ConversationQueue(redis, "test:replies")
    await queue.add(Note("SM1"))
    entry = await queue.take("ada", "token")
    assert entry is not None
    await queue.finish(entry, "token", lambda pipeline: replies.add_in(pipeline, Note("SM1:0")))
    answered = await replies.take("ada", "token")
    assert answered is not None
    assert answered.body == "SM1:0"
    assert await queue.take("ada", "token") is None


async def test_a_lease_is_taken_extended_and_released_by_its_owner_only(queue):
    await queue.add(Note("SM1"))
    entry = await queue.take("ada", "mine")
    assert entry is not None
    assert await queue.take("ada", "yours") is None
    assert not await queue.extend("ada", "yours")
    assert await queue.extend("ada", "mine")
    await queue.release("ada", "yours")
    assert await queue.extend("ada", "mine")
    await queue.release("ada", "mine")
    assert await queue.take("ada", "yours") == entry


async def test_who_finishes_an_entry_is_given_the_next_and_gives_the_lease_back_after_the_last(queue):
    await queue.add(Note("SM1"))
    await queue.add(Note("SM2"))
    first = await queue.take("ada", "token")
    assert first is not None
    second = await queue.finish(first, "token", commit(first))
    assert second is not None
    assert (first.body, second.body) == ("SM1", "SM2")
    assert await queue.extend("ada", "token")
    assert await queue.finish(second, "token", commit(second)) is None
    assert not await queue.extend("ada", "token")


async def test_where_nothing_waits_nobody_is_given_a_lease(redis, queue):
    assert await queue.take("ada", "token") is None
    assert await nothing_left(redis, queue)


async def test_a_row_that_was_trimmed_by_hand_is_passed_over(redis, queue):
    await queue.add(Note("SM1"))
    await queue.add(Note("SM2"))
    await redis.xtrim(queue.name, maxlen=1, approximate=False)
    entry = await queue.take("ada", "token")
    assert entry is not None
    assert entry.body == "SM2"


@pytest.mark.parametrize("failure", [RetryLater("busy"), RetryLater("busy", 0.01), ValueError("a bug")])
async def test_what_fails_some_times_is_repeated_before_the_next_message(redis, queue, failure):
    attempts: list[str] = []

    async def fail_twice(entry: Entry) -> Effects:
        attempts.append(entry.body)
        if len(attempts) <= 2:
            raise failure
        return commit(entry)

    await queue.add(Note("SM1"))
    await queue.add(Note("SM2"))
    async with working(make_worker(queue, fail_twice)):
        assert await served(redis, 2) == ["SM1", "SM2"]
    assert attempts == ["SM1", "SM1", "SM1", "SM2"]


async def test_what_keeps_failing_is_given_up_and_the_conversation_goes_on(redis, queue):
    async def fail_on_the_first(entry: Entry) -> Effects:
        if entry.body == "SM1":
            raise RetryLater("out of order")
        return commit(entry)

    async def apologise(entry: Entry) -> Effects:
        return lambda pipeline: pipeline.rpush(SERVED, f"sorry for {entry.body}")

    await queue.add(Note("SM1"))
    await queue.add(Note("SM2"))
    started = time.monotonic()
    async with working(make_worker(queue, fail_on_the_first, give_up=apologise, give_up_seconds=0.2)):
        assert await served(redis, 2) == ["sorry for SM1", "SM2"]
    assert time.monotonic() - started >= 0.2
    assert await nothing_left(redis, queue)


async def test_one_failing_conversation_does_not_hold_up_the_others(redis, queue):
    async def fail_for_ada(entry: Entry) -> Effects:
        if entry.conversation == "ada":
            raise RetryLater("out of order")
        return commit(entry)

    await queue.add(Note("SM1", "ada"))
    async with working(make_worker(queue, fail_for_ada)):
        await queue.add(Note("SM2", "bola"))
        assert await served(redis, 1) == ["SM2"]


async def test_a_worker_outlives_a_redis_that_lost_everything(redis, queue):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def wait(entry: Entry) -> Effects:
        began.set()
        await go_on.wait()
        return commit(entry)

    async with working(make_worker(queue, wait)):
        await queue.add(Note("SM1"))
        await asyncio.wait_for(began.wait(), 5)
        await redis.flushall()
        go_on.set()
        await queue.add(Note("SM2"))
        assert (await served(redis, 1))[-1] == "SM2"


async def test_of_a_served_message_nothing_stays_but_that_its_id_was_seen(redis, queue):
    """Whose data is deleted may rely on it: the text is not on the stream any more."""
    await queue.add(Note("SM-canary"))
    async with working(make_worker(queue)):
        await served(redis, 1)
        await until(lambda: nothing_left(redis, queue))
    await redis.delete(SERVED)
    left = {key async for key in redis.scan_iter(match="*")}
    assert left == {f"{queue.name}:seen:SM-canary", queue.name}
    assert await redis.get(f"{queue.name}:seen:SM-canary") == "1"
    assert await redis.xrange(queue.name) == []
    assert (await redis.xpending(queue.name, "workers"))["pending"] == 0


async def test_who_says_too_much_is_told_once_and_heard_again_later(redis, queue):
    """Of six messages in a minute three are taken, the fourth is answered, and the rest is not kept."""
    taken = [await queue.add_some(Note(f"SM{n}"), 3, Note("too many")) for n in range(6)]
    assert taken == [Admission.TAKEN] * 3 + [Admission.ONE_TOO_MANY] + [Admission.OVER_LIMIT] * 2
    waiting = [fields["body"] for _, fields in await redis.xrange(queue.name)]
    assert waiting == ["SM0", "SM1", "SM2", "too many"]
    assert 0 < await redis.ttl(f"{queue.name}:rate:ada") <= 60
    others = await queue.add_some(Note("SM7", "eve"), 3, Note("too many"))
    assert others is Admission.TAKEN, "others are heard"


async def test_a_repeated_message_counts_once(redis, queue):
    assert await queue.add_some(Note("SM1"), 1, Note("too many")) is Admission.TAKEN
    assert await queue.add_some(Note("SM1"), 1, Note("too many")) is Admission.DOUBLED
    assert await redis.get(f"{queue.name}:rate:ada") == "1"


async def test_the_oldest_message_tells_since_when_it_waits(redis, queue):
    assert await queue.oldest() is None
    await queue.add(Note("SM1"))
    seconds, microseconds = await redis.time()
    assert abs(await queue.oldest() - (seconds + microseconds / 1e6)) < 60
