"""Messages that were misunderstood, for designers to look at."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, enum_column


class MisunderstandingKind(enum.StrEnum):
    """How it showed. `assisted`: a proposal was made; `declined_proposal`: and it was not what was meant."""

    FALLBACK = "fallback"
    CORRECTION = "correction"
    ABANDONED_CART = "abandoned_cart"
    ASSISTED = "assisted"
    DECLINED_PROPOSAL = "declined_proposal"


class Decision(enum.StrEnum):
    """What a designer decided about it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Misunderstanding(Identified, Base):
    """One message (redacted) that was not understood, or understood wrongly.

    `order_value` is what the customer's cart was worth then; `label` the intent, or the annotated text,
    that a designer gave it; `taken_at` when it became an example.
    """

    __tablename__ = "misunderstandings"
    __table_args__ = (
        Index("idx_misunderstandings_open", "created_at", postgresql_where=text("decision IS NULL")),
        Index("idx_misunderstandings_created", "created_at"),
        Index("idx_misunderstandings_customer", "customer_id"),
    )

    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[MisunderstandingKind] = mapped_column(
        enum_column(MisunderstandingKind, "misunderstanding_kind")
    )
    state: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    intent: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    proposal: Mapped[dict[str, Any] | None]
    order_value: Mapped[Decimal]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[Decision | None] = mapped_column(enum_column(Decision, "misunderstanding_decision"))
    label: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None]
