"""What other customers notice while the language model hangs: their turns in one action server."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry

from actions.server import make_executor
from assist.assembly import make_assistant
from bench.customers import load_products
from bench.place import Place
from deploy.local.servers import EmbeddedValkey
from settings import LlmSettings, RedisSettings, Settings
from shop.service import Shop
from tests.actions.tracker import Talk
from tests.assist.stand_in import standing_in
from whatsapp.identity import Identity
from whatsapp.redis import connect

RUNS, CUSTOMERS, TURNS, HANGING = 5, 4, 40, 4
TARGET = 1.2

Figures = tuple[float, float]


async def never(request: dict[str, object], writer: asyncio.StreamWriter) -> None:
    """A model that does not answer."""
    await asyncio.sleep(60)


def measure(place: Place) -> tuple[list[Figures], list[Figures]]:
    """p50 and p95 of other customers' turns in seconds, without and with a model that hangs, run by run."""
    load_products(place)
    engine = place.make_engine()
    shop = place.make_shop(engine)
    with TemporaryDirectory(prefix="chatcart-bench-") as folder:
        valkey = EmbeddedValkey(Path(folder))
        redis = RedisSettings("127.0.0.1", valkey.port, valkey.password, False)
        try:
            return asyncio.run(_interleaved(shop, replace(place.settings, redis=redis)))
        finally:
            valkey.stop()
            engine.dispose()


async def _interleaved(shop: Shop, settings: Settings) -> tuple[list[Figures], list[Figures]]:
    without: list[Figures] = []
    beside: list[Figures] = []
    await _run(shop, settings, hang=False)  # connections and caches are warm
    for _ in range(RUNS):
        without.append(await _run(shop, settings, hang=False))
        beside.append(await _run(shop, settings, hang=True))
    return without, beside


async def _run(shop: Shop, settings: Settings, *, hang: bool) -> Figures:
    async with standing_in(never) as server:
        # The breaker would spare the others after five failures: each run has a new one.
        llm = LlmSettings(server.base_url, "hangs", daily_calls_per_customer=10_000, daily_calls=1_000_000)
        redis = connect(settings.redis)
        assistant = make_assistant(replace(settings, llm=llm), redis, CollectorRegistry())
        identity = Identity(settings.privacy)
        executor = make_executor(shop, settings, None, assistant)
        numbers = [f"+23480320{number:05d}" for number in range(CUSTOMERS + HANGING)]
        talks = [Talk(executor, identity.pseudonym(each), identity.seal(each)) for each in numbers]
        unclear = [asyncio.create_task(_unclear(talk)) for talk in talks[CUSTOMERS:]] if hang else []
        seconds = [x for each in await asyncio.gather(*map(_shops, talks[:CUSTOMERS])) for x in each]
        for task in unclear:
            task.cancel()
        await asyncio.gather(*unclear, return_exceptions=True)
        await redis.aclose()
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49], cuts[94]


async def _shops(talk: Talk) -> list[float]:
    """A customer looks around; the time of each turn."""
    seconds = []
    for turn in range(TURNS):
        talk.events.clear()
        talk.hears("menu", intent="browse_menu", message_id=f"{talk.sender_id}:{time.monotonic_ns()}:{turn}")
        began = time.perf_counter()
        await talk.does("action_show_menu")
        seconds.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    return seconds


async def _unclear(talk: Talk) -> None:
    """A customer who is not understood, again and again."""
    turn = 0
    while True:
        talk.events.clear()
        talk.slots["misunderstood"] = 0
        turn += 1
        message_id = f"{talk.sender_id}:{time.monotonic_ns()}"
        talk.hears(f"{turn} of dem black fizzy", intent="out_of_scope", message_id=message_id)
        await talk.does("action_not_understood")
