"""What the dashboard shows of the shop: sales by day, what sells best, and how far customers come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from shop.conversation import ConversationState as State
from shop.work import Work

MOST_SELLERS = 10
WAY = (
    State.GREETING,
    State.BROWSING_PRODUCTS,
    State.COLLECTING_QUANTITY,
    State.ADDING_TO_CART,
    State.REVIEWING_ORDER,
    State.AWAITING_PAYMENT,
    State.PAYMENT_CONFIRMATION,
    State.ORDER_COMPLETE,
)
"""The way to an order: the quantity is asked for before anything is in the cart."""
RANKS = {state.value: rank for rank, state in enumerate(WAY, start=1)}


@dataclass(frozen=True)
class DaySales:
    """What was sold on a day in one currency, without what went back of it. Orders that were paid back whole
    are not in it."""

    day: date
    currency: str
    orders: int
    amount: Decimal


@dataclass(frozen=True)
class Seller:
    """A product with the units that were sold, and their price before tax."""

    name: str
    currency: str
    units: int
    amount: Decimal


@dataclass(frozen=True)
class Step:
    """How many customers came at least so far, and what share (0 to 1) of those one step before did not."""

    state: State
    customers: int
    lost: float


def days_until_today(work: Work, count: int) -> list[date]:
    """The last days (where the shop is), today the last of them."""
    today = work.now.astimezone(ZoneInfo(work.policy.timezone)).date()
    return [today - timedelta(days=back) for back in reversed(range(count))]


def sales(work: Work, count: int) -> Sequence[DaySales]:
    """What was sold on each of the last days; every day has a row in the shop's own currency."""
    rows = work.figures.sales_by_day(_since(work, count), work.policy.timezone)
    zone = ZoneInfo(work.policy.timezone)
    sold = [
        DaySales(began.astimezone(zone).date(), currency, orders, amount)
        for began, currency, orders, amount in rows
    ]
    known = {(row.day, row.currency) for row in sold}
    currency = work.policy.currency
    empty = [
        DaySales(day, currency, 0, Decimal(0))
        for day in days_until_today(work, count)
        if (day, currency) not in known
    ]
    return sorted([*sold, *empty], key=lambda row: (row.day, row.currency))


def best_sellers(work: Work, count: int) -> Sequence[Seller]:
    """What was sold most in the last days."""
    return [Seller(*row) for row in work.figures.best_sellers(_since(work, count), MOST_SELLERS)]


def funnel(work: Work, count: int) -> Sequence[Step]:
    """How far the customers of the last days came; who came further was at every step before it, too."""
    furthest = work.figures.furthest_states(_since(work, count), RANKS)
    steps: list[Step] = []
    for state in WAY:
        reached = sum(customers for rank, customers in furthest.items() if rank >= RANKS[state.value])
        before = steps[-1].customers if steps else reached
        steps.append(Step(state, reached, 1 - reached / before if before else 0.0))
    return steps


def _since(work: Work, count: int) -> datetime:
    first = days_until_today(work, count)[0]
    return datetime.combine(first, time.min, ZoneInfo(work.policy.timezone))
