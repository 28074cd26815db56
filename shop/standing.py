"""How the shop stands right now, in figures that are cheap however much it has sold: for monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from shop.work import Work

RECENT = timedelta(hours=24)


@dataclass(frozen=True)
class Standing:
    """Orders, payments and refunds that are not settled, by status; orders of the last 24 hours by status,
    and what those that were sold cost, by currency; events not told yet, and the age of the oldest; customers
    who wait for a person or talk to one, and how long the first has waited."""

    open_orders: Mapping[str, int]
    open_payments: Mapping[str, int]
    open_refunds: Mapping[str, int]
    recent_orders: Mapping[str, int]
    recent_sales: Mapping[str, Decimal]
    untold: int
    untold_seconds: float
    sold_out: int
    open_handoffs: Mapping[str, int]
    handoff_seconds: float


def read(work: Work) -> Standing:
    """Read it."""
    figures = work.figures
    since = work.now - RECENT
    untold, oldest = figures.untold()
    handoffs, first = figures.open_handoffs()
    return Standing(
        open_orders=figures.open_orders(),
        open_payments=figures.open_payments(),
        open_refunds=figures.open_refunds(),
        recent_orders=figures.orders_since(since),
        recent_sales=figures.sales_since(since),
        untold=untold,
        untold_seconds=_age(work, oldest),
        sold_out=figures.sold_out(),
        open_handoffs=handoffs,
        handoff_seconds=_age(work, first),
    )


def _age(work: Work, since: datetime | None) -> float:
    return max(0.0, (work.now - since).total_seconds()) if since else 0.0
