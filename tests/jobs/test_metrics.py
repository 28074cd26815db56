"""What the sender process tells of its jobs, and of what does not agree in the books."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry

from jobs.__main__ import JobEnded, run_for_ever, run_together
from jobs.metrics import JobMetrics
from shop.metrics import ShopMetrics

CHECKS = {
    "sold_without_money",
    "undecided_payments",
    "stuck_refunds",
    "reservations_without_order",
    "reserved_differently",
}


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty one."""
    return CollectorRegistry()


async def test_books_that_agree_have_no_violation(shop, registry, test_burger):
    assert await JobMetrics(registry).look(shop) == dict.fromkeys(CHECKS, 0)
    for check in CHECKS:
        assert registry.get_sample_value("chatcart_invariant_violations", {"check": check}) == 0
    assert registry.get_sample_value("chatcart_invariants_checked_timestamp_seconds") > 0


async def test_units_that_nobody_holds_are_a_violation_until_they_are_right(
    shop, registry, make_product, sessions
):
    product = make_product(reserved_quantity=3)
    metrics = JobMetrics(registry)
    await metrics.look(shop)
    labels = {"check": "reserved_differently"}
    assert registry.get_sample_value("chatcart_invariant_violations", labels) == 1
    with sessions.begin() as session:
        session.merge(product).reserved_quantity = 0
    await metrics.look(shop)
    assert registry.get_sample_value("chatcart_invariant_violations", labels) == 0


async def test_a_job_that_fails_is_counted_and_run_again(registry):
    runs: list[None] = []
    again = asyncio.Event()

    async def job() -> None:
        runs.append(None)
        if len(runs) == 1:
            raise ValueError("once")
        if len(runs) == 3:
            again.set()

    observer = ShopMetrics(registry)
    task = asyncio.create_task(run_for_ever(JobMetrics(registry), observer, "sweep", job, 0.01))
    await asyncio.wait_for(again.wait(), 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    failed = {"job": "sweep", "outcome": "failed"}
    assert registry.get_sample_value("chatcart_job_runs_total", failed) == 1
    assert registry.get_sample_value("chatcart_job_runs_total", {**failed, "outcome": "done"}) >= 1
    labels = {"module": "jobs.__main__", "category": "system", "error": "ValueError"}
    assert registry.get_sample_value("chatcart_errors_total", labels) == 1


async def for_ever() -> None:
    await asyncio.Event().wait()


async def dead() -> None:
    raise KeyError("a bug")


async def over() -> None:
    return None


@pytest.mark.parametrize("job", [dead, over])
async def test_where_one_job_ends_the_process_ends(job):
    others = [for_ever(), for_ever()]
    with pytest.raises(JobEnded) as ended:
        await asyncio.wait_for(run_together([*others, job()], asyncio.Event()), 10)
    assert isinstance(ended.value.__cause__, KeyError if job is dead else type(None))


async def test_a_process_that_is_told_to_stop_ends_in_peace():
    stopped = asyncio.Event()
    running = asyncio.create_task(run_together([for_ever(), for_ever()], stopped))
    stopped.set()
    await asyncio.wait_for(running, 10)
