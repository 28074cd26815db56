"""The assistant: what it proposes, what it tells the model, and where it stops asking."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from assist.assembly import make_assistant
from assist.bounds import FAILURES_TO_OPEN
from assist.situation import Proposal, ProposedLine
from tests.assist.conftest import BURGER, COLA, UNSURE
from tests.assist.stand_in import completion, question_of, reply, says, standing_in

THREE_COLAS = {
    "kind": "order",
    "lines": [{"product": "p1", "quantity": 3, "options": ["large"], "without": ["Ice"]}],
}


async def fails(request, writer):
    await reply(writer, b"{}", "503 Service Unavailable")


async def test_an_order_is_proposed_with_the_ids_of_the_catalogue(make_rig):
    async with standing_in(says(THREE_COLAS)) as server:
        proposal = await make_rig(server.base_url).assistant.propose(UNSURE)
    assert proposal == Proposal(lines=(ProposedLine(COLA.id, "Cola", 3, (("o1", "Large"),), ("ice",)),))


async def test_a_quantity_that_was_not_said_is_one_or_nothing(make_rig):
    one = {"kind": "order", "lines": [{"product": "p2", "quantity": 1, "options": [], "without": []}]}
    async with standing_in(says(one)) as server:
        proposal = await make_rig(server.base_url).assistant.propose(
            replace(UNSURE, text="dat bread with meat", numbers=frozenset())
        )
    assert proposal is not None and proposal.lines == (ProposedLine(BURGER.id, "Burger", 1),)


@pytest.mark.parametrize("intent", ["view_cart", "checkout", "track_order", "help"])
async def test_an_intent_is_proposed(make_rig, intent):
    async with standing_in(says({"kind": "intent", "intent": intent})) as server:
        assert await make_rig(server.base_url).assistant.propose(UNSURE) == Proposal(intent=intent)


@pytest.mark.parametrize(
    "intent",
    ["affirm", "deny", "payment_done", "cancel_order", "clear_cart", "delete_my_data", "stop_messages"],
)
async def test_what_cannot_be_taken_back_is_never_proposed(make_rig, intent):
    async with standing_in(says({"kind": "intent", "intent": intent})) as server:
        rig = make_rig(server.base_url)
        assert await rig.assistant.propose(UNSURE) is None
    assert rig.counted("outcomes_total", outcome="none") == 1


async def test_a_question_is_one_of_ours(make_rig):
    async with standing_in(says({"kind": "clarify", "about": "quantity"})) as server:
        assert await make_rig(server.base_url).assistant.propose(UNSURE) == Proposal(clarify="quantity")


async def test_the_model_is_told_no_number_no_price_and_no_pseudonym(make_rig):
    typed = "my number na +234 803 123 4567, mail ada@example.com, 3 black fizzy"
    async with standing_in(says({"kind": "none"})) as server:
        await make_rig(server.base_url, api_key="a-key").assistant.propose(replace(UNSURE, text=typed))
    sent = str(server.requests[0])
    for private in (UNSURE.customer, "803", "4567", "ada@example", COLA.id, "o1"):
        assert private not in sent
    told = question_of(server.requests[0])
    assert set(told) == {"candidates", "state", "language", "cart", "before", "message"}
    assert set(told["candidates"][0]) == {"key", "name", "category", "options", "can leave out"}
    assert "3 black fizzy" in sent and "1 × Burger" in sent
    assert "Bearer a-key" in server.headers[0]


async def test_the_schema_names_the_candidates_and_nothing_else(make_rig):
    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url)
        await rig.assistant.propose(UNSURE)
        await rig.assistant.propose(replace(UNSURE, candidates=()))
    with_candidates, without = (
        request["response_format"]["json_schema"]["schema"]["properties"]["command"]["anyOf"]
        for request in server.requests
    )
    line = with_candidates[0]["properties"]["lines"]["items"]
    assert line["properties"]["product"] == {"enum": ["p1", "p2"]}
    assert line["properties"]["options"]["items"] == {"enum": ["Large"]}
    assert [kind["properties"]["kind"]["const"] for kind in without] == ["intent", "clarify", "none"]


async def test_the_same_question_is_asked_once_and_kept_sealed(make_rig, redis):
    async with standing_in(says(THREE_COLAS)) as server:
        rig = make_rig(server.base_url)
        proposals = [await rig.assistant.propose(UNSURE) for _ in range(3)]
        assert len(server.requests) == 1
        await rig.assistant.propose(replace(UNSURE, catalogue_version="v2"))
        await rig.assistant.propose(replace(UNSURE, state="GREETING"))
        assert len(server.requests) == 3
    assert proposals[0] == proposals[1] == proposals[2]
    assert (rig.counted("cache_total", result="hit"), rig.counted("calls_total")) == (2, 3)
    keys = await redis.keys("chatcart:llm:answer:*")
    assert len(keys) == 3
    for key in keys:
        assert "order" not in str(await redis.get(key)) and 0 < await redis.ttl(key) <= 24 * 3600


async def test_after_some_failures_the_server_is_left_alone(make_rig):
    async with standing_in(fails) as server:
        rig = make_rig(server.base_url)
        for number in range(FAILURES_TO_OPEN + 3):
            assert await rig.assistant.propose(replace(UNSURE, text=f"{number} of them")) is None
        assert len(server.requests) == FAILURES_TO_OPEN
    assert rig.counted("breaker_open") == 1
    assert rig.counted("outcomes_total", outcome="left_alone") == 3


async def test_answers_that_make_no_sense_are_no_reason_to_leave_it_alone(make_rig):
    """Else one customer could take the help away from all others."""
    wrong = {"kind": "order", "lines": [{"product": "p9", "quantity": 1, "options": [], "without": []}]}
    async with standing_in(says(wrong)) as server:
        rig = make_rig(server.base_url)
        for number in range(FAILURES_TO_OPEN + 1):
            await rig.assistant.propose(replace(UNSURE, text=f"{number} of them"))
        assert len(server.requests) == FAILURES_TO_OPEN + 1
    assert rig.counted("breaker_open") == 0


async def test_no_more_at_once_than_allowed_and_nobody_waits_for_a_place(make_rig):
    arrived, released = asyncio.Semaphore(0), asyncio.Event()

    async def held(request, writer):
        arrived.release()
        await released.wait()
        await reply(writer, completion('{"command": {"kind": "none"}}'))

    async with standing_in(held) as server:
        rig = make_rig(server.base_url, most_at_once=2, deadline_seconds=5)
        waiting = [
            asyncio.create_task(rig.assistant.propose(replace(UNSURE, text=f"{number} of them")))
            for number in range(2)
        ]
        for _ in waiting:
            await arrived.acquire()
        assert await rig.assistant.propose(UNSURE) is None
        assert rig.counted("outcomes_total", outcome="busy") == 1
        released.set()
        await asyncio.gather(*waiting)
    assert len(server.requests) == 2


async def test_a_customer_has_a_budget_and_so_has_the_day(make_rig, redis):
    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url, daily_calls=5, daily_calls_per_customer=3)
        for customer in ("ada", "ada", "ada", "ada", "bola", "bola", "bola"):
            text = f"{len(server.requests)} of them {customer}"
            await rig.assistant.propose(replace(UNSURE, customer=customer, text=text))
        assert len(server.requests) <= 5
    assert rig.counted("outcomes_total", outcome="customer_budget") == 1
    assert rig.counted("outcomes_total", outcome="daily_budget") >= 1
    day = datetime.now(UTC).strftime("%Y%m%d")
    assert 0 < await redis.ttl(f"chatcart:llm:calls:{day}:ada") <= 2 * 24 * 3600


async def test_what_is_refused_to_one_customer_uses_up_nothing_of_the_others(make_rig):
    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url, daily_calls=4, daily_calls_per_customer=2)
        for number in range(20):
            await rig.assistant.propose(replace(UNSURE, customer="mallory", text=f"{number} of them"))
        await rig.assistant.propose(replace(UNSURE, customer="ada"))
        assert len(server.requests) == 3
    assert rig.counted("outcomes_total", outcome="daily_budget") == 0


async def test_bounds_are_asked_before_anything_is_read(make_rig):
    async with standing_in(fails) as server:
        rig = make_rig(server.base_url, daily_calls_per_customer=2)
        assert await rig.assistant.may_ask("ada")
        for number in range(2):
            await rig.assistant.propose(replace(UNSURE, customer="ada", text=f"{number} of them"))
        assert not await rig.assistant.may_ask("ada")
        assert await rig.assistant.may_ask("bola"), "looking is no call"
        for number in range(FAILURES_TO_OPEN):
            await rig.assistant.propose(replace(UNSURE, customer=f"c{number}", text=f"{number} of them"))
        assert not await rig.assistant.may_ask("bola")
    assert rig.counted("outcomes_total", outcome="customer_budget") == 1
    assert rig.counted("outcomes_total", outcome="left_alone") >= 1


async def test_a_call_that_is_cancelled_is_no_sign_that_the_server_is_well(make_rig):
    arrived = asyncio.Semaphore(0)

    async def hangs_at_times(request, writer):
        if "hang" not in question_of(request)["message"]:
            await fails(request, writer)
            return
        arrived.release()
        await asyncio.Event().wait()

    async with standing_in(hangs_at_times) as server:
        rig = make_rig(server.base_url, deadline_seconds=5)
        for number in range(FAILURES_TO_OPEN - 1):
            await rig.assistant.propose(replace(UNSURE, text=f"{number} of them"))
        hanging = asyncio.create_task(rig.assistant.propose(replace(UNSURE, text="2 that hang")))
        await arrived.acquire()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        await rig.assistant.propose(replace(UNSURE, text="7 of them"))
    assert rig.counted("breaker_open") == 1


async def test_a_server_that_was_left_alone_is_tried_with_one_call(make_rig, monkeypatch):
    arrived, well = asyncio.Semaphore(0), asyncio.Event()

    async def recovers(request, writer):
        if "again" not in question_of(request)["message"]:
            await fails(request, writer)
            return
        arrived.release()
        await well.wait()
        await reply(writer, completion('{"command": {"kind": "none"}}'))

    monkeypatch.setattr("assist.assistant.OPEN_SECONDS", 0.05)
    async with standing_in(recovers) as server:
        rig = make_rig(server.base_url, deadline_seconds=5)
        for number in range(FAILURES_TO_OPEN):
            await rig.assistant.propose(replace(UNSURE, text=f"{number} of them"))
        await asyncio.sleep(0.1)
        trying = asyncio.create_task(rig.assistant.propose(replace(UNSURE, text="1 again")))
        await arrived.acquire()
        assert not await rig.assistant.may_ask("bola")
        assert await rig.assistant.propose(replace(UNSURE, text="2 again")) is None
        assert len(server.requests) == FAILURES_TO_OPEN + 1
        well.set()
        await trying
        await rig.assistant.propose(replace(UNSURE, text="3 again"))
        assert len(server.requests) == FAILURES_TO_OPEN + 2


async def test_the_log_names_the_model(make_rig, caplog):
    async with standing_in(fails) as server:
        await make_rig(server.base_url).assistant.propose(UNSURE)
    told = [record.getMessage() for record in caplog.records if record.name == "assist.assistant"]
    assert told == ["the language model tiny did not help: server_error"]


async def test_without_redis_nothing_is_asked(settings, make_rig):
    class Gone:
        """No Redis on the other side."""

        def __getattr__(self, name):
            raise OSError("gone")

    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url)
        rig.assistant._budget._redis = rig.assistant._cache._redis = Gone()
        assert await rig.assistant.propose(UNSURE) is None
        assert server.requests == []
    assert rig.counted("outcomes_total", outcome="not_counted") == 1


async def test_tokens_and_their_cost_are_counted(make_rig):
    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url, input_cost=Decimal("0.15"), output_cost=Decimal("0.60"))
        await rig.assistant.propose(UNSURE)
    assert (rig.counted("tokens_total", direction="in"), rig.counted("tokens_total", direction="out")) == (
        200,
        20,
    )
    assert rig.counted("cost_total") == pytest.approx((200 * 0.15 + 20 * 0.60) / 1_000_000)


async def test_without_a_server_there_is_no_assistant(settings, redis):
    assert make_assistant(settings, redis, CollectorRegistry()) is None


async def test_what_is_within_bounds_is_no_news(make_rig, caplog):
    async with standing_in(says({"kind": "none"})) as server:
        rig = make_rig(server.base_url, daily_calls=0)
        with caplog.at_level(logging.INFO):
            await rig.assistant.propose(UNSURE)
        assert server.requests == []
    assert [record for record in caplog.records if record.name.startswith("assist")] == []
