"""The sender process: delivers messages and runs the shop's jobs. Run with `python -m jobs`."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from jobs import shop_jobs
from jobs.catalogue_copy import publish_catalogue
from jobs.dispatcher import dispatch_outbox
from settings import Settings, read_settings_or_exit
from settings.logs import configure_logs
from shop.assembly import make_shop
from shop.errors import describe
from whatsapp.conversation_queue import inbound_queue
from whatsapp.identity import Identity
from whatsapp.redis import SENDER_BEAT_KEY, connect
from whatsapp.sender import Sender
from whatsapp.twilio_api import TwilioMessages

logger = logging.getLogger(__name__)

DISPATCH_SECONDS = 0.3
CATALOGUE_SECONDS = 1.0
BEAT_SECONDS = 1.0


async def run(settings: Settings) -> None:
    """Run everything until the process is told to stop."""
    shop = make_shop(settings)
    redis = connect(settings.redis)
    inbound = inbound_queue(redis)
    sender = Sender(redis, Identity(settings.privacy), TwilioMessages(settings), settings.whatsapp)
    jobs = [
        repeat("beat", lambda: redis.set(SENDER_BEAT_KEY, "1", ex=5), BEAT_SECONDS),
        sender.worker().run(),
        repeat("outbox", lambda: dispatch_outbox(shop, inbound), DISPATCH_SECONDS),
        *(
            repeat(job.__name__, functools.partial(asyncio.to_thread, job, shop), pause)
            for job, pause in shop_jobs.PAUSES.items()
        ),
        repeat(
            "catalogue",
            lambda: publish_catalogue(shop, redis, settings.catalogue_minutes),
            CATALOGUE_SECONDS,
        ),
    ]
    tasks = [asyncio.create_task(job) for job in jobs]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: [task.cancel() for task in tasks])
    logger.info("sender is up")
    await asyncio.gather(*tasks, return_exceptions=True)
    await redis.aclose()


async def repeat(name: str, job: Callable[[], Awaitable[Any]], pause_seconds: float) -> None:
    """Run a job for ever; whatever it fails of is one line, and tried again."""
    while True:
        try:
            await job()
        except Exception as error:
            logger.error("job %s: %s", name, describe(error))
            await asyncio.sleep(1.0)
        await asyncio.sleep(pause_seconds)


def main() -> None:
    """The process's entry."""
    settings = read_settings_or_exit()
    configure_logs(settings.log_format)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
