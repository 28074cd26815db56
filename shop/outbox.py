"""What the shop tells a customer of its own accord, written in the transaction of its cause.

A dispatcher puts the rows on the inbound stream as internal events; in the shell, where nothing can
be sent unasked, they are told at the next turn.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.models import Customer
from shop.work import Work


@dataclass(frozen=True)
class Notice:
    """An internal event: `event` is the intent of the rule that answers it."""

    id: uuid.UUID
    event: str
    data: dict[str, Any]


@dataclass(frozen=True)
class AddressedNotice:
    """A notice with the conversation and the encrypted address it goes to."""

    notice: Notice
    lookup: str
    address: str


def write(
    work: Work,
    customer_id: uuid.UUID,
    event: str,
    data: Mapping[str, Any],
    event_id: uuid.UUID | None = None,
) -> None:
    """Put an event into the outbox; with this id, or one of its own. An erased customer cannot be told."""
    customer = work.customers.find_by_id(customer_id)
    if customer is not None and customer.erased_at is not None:
        return
    work.outbox.create(id=event_id or uuid.uuid4(), customer_id=customer_id, event=event, data=dict(data))


def pending(work: Work, limit: int) -> list[AddressedNotice]:
    """The oldest undispatched events of customers who can be written to; locked until the end of
    the work, so that replicas do not dispatch the same one together."""
    return [
        AddressedNotice(
            Notice(row.id, row.event, row.data),
            row.customer.phone_lookup,
            row.customer.phone_number or "",
        )
        for row in work.outbox.find_pending(limit)
    ]


def mark_dispatched(work: Work, notices: list[AddressedNotice]) -> None:
    """Record that events are on the stream."""
    for notice in notices:
        work.outbox.update(notice.notice.id, dispatched_at=work.now)


def take_pending(work: Work, customer: Customer) -> list[Notice]:
    """The customer's undispatched events, dispatched by being returned (for the shell)."""
    rows = work.outbox.find_pending(limit=10, customer_id=customer.id)
    for row in rows:
        row.dispatched_at = work.now
    return [Notice(row.id, row.event, row.data) for row in rows]
