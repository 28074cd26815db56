"""When the shop takes orders.

Hours are written in OpenStreetMap's notation ("Mo-Fr 09:00-21:00; Dec 25 off"), read in the shop's own
time zone; empty: always open. OPENING_HOURS holds until staff set other hours; `in_force` reads theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, validate

from settings import ShopSettings
from shop import audit
from shop.errors import BadInput, ClosedForGood, ShopClosed
from shop.work import Work

LONGEST = 400


@dataclass(frozen=True)
class Hours:
    """The hours as staff see them; `from_setting`: nobody set others."""

    notation: str
    from_setting: bool
    closed_today: bool
    is_open: bool
    changes_at: datetime | None


def in_force(work: Work) -> ShopSettings:
    """The shop's policy with the opening hours that hold now: one small query."""
    row = work.opening_hours.find()
    if row is None:
        return work.policy
    notation = work.policy.opening_hours if row.notation is None else row.notation
    if row.closed_on == _today(work):
        # A rule of the notation's own: everything that follows from the hours follows from this, too.
        notation = f"{notation or '24/7'}; {row.closed_on:%Y %b} {row.closed_on.day} off"
    return replace(work.policy, opening_hours=notation or None)


def current(work: Work) -> Hours:
    """The hours, for whoever sets them."""
    row, policy = work.opening_hours.find(), in_force(work)
    from_setting = row is None or row.notation is None
    kept = work.policy.opening_hours if from_setting or row is None else row.notation
    closed_today = row is not None and row.closed_on == _today(work)
    now = work.now
    return Hours(kept or "", from_setting, closed_today, is_open(policy, now), next_change(policy, now))


def set_notation(work: Work, staff: str, notation: str) -> None:
    """Set the hours, from now on; empty: always open.

    Raises:
        BadInput
    """
    notation = " ".join(notation.split())
    if len(notation) > LONGEST or (notation and not validate(notation)):
        raise BadInput(
            "hours", "These hours cannot be read. Write them such as Mo-Fr 09:00-21:00; Sa 10:00-14:00."
        )
    row = work.opening_hours.lock()
    before, row.notation = row.notation, notation
    audit.record(work, staff, "opening hours set", "opening hours", 1, before=before or "", after=notation)


def close_today(work: Work, staff: str, closed: bool) -> None:
    """Close the shop for the rest of this day, or open it again."""
    row = work.opening_hours.lock()
    row.closed_on = _today(work) if closed else None
    audit.record(work, staff, "closed today" if closed else "open again today", "opening hours", 1)


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


def _today(work: Work) -> date:
    """The date where the shop is."""
    return work.now.astimezone(ZoneInfo(work.policy.timezone)).date()


def _hours(policy: ShopSettings) -> OpeningHours | None:
    if policy.opening_hours is None:
        return None
    return OpeningHours(policy.opening_hours, timezone=ZoneInfo(policy.timezone))
