"""The sender process: delivers messages and runs the shop's jobs. Run with `python -m jobs`."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import uvloop

from jobs import shop_jobs
from jobs.catalogue_copy import publish_catalogue
from jobs.dispatcher import dispatch_outbox
from jobs.metrics import INVARIANTS_SECONDS, JobMetrics
from jobs.undelivered import note_undelivered
from settings import Settings, read_settings_or_exit
from settings.logs import configure_logs
from settings.memory import keep_what_is_loaded
from settings.metrics import make_registry, serve_metrics
from shop.assembly import make_shop
from shop.errors import describe
from shop.metrics import ShopMetrics
from shop.observing import Observer
from whatsapp.conversation_queue import inbound_queue
from whatsapp.identity import Identity
from whatsapp.redis import SENDER_BEAT_KEY, connect
from whatsapp.sender import Figures, Sender
from whatsapp.twilio_api import TwilioMessages

logger = logging.getLogger(__name__)

DISPATCH_SECONDS = 0.3
CATALOGUE_SECONDS = 1.0
UNDELIVERED_SECONDS = 1.0
BEAT_SECONDS = 1.0


async def run(settings: Settings) -> None:
    """Run everything until the process is told to stop."""
    registry = make_registry()
    metrics = JobMetrics(registry)
    observer = ShopMetrics(registry)
    shop = make_shop(settings, observer=observer)
    redis = connect(settings.redis)
    inbound = inbound_queue(redis)
    figures = Figures.make(registry, settings.shop.timezone, observer.failed)
    sender = Sender(
        redis,
        Identity(settings.privacy),
        TwilioMessages(settings),
        settings.whatsapp,
        figures,
        functools.partial(shop_jobs.note_opt_out, shop),
    )
    repeat = functools.partial(run_for_ever, metrics, observer)
    jobs = [
        repeat("beat", lambda: redis.set(SENDER_BEAT_KEY, "1", ex=5), BEAT_SECONDS),
        sender.worker().run(),
        repeat("outbox", lambda: dispatch_outbox(shop, inbound), DISPATCH_SECONDS),
        repeat("undelivered", lambda: note_undelivered(shop, redis), UNDELIVERED_SECONDS),
        *(
            repeat(job.__name__, functools.partial(asyncio.to_thread, job, shop), pause)
            for job, pause in shop_jobs.PAUSES.items()
        ),
        repeat(
            "catalogue",
            lambda: publish_catalogue(shop, redis, settings.catalogue_minutes),
            CATALOGUE_SECONDS,
        ),
        repeat("invariants", lambda: metrics.look(shop), INVARIANTS_SECONDS),
    ]
    serve_metrics(registry, settings.bind_host, range(settings.metrics_port, settings.metrics_port + 1))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    keep_what_is_loaded()
    logger.info("sender is up")
    try:
        await run_together(jobs, stopped)
    finally:
        await redis.aclose()


class JobEnded(Exception):
    """What should have run until the process is stopped came to an end."""


async def run_together(jobs: Sequence[Coroutine[Any, Any, None]], stopped: asyncio.Event) -> None:
    """Run all of them until `stopped` is set.

    A process of which a part is dead must not look alive to whoever watches it: where one job ends, all do.

    Raises:
        JobEnded: from what that job failed of.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    told = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([*tasks, told], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, told):
        task.cancel()
    await asyncio.gather(*tasks, told, return_exceptions=True)
    for task in done - {told}:
        raise JobEnded() from task.exception()


async def run_for_ever(
    metrics: JobMetrics,
    observer: Observer,
    name: str,
    job: Callable[[], Awaitable[Any]],
    pause_seconds: float,
) -> None:
    """Run a job again and again; whatever it fails of is one line, and tried again."""
    for outcome in ("done", "failed"):
        metrics.runs.labels(name, outcome)  # the first failure is a step, then, and no beginning
    while True:
        try:
            with metrics.seconds.labels(name).time():
                await job()
            metrics.runs.labels(name, "done").inc()
        except Exception as error:
            logger.error("job %s: %s", name, describe(error))
            observer.failed(error)
            metrics.runs.labels(name, "failed").inc()
            await asyncio.sleep(1.0)
        await asyncio.sleep(pause_seconds)


def main() -> None:
    """The process's entry."""
    settings = read_settings_or_exit()
    configure_logs(settings.log_format)
    try:
        uvloop.run(run(settings))
    except JobEnded as ended:
        logger.critical("sender ends: a part of it failed", exc_info=ended.__cause__)
        sys.exit(1)


if __name__ == "__main__":
    main()
