"""Payments, provider events, refunds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from db.models import Payment, PaymentEvent, PaymentStatus, Refund, RefundStatus
from db.repositories.base import Repository

MOST_LISTED = 300


class PaymentsRepository(Repository[Payment]):
    """Payments."""

    model = Payment

    def find_by_reference(self, reference: str, *, lock: bool = False) -> Payment | None:
        """The payment with this reference."""
        query = select(Payment).where(Payment.payment_reference == reference)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self.session.scalar(query)

    def find_to_check(self, now: datetime, limit: int) -> Sequence[Payment]:
        """Payments about which the provider is to be asked again; locked, skipping those of others."""
        return self._due(Payment.next_check_at, now, limit)

    def find_to_close(self, now: datetime, limit: int) -> Sequence[Payment]:
        """Payments that are to be closed at their provider; locked, skipping those of others."""
        return self._due(Payment.close_at, now, limit)

    def _due(
        self, at: InstrumentedAttribute[datetime | None], now: datetime, limit: int
    ) -> Sequence[Payment]:
        query = (
            select(Payment)
            .where(at <= now)
            .order_by(at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Payment)
        )
        return self.session.scalars(query).all()

    def find_in_review(self) -> Sequence[Payment]:
        """Payments that are in review, whatever became of their orders, oldest first, with these."""
        query = (
            select(Payment)
            .where(Payment.status == PaymentStatus.REVIEW)
            .options(joinedload(Payment.order), selectinload(Payment.refunds))
            .order_by(Payment.created_at)
            .limit(MOST_LISTED)
        )
        return self.session.scalars(query).all()

    def find_pending(self, order_id: uuid.UUID) -> Sequence[Payment]:
        """An order's payments that may still be paid."""
        may_come = (PaymentStatus.PENDING, PaymentStatus.FAILED)
        query = select(Payment).where(Payment.order_id == order_id, Payment.status.in_(may_come))
        return self.session.scalars(query).all()

    def find_by_status(self, status: PaymentStatus, methods: Sequence[str]) -> Sequence[Payment]:
        """Payments of these methods with this status, oldest first, with their orders."""
        query = (
            select(Payment)
            .where(Payment.status == status, Payment.payment_method.in_(methods))
            .options(joinedload(Payment.order), selectinload(Payment.refunds))
            .order_by(Payment.created_at)
            .limit(MOST_LISTED)
        )
        return self.session.scalars(query).all()


class PaymentEventsRepository(Repository[PaymentEvent]):
    """What providers told us."""

    model = PaymentEvent

    def find_by_event(self, provider: str, event_id: str) -> PaymentEvent | None:
        """An event that was told before."""
        return self.session.scalar(
            select(PaymentEvent).where(PaymentEvent.provider == provider, PaymentEvent.event_id == event_id)
        )

    def find_unapplied(self, reference: str) -> Sequence[PaymentEvent]:
        """Events about a payment that were kept, but not applied."""
        query = select(PaymentEvent).where(
            PaymentEvent.payment_reference == reference, PaymentEvent.outcome.is_(None)
        )
        return self.session.scalars(query).all()


class RefundsRepository(Repository[Refund]):
    """Refunds."""

    model = Refund

    def find_due(self, now: datetime, limit: int) -> Sequence[Refund]:
        """Refunds to be carried out now; locked, skipping those another replica works on."""
        query = (
            select(Refund)
            .where(Refund.status == RefundStatus.PENDING, Refund.next_try_at <= now)
            .order_by(Refund.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Refund)
        )
        return self.session.scalars(query).all()

    def find_by_status(self, status: RefundStatus) -> Sequence[Refund]:
        """Refunds with this status, oldest first."""
        query = select(Refund).where(Refund.status == status).order_by(Refund.created_at)
        return self.session.scalars(query.limit(MOST_LISTED)).all()

    def find_by_payment(self, payment_id: uuid.UUID) -> Sequence[Refund]:
        """What goes or went back of a payment."""
        return self.session.scalars(select(Refund).where(Refund.payment_id == payment_id)).all()
