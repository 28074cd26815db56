"""The record of what the staff decided: who, what, about what, when; never a customer's data."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.work import Work

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """One decision; times are UTC. `about` says about what: an order's number, a product's name."""

    id: uuid.UUID
    at: datetime
    staff: str
    action: str
    subject: str
    about: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some entries, newest first, and the id of the last one if there are more."""

    entries: tuple[Entry, ...]
    next: uuid.UUID | None


def record(work: Work, staff: str, action: str, subject: str, subject_id: object, **details: Any) -> None:
    """Record a decision about something that is no order, in the transaction of the change.

    Args:
        subject: its kind, such as `product`.
        details: what is worth knowing, as JSON, without personal data; its name as `name`.
    """
    work.staff_actions.create(
        staff=staff, action=action, subject=subject, subject_id=str(subject_id), details=details
    )


def page(work: Work, after: str | None = None, limit: int = PAGE) -> Page:
    """Decisions, newest first; those after the entry with this id."""
    last = work.staff_actions.find_by_id(after) if after else None
    before = (last.created_at, last.id) if last else None
    rows = work.staff_actions.find_page(before, limit + 1)
    numbers = work.orders.find_numbers([row.order_id for row in rows if row.order_id])
    entries = tuple(
        Entry(
            id=row.id,
            at=row.created_at,
            staff=row.staff,
            action=row.action,
            subject="order" if row.order_id else row.subject or "",
            about=numbers.get(row.order_id, "") if row.order_id else row.details.get("name", ""),
            details={key: value for key, value in row.details.items() if key != "name"},
        )
        for row in rows[:limit]
    )
    return Page(entries, entries[-1].id if len(rows) > limit else None)
