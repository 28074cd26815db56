"""One message of a conversation at a time: what Rasa's own lock store promises, and what ours adds."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rasa.core.lock_store import InMemoryLockStore, LockError, LockStore
from rasa.core.utils import AvailableEndpoints

import whatsapp.redis
from dialogue import lock_store
from dialogue.lock_store import ISSUE, LOOK, ConversationLockStore
from dialogue.turn import Turn, current_turn

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0
OURS = "ours"
MakeStore = Callable[[], ConversationLockStore]

COUNT_IN_TURNS = """
import asyncio, sys
from dialogue.lock_store import ConversationLockStore
from tests.dialogue.test_lock_store import count_in_turns
print("counting", flush=True)
asyncio.run(count_in_turns(ConversationLockStore(), sys.argv[1]))
"""
HOLD_FOR_EVER = """
import asyncio, sys
from dialogue.lock_store import ConversationLockStore
async def main():
    async with ConversationLockStore().lock(sys.argv[1], lock_lifetime=1):
        print("holding", flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


@pytest.fixture
def conversation() -> str:
    """A conversation that nobody else has."""
    return uuid.uuid4().hex


@pytest.fixture
def redis_address(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name a real Redis."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if not port:
        pytest.skip("needs a Redis: CHATCART_TEST_REDIS_PORT is not set")
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", port)
    monkeypatch.setenv("REDIS_PASSWORD", os.environ.get("CHATCART_TEST_REDIS_PASSWORD", ""))


@pytest.fixture
async def make_store(redis_address: None) -> AsyncIterator[MakeStore]:
    """Makes stores, each with connections of its own, as processes have."""
    made: list[ConversationLockStore] = []

    def make() -> ConversationLockStore:
        made.append(ConversationLockStore())
        return made[-1]

    yield make
    for store in made:
        await store._redis.close()
        store._blocking_redis.close()


@pytest.fixture
def ours(make_store: MakeStore) -> ConversationLockStore:
    """Our store on a real Redis."""
    return make_store()


@pytest.fixture(params=[OURS, "Rasa's"])
def store(request: pytest.FixtureRequest) -> LockStore:
    """Each store that a contract holds for."""
    return request.getfixturevalue("ours") if request.param == OURS else InMemoryLockStore()


@pytest.fixture
def no_redis(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name a port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
        monkeypatch.setenv("REDIS_PORT", str(unused.getsockname()[1]))


@pytest.fixture
def turn() -> Iterator[Turn]:
    """A turn of the consumer."""
    turn = Turn()
    context = current_turn.set(turn)
    yield turn
    current_turn.reset(context)


async def soon(waited_for: Awaitable[Any]) -> Any:
    """What is waited for, but not for ever."""
    return await asyncio.wait_for(waited_for, PATIENCE_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


def tickets(store: LockStore, conversation: str) -> list[int]:
    """The tickets of a conversation, in their order."""
    lock = store.get_lock(conversation)
    return [ticket.number for ticket in lock.tickets] if lock else []


async def serve(store: LockStore, conversation: str, name: str, served: list[str]) -> None:
    """Be served once, and note it."""
    async with store.lock(conversation, wait_time_in_seconds=0.01):
        served.append(name)


async def in_line(
    store: LockStore, conversation: str, name: str, served: list[str], other: LockStore | None = None
) -> asyncio.Task[None]:
    """Somebody who has just taken a ticket behind those who hold one; at another store if there is one."""
    before = len(tickets(store, conversation))
    task = asyncio.create_task(serve(other or store, conversation, name, served))
    await until(lambda: task.done() or len(tickets(store, conversation)) > before)
    return task


async def keys_of(store: ConversationLockStore, conversation: str) -> list[str]:
    """What is in Redis about a conversation."""
    return [key async for key in store._redis.scan_iter(match=f"*{conversation}*", count=1000)]


async def count_in_turns(store: ConversationLockStore, conversation: str) -> None:
    """Read a number and write the next one, which goes wrong for two at once."""
    for _ in range(50):
        async with store.lock(conversation):
            number = int(await store._redis.get(f"test:count:{conversation}") or 0)
            await asyncio.sleep(0.001)
            await store._redis.set(f"test:count:{conversation}", number + 1, ex=60)


@asynccontextmanager
async def process(program: str, conversation: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that uses the lock; killed afterwards if it still runs."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, conversation, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


# What Rasa calls, and what it may rely on.


async def test_who_comes_first_is_served_first(store, conversation):
    served: list[str] = []
    async with store.lock(conversation):
        waiting = [await in_line(store, conversation, name, served) for name in "abcde"]
        assert served == []
    await soon(asyncio.gather(*waiting))
    assert served == list("abcde")


async def test_one_at_a_time_is_served(store, conversation):
    inside = most = 0

    async def enter() -> None:
        nonlocal inside, most
        async with store.lock(conversation, wait_time_in_seconds=0.001):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.002)
            inside -= 1

    await soon(asyncio.gather(*(enter() for _ in range(20))))
    assert most == 1


async def test_another_conversation_does_not_wait(store, conversation):
    served: list[str] = []
    async with store.lock(conversation):
        await soon(serve(store, conversation + "-other", "other", served))
    assert served == ["other"]


async def test_the_lock_that_one_is_given_is_open_for_its_ticket(store, conversation):
    async with store.lock(conversation) as lock:
        assert lock.conversation_id == conversation
        assert not lock.is_locked(tickets(store, conversation)[0])


async def test_who_fails_makes_room_for_the_next(store, conversation):
    with pytest.raises(ZeroDivisionError):
        async with store.lock(conversation):
            raise ZeroDivisionError()
    served: list[str] = []
    await soon(serve(store, conversation, "next", served))
    assert served == ["next"]


async def test_who_stops_waiting_holds_nobody_up(store, conversation):
    served: list[str] = []
    async with store.lock(conversation):
        impatient = await in_line(store, conversation, "impatient", served)
        patient = await in_line(store, conversation, "patient", served)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(impatient)
        assert len(tickets(store, conversation)) == 2
    await soon(patient)
    assert served == ["patient"]


async def test_when_all_were_served_nothing_is_left(store, conversation):
    served: list[str] = []
    async with store.lock(conversation):
        waiting = await in_line(store, conversation, "a", served)
    await soon(waiting)
    assert store.get_lock(conversation) is None
    assert not store.is_someone_waiting(conversation)


def test_tickets_issued_by_hand_are_different_and_in_order(store, conversation):
    issued = [store.issue_ticket(conversation) for _ in range(3)]
    assert len(set(issued)) == 3
    assert tickets(store, conversation) == issued
    store.delete_lock(conversation)
    assert store.get_lock(conversation) is None


def test_cleaning_up_after_one_leaves_those_behind_it(store, conversation):
    first, second = store.issue_ticket(conversation), store.issue_ticket(conversation)
    store.cleanup(conversation, first)
    assert tickets(store, conversation) == [second]
    assert store.is_someone_waiting(conversation)
    store.cleanup(conversation, second)
    assert not store.is_someone_waiting(conversation)
    assert store.get_lock(conversation) is None


def test_a_ticket_is_finished_without_the_lock_being_deleted(store, conversation):
    first, second = store.issue_ticket(conversation), store.issue_ticket(conversation)
    store.finish_serving(conversation, first)
    assert tickets(store, conversation) == [second]
    store.cleanup(conversation, second)


def test_cleaning_up_where_nothing_is_harms_nothing(store, conversation):
    store.cleanup(conversation, 7)
    store.delete_lock(conversation)
    assert store.get_lock(conversation) is None


async def test_a_ticket_that_expired_holds_nobody_up(store, conversation):
    store.issue_ticket(conversation, lock_lifetime=0.2)
    served: list[str] = []
    await soon(serve(store, conversation, "next", served))
    assert served == ["next"]


# What ours adds: other processes, the owner's right, waking, and an end of everything.


def test_rasa_loads_it_from_the_endpoints(redis_address):
    endpoints = AvailableEndpoints.read_endpoints(str(ROOT / "endpoints.yml"))
    assert isinstance(LockStore.create(endpoints.lock_store), ConversationLockStore)


async def test_between_two_clients_the_order_holds(make_store, conversation):
    one, other = make_store(), make_store()
    served: list[str] = []
    async with one.lock(conversation):
        waiting = [await in_line(one, conversation, name, served, other) for name in "ab"]
        waiting.append(await in_line(one, conversation, "c", served))
        waiting.append(await in_line(one, conversation, "d", served, other))
    await soon(asyncio.gather(*waiting))
    assert served == list("abcd")


async def test_two_processes_never_serve_a_conversation_at_once(ours, conversation):
    async with process(COUNT_IN_TURNS, conversation) as other:
        assert await soon(other.stdout.readline()) == b"counting\n"
        await soon(asyncio.gather(count_in_turns(ours, conversation), count_in_turns(ours, conversation)))
        assert await soon(other.wait()) == 0
    assert await ours._redis.getdel(f"test:count:{conversation}") == "150"
    assert await keys_of(ours, conversation) == []


async def test_a_killed_holder_is_followed_by_who_waits(ours, conversation):
    async with process(HOLD_FOR_EVER, conversation) as holder:
        assert await soon(holder.stdout.readline()) == b"holding\n"
        held = tickets(ours, conversation)
        served: list[str] = []
        waiting = await in_line(ours, conversation, "next", served)
        holder.kill()
        await soon(waiting)
    assert len(held) == 1
    assert served == ["next"]
    assert await keys_of(ours, conversation) == []


async def test_a_killed_waiter_is_passed_over(ours, conversation):
    served: list[str] = []
    async with ours.lock(conversation):
        ours.issue_ticket(conversation, lock_lifetime=0.2)
        waiting = await in_line(ours, conversation, "next", served)
    await soon(waiting)
    assert served == ["next"]
    assert await keys_of(ours, conversation) == []


async def test_who_held_it_too_long_cannot_release_its_follower(make_store, conversation):
    slow, follower = make_store(), make_store()
    overdue = slow.issue_ticket(conversation, lock_lifetime=0.05)
    async with follower.lock(conversation):
        held = tickets(follower, conversation)
        slow.cleanup(conversation, overdue)
        assert tickets(follower, conversation) == held
        assert overdue not in held


def test_a_ticket_of_another_conversation_or_of_nobody_releases_nothing(ours, conversation):
    mine, another = ours.issue_ticket(conversation), ours.issue_ticket(conversation + "-other")
    ours.cleanup(conversation, another)
    ours.cleanup(conversation, 0)
    assert tickets(ours, conversation) == [mine]
    assert tickets(ours, conversation + "-other") == [another]
    ours.delete_lock(conversation)
    ours.delete_lock(conversation + "-other")


async def test_a_waiter_is_woken_by_who_goes(ours, conversation, monkeypatch):
    waits, blpop = [], ours._redis.blpop
    called = asyncio.Event()

    async def noted(*arguments: Any, **values: Any) -> Any:
        called.set()
        waits.append(await blpop(*arguments, **values))
        return waits[-1]

    monkeypatch.setattr(ours._redis, "blpop", noted)
    served: list[str] = []
    async with ours.lock(conversation):
        waiting = asyncio.create_task(serve(ours, conversation, "next", served))
        await soon(called.wait())
    await soon(waiting)
    assert served == ["next"]
    assert waits[-1] is not None, "it was not woken, it looked again"


async def test_who_waits_longer_than_a_lifetime_keeps_its_place(ours, conversation, monkeypatch):
    looks, eval_script = [], ours._redis.eval

    def noted(script: str, *arguments: Any) -> Any:
        looks.append(script)
        return eval_script(script, *arguments)

    async def wait_long() -> None:
        async with ours.lock(conversation, lock_lifetime=1):
            served.append("patient")

    served: list[str] = []
    async with ours.lock(conversation):
        monkeypatch.setattr(ours._redis, "eval", noted)
        waiting = asyncio.create_task(wait_long())
        await until(lambda: looks.count(LOOK) > 4)
        assert served == []
    await soon(waiting)
    assert served == ["patient"]


async def test_a_request_that_is_sent_twice_takes_one_place(ours, conversation):
    for _ in range(2):
        await ours._redis.eval(*lock_store._arguments(ISSUE, conversation, 5, 60_000))
    assert tickets(ours, conversation) == [5]
    ours.cleanup(conversation, 5)
    assert await keys_of(ours, conversation) == []


async def test_everything_in_redis_expires(ours, conversation):
    killed, also_killed = ours.issue_ticket(conversation), ours.issue_ticket(conversation, lock_lifetime=3600)
    ours.cleanup(conversation, killed)
    keys = await keys_of(ours, conversation)
    prefixes = (lock_store.LIST_PREFIX, lock_store.TICKET_PREFIX, lock_store.WAKE_PREFIX)
    assert [sum(key.startswith(prefix) for key in keys) for prefix in prefixes] == [1, 1, 1]
    assert all([await ours._redis.pttl(key) > 0 for key in keys])
    ours.cleanup(conversation, also_killed)
    assert await keys_of(ours, conversation) == []


async def test_who_waits_for_a_deleted_lock_is_told(ours, conversation, monkeypatch):
    monkeypatch.setattr(lock_store, "LONGEST_WAIT_SECONDS", 0.05)
    async with ours.lock(conversation):
        waiting = await in_line(ours, conversation, "next", [])
        ours.delete_lock(conversation)
        with pytest.raises(LockError):
            await soon(waiting)


async def test_waiting_uses_no_blocking_client(ours, conversation, monkeypatch):
    monkeypatch.setattr(lock_store, "Redis", None)
    served: list[str] = []
    async with ours.lock(conversation):
        waiting = asyncio.create_task(serve(ours, conversation, "next", served))
        await asyncio.sleep(0)
    await soon(waiting)
    monkeypatch.undo()
    assert served == ["next"]


def test_a_lock_is_never_written_back_as_a_whole(ours, conversation):
    with pytest.raises(NotImplementedError):
        ours.save_lock(ours.create_lock(conversation))


async def test_in_a_turn_the_consumer_is_the_only_one_and_redis_is_not_asked(no_redis, turn, conversation):
    store = ConversationLockStore()
    async with store.lock(conversation) as outer, store.lock(conversation):
        assert outer.conversation_id == conversation


async def test_without_redis_the_message_is_refused(no_redis, conversation):
    store = ConversationLockStore()
    with pytest.raises(LockError):
        async with store.lock(conversation):
            raise AssertionError("served without a lock")
    for call in (store.issue_ticket, store.get_lock, store.is_someone_waiting, store.delete_lock):
        with pytest.raises(LockError):
            call(conversation)
    with pytest.raises(LockError):
        store.cleanup(conversation, 1)


async def test_a_redis_that_never_answers_is_not_waited_for(environment, monkeypatch, conversation):
    monkeypatch.setattr(whatsapp.redis, "ANSWER_SECONDS", 0.1)
    gone = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", str(server.sockets[0].getsockname()[1]))
    with pytest.raises(LockError):
        await soon(serve(ConversationLockStore(), conversation, "nobody", []))
    gone.set()
    server.close()


async def test_what_was_served_while_redis_went_down_is_served(ours, conversation, monkeypatch, caplog):
    async with ours.lock(conversation, lock_lifetime=0.2):
        with monkeypatch.context() as down:
            down.setenv("REDIS_PORT", "1")
            monkeypatch.setattr(ours, "_redis", ConversationLockStore()._redis)
    monkeypatch.undo()
    assert "the ticket ends by itself" in caplog.text
    await until(lambda: tickets(ours, conversation) == [])
