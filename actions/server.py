"""The action server: all actions with the shop they work on, behind Rasa SDK's HTTP contract.

Run with `python -m actions.server`.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import Any

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic
from sqlalchemy import text

from actions import (
    adding_to_cart,
    anywhere,
    awaiting_payment,
    browsing_products,
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
from settings import Settings, read_settings_or_exit
from settings.logs import configure_logs
from shop.assembly import make_shop
from shop.service import Shop

SWITCH_SECONDS = 0.02
MODULES = (
    adding_to_cart,
    anywhere,
    awaiting_payment,
    browsing_products,
    erasing,
    fulfilment,
    greeting,
    handoff,
    reviewing_order,
)
"""Whose actions need nothing but the shop."""


def make_executor(shop: Shop, settings: Settings) -> ActionExecutor:
    """All actions, registered as instances that know their shop."""
    executor = ActionExecutor()
    for module in MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, ShopAction) and kind.__module__ == module.__name__:
                executor.register_action(kind(shop))
    for notice in payment_confirmation.notice_actions(shop):
        executor.register_action(notice)
    executor.register_action(order_complete.TrackOrder(shop))
    executor.register_action(order_complete.Reorder(shop))
    executor.register_action(order_complete.SendReceipt(shop, settings.public_base_url))
    executor.register_action(collecting_quantity.ValidateQuantity(shop))
    executor.register_action(collecting_quantity.AskQuantity(shop, settings.public_base_url))
    return executor


def make_app(settings: Settings) -> Sanic[Any, Any]:
    """The server, with a database it has reached once."""
    shop = make_shop(settings, RedisCustomerCache(settings.redis, settings.customer_cache_hours))
    shop.run(lambda work: work.session.execute(text("SELECT 1")))
    app: Sanic[Any, Any] = create_app(make_executor(shop, settings), cors_origins=[])
    return app


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
    make_app(settings).run(
        sock=listen(settings),
        single_process=True,
        access_log=False,
        motd=False,
    )


if __name__ == "__main__":
    main()
