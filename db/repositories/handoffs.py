"""Handoffs to a person, and what is said in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from db.models import Handoff, HandoffStatus, ThreadMessage
from db.repositories.base import Repository


class HandoffsRepository(Repository[Handoff]):
    """Handoffs; a customer has at most one that is open."""

    model = Handoff

    def find_open(self, customer_id: uuid.UUID, *, lock: bool = False) -> Handoff | None:
        """The customer's open handoff; a locked one is read afresh."""
        query = select(Handoff).where(
            Handoff.customer_id == customer_id, Handoff.status != HandoffStatus.CLOSED
        )
        if lock:
            query = query.with_for_update(of=Handoff).execution_options(populate_existing=True)
        return self.session.scalar(query)

    def find_person(self, customer_id: uuid.UUID) -> str | None:
        """Who of the staff has the customer's conversation; None: the bot."""
        query = select(Handoff.taken_by).where(
            Handoff.customer_id == customer_id, Handoff.status == HandoffStatus.TAKEN
        )
        return self.session.scalar(query)

    def find_latest(self, customer_id: uuid.UUID) -> Handoff | None:
        """The customer's last handoff, open or closed."""
        query = select(Handoff).where(Handoff.customer_id == customer_id)
        return self.session.scalar(query.order_by(Handoff.requested_at.desc()).limit(1))

    def lock(self, handoff_id: uuid.UUID) -> Handoff | None:
        """The handoff, locked for update and read afresh."""
        query = select(Handoff).where(Handoff.id == handoff_id).with_for_update(of=Handoff)
        return self.session.scalar(query.execution_options(populate_existing=True))

    def find_all_open(self, limit: int) -> Sequence[Handoff]:
        """Open handoffs with their customers, the one that waits longest first."""
        query = select(Handoff).where(Handoff.status != HandoffStatus.CLOSED)
        query = query.options(joinedload(Handoff.customer)).order_by(Handoff.requested_at)
        return self.session.scalars(query.limit(limit)).all()

    def lock_silent(self, since: datetime, limit: int) -> Sequence[Handoff]:
        """Taken handoffs in which nobody wrote since a time, locked, skipping those another replica holds."""
        latest = (
            select(func.max(ThreadMessage.created_at))
            .where(ThreadMessage.handoff_id == Handoff.id)
            .scalar_subquery()
        )
        query = select(Handoff).where(
            Handoff.status == HandoffStatus.TAKEN,
            func.greatest(Handoff.taken_at, latest) <= since,  # ignores that there may be no message
        )
        query = query.order_by(Handoff.taken_at).limit(limit)
        return self.session.scalars(query.with_for_update(skip_locked=True, of=Handoff)).all()

    def find_by_customer(self, customer_id: uuid.UUID, *, lock: bool = False) -> Sequence[Handoff]:
        """All handoffs of a customer, oldest first."""
        query = select(Handoff).where(Handoff.customer_id == customer_id).order_by(Handoff.requested_at)
        return self.session.scalars(query.with_for_update(of=Handoff) if lock else query).all()

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget a customer's handoffs; their messages have to be gone."""
        self.session.execute(delete(Handoff).where(Handoff.customer_id == customer_id))


class ThreadMessagesRepository(Repository[ThreadMessage]):
    """What customers and people of the shop wrote to each other."""

    model = ThreadMessage

    def find_by_customer(self, customer_id: uuid.UUID, limit: int | None = None) -> Sequence[ThreadMessage]:
        """The last messages between a customer and the shop's people, oldest first; None: all."""
        query = select(ThreadMessage).where(ThreadMessage.customer_id == customer_id)
        query = query.order_by(ThreadMessage.sequence.desc()).limit(limit)
        return self.session.scalars(query).all()[::-1]

    def find_latest_of(self, handoff_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ThreadMessage]:
        """The last message of each of these handoffs that has one."""
        query = select(ThreadMessage).where(ThreadMessage.handoff_id.in_(handoff_ids))
        query = query.distinct(ThreadMessage.handoff_id)
        query = query.order_by(ThreadMessage.handoff_id, ThreadMessage.sequence.desc())
        return {message.handoff_id: message for message in self.session.scalars(query)}

    def find_by_message(self, message_id: str) -> ThreadMessage | None:
        """The message that an id stands for."""
        return self.session.scalar(select(ThreadMessage).where(ThreadMessage.message_id == message_id))

    def latest_sequence(self) -> int:
        """The number of the message that was written last; 0 where there is none."""
        return self.session.scalar(select(func.max(ThreadMessage.sequence))) or 0

    def latest_undelivered(self) -> datetime | None:
        """When we last heard of a message that did not arrive."""
        query = select(func.max(ThreadMessage.undelivered_at))
        return self.session.scalar(query.where(ThreadMessage.undelivered_at.is_not(None)))

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget what was written with a customer."""
        self.session.execute(delete(ThreadMessage).where(ThreadMessage.customer_id == customer_id))
