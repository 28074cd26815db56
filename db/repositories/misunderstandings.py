"""Messages that were misunderstood."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select

from db.models import Decision, Misunderstanding, MisunderstandingKind, Order, OrderStatus
from db.repositories.base import Repository

NOT_BOUGHT = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


class MisunderstandingsRepository(Repository[Misunderstanding]):
    """Messages that were misunderstood, and what was decided about them."""

    model = Misunderstanding

    def find_undecided(self, limit: int) -> list[tuple[Misunderstanding, bool]]:
        """The newest that nobody decided about, each with whether its customer bought something after all."""
        bought = exists().where(
            Order.customer_id == Misunderstanding.customer_id,
            Order.created_at >= Misunderstanding.created_at,
            Order.status.not_in(NOT_BOUGHT),
        )
        query = (
            select(Misunderstanding, bought)
            .where(Misunderstanding.decision.is_(None))
            .order_by(Misunderstanding.created_at.desc(), Misunderstanding.id)
            .limit(limit)
        )
        return [(row, bool(has_bought)) for row, has_bought in self.session.execute(query)]

    def find_accepted(self) -> Sequence[Misunderstanding]:
        """Those that were accepted with what was meant, and are no examples yet, oldest first."""
        query = select(Misunderstanding).where(
            Misunderstanding.decision == Decision.ACCEPTED,
            Misunderstanding.label.is_not(None),
            Misunderstanding.taken_at.is_(None),
        )
        return self.session.scalars(query.order_by(Misunderstanding.created_at)).all()

    def lock_undecided(self, ids: Sequence[uuid.UUID]) -> Sequence[Misunderstanding]:
        """Those of these that nobody decided about, locked."""
        query = select(Misunderstanding).where(
            Misunderstanding.id.in_(ids), Misunderstanding.decision.is_(None)
        )
        return self.session.scalars(query.order_by(Misunderstanding.id).with_for_update()).all()

    def lock_accepted(self, ids: Sequence[uuid.UUID]) -> Sequence[Misunderstanding]:
        """Those of these that were accepted and are no examples yet, locked."""
        query = select(Misunderstanding).where(
            Misunderstanding.id.in_(ids),
            Misunderstanding.decision == Decision.ACCEPTED,
            Misunderstanding.taken_at.is_(None),
        )
        return self.session.scalars(query.order_by(Misunderstanding.id).with_for_update()).all()

    def lock_latest(self, customer_id: uuid.UUID, kind: MisunderstandingKind) -> Misunderstanding | None:
        """A customer's newest of a kind, locked."""
        query = select(Misunderstanding).where(
            Misunderstanding.customer_id == customer_id, Misunderstanding.kind == kind
        )
        newest = query.order_by(Misunderstanding.created_at.desc()).limit(1).with_for_update()
        return self.session.scalar(newest)

    def find_by_customer(self, customer_id: uuid.UUID) -> Sequence[Misunderstanding]:
        """All of a customer, oldest first."""
        query = select(Misunderstanding).where(Misunderstanding.customer_id == customer_id)
        return self.session.scalars(query.order_by(Misunderstanding.created_at)).all()

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget all of a customer."""
        self.session.execute(delete(Misunderstanding).where(Misunderstanding.customer_id == customer_id))

    def delete_before(self, before: datetime) -> int:
        """Forget what is older; how many were."""
        gone = delete(Misunderstanding).where(Misunderstanding.created_at < before)
        return len(self.session.execute(gone.returning(Misunderstanding.id)).all())
