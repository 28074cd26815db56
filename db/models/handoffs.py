"""A person of the shop in a conversation, and what is said there."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Identified, enum_column
from db.models.customers import Customer


class HandoffReason(enum.StrEnum):
    """Why a person was called."""

    ASKED = "asked"
    COMPLAINT = "complaint"
    NOT_UNDERSTOOD = "not_understood"
    STAFF = "staff"
    """Nobody called: a member of staff came by themselves."""


class HandoffStatus(enum.StrEnum):
    """`waiting`: called, the bot goes on serving; `taken`: the bot is silent; `closed`: it is over."""

    WAITING = "waiting"
    TAKEN = "taken"
    CLOSED = "closed"


class MessageKind(enum.StrEnum):
    """What a customer's message to a person was; only a text and a location hold words."""

    TEXT = "text"
    MEDIA = "media"
    LOCATION = "location"
    TOO_MANY = "too_many"


class Handoff(Identified, Base):
    """One time that a person was called, or came, into a customer's conversation.

    `state` is the conversation state then. `end_told_at`: when the customer was told that it is over.
    """

    __tablename__ = "handoffs"
    __table_args__ = (
        Index("idx_handoffs_open", "customer_id", unique=True, postgresql_where=text("status <> 'closed'")),
        Index("idx_handoffs_customer", "customer_id", "requested_at"),
        Index("idx_handoffs_waiting", "requested_at", postgresql_where=text("status <> 'closed'")),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    reason: Mapped[HandoffReason] = mapped_column(enum_column(HandoffReason, "handoff_reason"))
    state: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[HandoffStatus] = mapped_column(enum_column(HandoffStatus, "handoff_status"))
    taken_by: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    end_told_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()


class ThreadMessage(Identified, Base):
    """One message between a customer and a person; `staff` is that person's name where they wrote it.

    `message_id` is Twilio's MessageSid, or the id that the staff's form was given. Numbers are masked.
    What the staff wrote goes out as the outbox's event with the same `id`; `undelivered_at`: when we heard
    that it did not arrive, and `undelivered_code` why (Twilio's code; empty: it was given up).
    """

    __tablename__ = "thread_messages"
    __table_args__ = (
        Index("idx_thread_messages_handoff", "handoff_id", "sequence"),
        Index("idx_thread_messages_customer", "customer_id", "sequence"),
        Index(
            "idx_thread_messages_undelivered",
            "undelivered_at",
            postgresql_where=text("undelivered_at IS NOT NULL"),
        ),
    )

    handoff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handoffs.id"))
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    # Assigned by the database while the handoff is locked: the order in which it was said.
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    staff: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind, "thread_message_kind"))
    text: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text, unique=True)
    undelivered_at: Mapped[datetime | None]
    undelivered_code: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def from_staff(self) -> bool:
        """Whether a person of the shop wrote it."""
        return self.staff is not None
