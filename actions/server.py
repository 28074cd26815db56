"""The action server: all actions with the shop they work on, behind Rasa SDK's HTTP contract.

Run with `python -m actions.server`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_answer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from actions import (
    adding_to_cart,
    anywhere,
    awaiting_payment,
    browsing_products,
    changing_the_cart,
    collecting_quantity,
    erasing,
    fulfilment,
    greeting,
    handoff,
    order_complete,
    payment_confirmation,
    reviewing_order,
)
from actions.base import ShopAction
from actions.customer_cache import RedisCustomerCache
from assist.assembly import make_assistant
from assist.assistant import Assistant
from settings import Settings, read_settings_or_exit
from settings.logs import configure_logs
from settings.memory import keep_what_is_loaded
from settings.metrics import FAST, make_registry, serve_metrics
from shop.assembly import make_shop
from shop.metrics import ShopMetrics
from shop.service import Shop
from shop.work import Work
from whatsapp.redis import connect

logger = logging.getLogger(__name__)

SWITCH_SECONDS = 0.02
MODULES = (
    adding_to_cart,
    anywhere,
    awaiting_payment,
    browsing_products,
    changing_the_cart,
    erasing,
    fulfilment,
    greeting,
    handoff,
    reviewing_order,
)
"""Whose actions need nothing but the shop."""


class MeasuringExecutor(ActionExecutor):
    """Rasa SDK's executor, which measures what it runs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._seconds = Histogram(
            "chatcart_action_seconds",
            "How long an action took, also where it failed.",
            ["action"],
            registry=registry,
            buckets=FAST,
        )

    async def run(self, action_call: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Run an action."""
        name = action_call.get("next_action")
        if name not in self.actions:  # whatever was asked for: it makes no label
            return await super().run(action_call, *args, **kwargs)
        began = time.perf_counter()
        try:
            return await super().run(action_call, *args, **kwargs)
        finally:
            seconds = time.perf_counter() - began
            self._seconds.labels(name).observe(seconds)
            logger.debug("action run", extra={"action": name, "milliseconds": round(seconds * 1000, 1)})


def make_executor(
    shop: Shop,
    settings: Settings,
    registry: CollectorRegistry | None = None,
    assistant: Assistant | None = None,
) -> ActionExecutor:
    """All actions, registered as instances that know their shop, and the assistant, where there is one."""
    executor = MeasuringExecutor(registry or CollectorRegistry())
    for module in MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, ShopAction) and kind.__module__ == module.__name__:
                executor.register_action(kind(shop, assistant))
    for notice in payment_confirmation.notice_actions(shop):
        executor.register_action(notice)
    executor.register_action(order_complete.TrackOrder(shop))
    executor.register_action(order_complete.Reorder(shop))
    executor.register_action(order_complete.SendReceipt(shop, settings.public_base_url))
    executor.register_action(collecting_quantity.ValidateQuantity(shop))
    executor.register_action(collecting_quantity.AskQuantity(shop, settings.public_base_url))
    return executor


def make_app(settings: Settings, registry: CollectorRegistry) -> Sanic[Any, Any]:
    """The server, with a database it has reached once."""
    cache = RedisCustomerCache(settings.redis, settings.customer_cache_hours)
    shop = make_shop(settings, cache, ShopMetrics(registry))
    shop.run(_reach_database)
    assistant = make_assistant(settings, connect(settings.redis), registry)
    executor = make_executor(shop, settings, registry, assistant)
    app: Sanic[Any, Any] = create_app(executor, cors_origins=[])

    async def ready(_: Request[Any, Any]) -> HTTPResponse:
        """Whether actions can be run: the process answers, and reaches its database."""
        try:
            await asyncio.to_thread(shop.run, _reach_database)
        except SQLAlchemyError:
            return json_answer({"status": "PostgreSQL is out of reach"}, status=503)
        return json_answer({"status": "ok"})

    app.add_route(ready, "/ready")
    return app


def _reach_database(work: Work) -> None:
    work.session.execute(text("SELECT 1"))


def listen(settings: Settings) -> socket.socket:
    """The socket to serve; several action servers share its port where ACTIONS_PROCESSES says so.

    Python runs one thread at a time: one process is one core, and the kernel spreads the connections.

    Raises:
        OSError: the port is taken.
    """
    address = (settings.bind_host, settings.actions_port)
    return socket.create_server(address, reuse_port=settings.actions_processes > 1)


def share_interpreter() -> None:
    """Let a thread go on until it waits for PostgreSQL, which it does every millisecond: being interrupted
    in between only has the threads of a process wait for each other."""
    sys.setswitchinterval(SWITCH_SECONDS)


def main() -> None:
    """Serve until told to stop."""
    settings = read_settings_or_exit()
    configure_logs(settings.log_format)
    share_interpreter()
    logging.getLogger("rasa_sdk.executor").setLevel(logging.WARNING)  # one line per action
    registry = make_registry()
    app = make_app(settings, registry)
    # Action servers share their own port, so each tells its metrics on one of its own.
    first = settings.metrics_port + 1
    serve_metrics(registry, settings.bind_host, range(first, first + settings.actions_processes))
    keep_what_is_loaded()
    app.run(
        sock=listen(settings),
        single_process=True,
        access_log=False,
        motd=False,
    )


if __name__ == "__main__":
    main()
