"""When the shop takes orders.

OPENING_HOURS is written in OpenStreetMap's notation ("Mo-Fr 09:00-21:00; Dec 25 off"), read in
the shop's own time zone; empty: always open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours

from settings import ShopSettings
from shop.errors import ClosedForGood, ShopClosed


def is_open(policy: ShopSettings, at: datetime) -> bool:
    """Whether the shop is open at a time (UTC)."""
    hours = _hours(policy)
    return hours is None or hours.is_open(at.astimezone(ZoneInfo(policy.timezone)))


def next_change(policy: ShopSettings, after: datetime) -> datetime | None:
    """When a closed shop opens, or an open one closes (UTC); None if that never happens."""
    hours = _hours(policy)
    if hours is None:
        return None
    change = hours.next_change(after.astimezone(ZoneInfo(policy.timezone)))
    return None if change is None else change.astimezone(UTC)


def require_open(policy: ShopSettings, at: datetime) -> None:
    """Refuse a time (UTC) at which the shop is closed.

    Raises:
        ShopClosed, ClosedForGood
    """
    if is_open(policy, at):
        return
    opens_at = next_change(policy, at)
    if opens_at is None:
        raise ClosedForGood()
    raise ShopClosed(opens_at)


def _hours(policy: ShopSettings) -> OpeningHours | None:
    if policy.opening_hours is None:
        return None
    return OpeningHours(policy.opening_hours, timezone=ZoneInfo(policy.timezone))
