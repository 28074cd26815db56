"""Times and money as the staff reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago something was, in a word or two: `now`, `12 min`, `3 h`, `2 days`."""
    past = (now or datetime.now(UTC)) - at
    if past < MINUTE:
        return "now"
    if past < HOUR:
        return f"{past // MINUTE} min"
    if past < DAY:
        hours, rest = past // HOUR, past % HOUR // MINUTE
        return f"{hours} h {rest} min" if hours < 6 and rest else f"{hours} h"
    days = past // DAY
    return "1 day" if days == 1 else f"{days} days"


def when(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """A time where the shop is; today without its date: `14:05`, `Tue 3 Nov, 14:05`."""
    here, today = at.astimezone(zone), (now or datetime.now(UTC)).astimezone(zone)
    if here.date() == today.date():
        pattern = "HH:mm"
    elif here.year == today.year:
        pattern = "EEE d MMM, HH:mm"
    else:
        pattern = "d MMM y, HH:mm"
    return format_datetime(at, pattern, tzinfo=zone, locale="en")


def moment(at: datetime) -> str:
    """The same time for machines."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
