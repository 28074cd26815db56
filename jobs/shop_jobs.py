"""The shop's own clock: what becomes due without a customer.

Each job takes its rows with FOR UPDATE SKIP LOCKED, or claims them in a transaction of their own before
it asks anybody else: several replicas share the work (docs/decisions/0007-jobs.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from shop import cart, customers, handoffs, misunderstandings, orders, stock
from shop.errors import describe
from shop.payments import flow
from shop.service import Shop

logger = logging.getLogger(__name__)


def expire_orders(shop: Shop) -> int:
    """End unpaid orders whose time is over."""
    return flow.expire_due(shop)


def check_payments(shop: Shop) -> int:
    """Ask providers about payments of which nothing was heard."""
    return flow.check_due(shop)


def close_payments(shop: Shop) -> int:
    """Close payments of orders that were cancelled or edited at their providers."""
    return flow.close_due(shop)


def send_refunds(shop: Shop) -> int:
    """Carry out refunds."""
    return flow.send_refunds(shop)


def free_units(shop: Shop) -> int:
    """Free units that were held for too long."""
    return shop.run(stock.free_expired)


def remind(shop: Shop) -> int:
    """Remind customers of orders that are about to time out."""
    return shop.run(orders.remind)


def abandon_carts(shop: Shop) -> int:
    """Give up carts that nobody touched for long."""
    return shop.run(cart.abandon_expired)


def hand_back(shop: Shop) -> int:
    """Give conversations that nobody writes in any more back to the bot."""
    return shop.run(handoffs.close_silent)


def forget_misunderstandings(shop: Shop) -> int:
    """Forget what was misunderstood long ago."""
    return shop.run(misunderstandings.forget_old)


def note_opt_out(shop: Shop, conversation: str) -> None:
    """A customer opted out with WhatsApp. A database that is away is no reason not to send to others."""
    try:
        shop.run(lambda work: customers.note_opt_out(work, conversation))
    except SQLAlchemyError as error:
        logger.error("an opt-out is not noted: %s", describe(error))


PAUSES: dict[Callable[[Shop], int], float] = {
    expire_orders: 2.0,
    close_payments: 2.0,
    send_refunds: 5.0,
    check_payments: 15.0,
    free_units: 10.0,
    remind: 15.0,
    abandon_carts: 60.0,
    hand_back: 30.0,
    forget_misunderstandings: 3600.0,
}
"""Seconds between two runs of each job."""
