"""A few turns work at a time, in the order in which they came; who waits for others makes room."""

from __future__ import annotations

import asyncio

import pytest

from dialogue.at_work import AtWork, Place

IMPATIENCE = 0.05


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialogue.at_work.PATIENCE_SECONDS", IMPATIENCE)


async def test_no_more_than_that_many_work_at_a_time_and_they_work_in_their_order():
    at_work, working, begun, most = AtWork(2), 0, [], 0

    async def work(number: int) -> None:
        nonlocal working, most
        async with at_work.place():
            begun.append(number)
            working += 1
            most = max(most, working)
            await asyncio.sleep(0.001)
            working -= 1

    await asyncio.gather(*(work(number) for number in range(20)))
    assert most == 2
    assert begun == list(range(20))


async def test_who_waits_for_a_slow_one_makes_room_once_and_goes_on_without():
    at_work = AtWork(1)
    slow, served = asyncio.Event(), []

    async def wait_for_slow_one() -> None:
        async with at_work.place() as place:
            with place.waiting():
                await slow.wait()
            served.append("slow")

    async def be_served(name: str) -> None:
        async with at_work.place():
            served.append(name)

    waiting = asyncio.create_task(wait_for_slow_one())
    await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(be_served("one"), be_served("two")), 5)
    slow.set()
    await waiting
    assert served == ["one", "two", "slow"]
    # The place that was left is not given back a second time: one works at a time, as before.
    async with at_work.place():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(be_served("three"), IMPATIENCE)


async def test_who_is_answered_at_once_keeps_its_place():
    left = []
    place = Place(lambda: left.append("left"))
    with place.waiting():
        await asyncio.sleep(0)
    await asyncio.sleep(2 * IMPATIENCE)
    assert left == []
    place.leave()
    place.leave()
    assert left == ["left"]


async def test_a_turn_that_fails_leaves_its_place():
    at_work = AtWork(1)
    with pytest.raises(ValueError, match="a bug"):
        async with at_work.place():
            raise ValueError("a bug")
    async with at_work.place():
        pass
