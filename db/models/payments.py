"""Payments, what providers told about them, and refunds."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.models import checked
from db.models.base import Base, Identified, Timestamped, enum_column
from db.models.orders import Order


class PaymentStatus(enum.StrEnum):
    """Where a payment stands; only `verified` counts as money received."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    REVIEW = "review"
    REFUNDED = "refunded"


class RefundStatus(enum.StrEnum):
    """`pending`: decided, or on its way at the provider; `done`: the money went back; `failed`: needs a
    person."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Payment(Identified, Base):
    """One attempt to pay an order through one provider (`payment_method`).

    `payment_reference` is ours, made before the provider is asked; it is the idempotency key of that
    call, too. `provider_id` is the provider's own. `received_amount` is what came in fact.
    `next_check_at`: when to ask the provider again; `close_at`: when to close it there, for an order that
    ended while it could be paid.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="payments_amount_not_negative"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="payments_currency_code"),
        Index("idx_payments_order", "order_id"),
        Index("idx_payments_status", "status"),
        Index("idx_payments_check", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
        Index("idx_payments_close", "close_at", postgresql_where=text("close_at IS NOT NULL")),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    payment_method: Mapped[str] = mapped_column(Text)
    payment_reference: Mapped[str] = mapped_column(Text, unique=True)
    provider_id: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    status: Mapped[PaymentStatus] = mapped_column(
        enum_column(PaymentStatus, "payment_status"), default=PaymentStatus.PENDING
    )
    verified_at: Mapped[datetime | None]
    received_amount: Mapped[Decimal | None]
    received_currency: Mapped[str | None] = mapped_column(String(3))
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    next_check_at: Mapped[datetime | None]
    close_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    order: Mapped[Order] = relationship(back_populates="payments")
    refunds: Mapped[list[Refund]] = relationship(back_populates="payment", order_by="Refund.created_at")

    _money = validates("amount")(checked.money)
    _came = validates("received_amount")(checked.came)
    _currency = validates("currency")(checked.currency)


class PaymentEvent(Identified, Base):
    """What a provider told us, stored before it is believed; unique by provider and event id.

    `outcome` is None until it was applied.
    """

    __tablename__ = "payment_events"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("idx_payment_events_reference", "payment_reference"),
    )

    provider: Mapped[str] = mapped_column(Text)
    event_id: Mapped[str] = mapped_column(Text)
    payment_reference: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    outcome: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Refund(Identified, Timestamped, Base):
    """Money that goes back. Its id is the idempotency key of the call to the provider."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="refunds_amount_positive"),
        Index("idx_refunds_payment", "payment_id"),
        Index("idx_refunds_pending", "next_try_at", postgresql_where=text("status = 'pending'")),
    )

    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"))
    amount: Mapped[Decimal]
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    status: Mapped[RefundStatus] = mapped_column(
        enum_column(RefundStatus, "refund_status"), default=RefundStatus.PENDING
    )
    provider_id: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_try_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]
    payment: Mapped[Payment] = relationship(back_populates="refunds")

    _money = validates("amount")(checked.money)


class SandboxCharge(Base):
    """The sandbox provider's own ledger: what it would answer when asked about a payment."""

    __tablename__ = "sandbox_charges"

    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    outcome: Mapped[str | None] = mapped_column(Text)
    refunded: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    refund_keys: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
