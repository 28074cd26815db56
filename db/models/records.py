"""What is kept about the work itself: events to tell, commands carried out, states, staff's doings."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Identified
from db.models.customers import Customer


class OutboxEvent(Identified, Base):
    """Something the shop must tell a customer, written with its cause, dispatched afterwards.

    `event` is the internal intent that Rasa's rule answers.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("idx_outbox_pending", "sequence", postgresql_where=text("dispatched_at IS NULL")),
        Index("idx_outbox_customer", "customer_id", postgresql_where=text("dispatched_at IS NULL")),
    )

    # Assigned by the database: events of one customer are told in the order of their causes.
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    event: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dispatched_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship()


class CommandResult(Base):
    """The result of a command that changed something, so that asking again changes nothing.

    `customer_id` says whose data the result may hold, so that it goes when the customer is erased.
    """

    __tablename__ = "commands"
    __table_args__ = (
        Index("idx_commands_created", "created_at"),
        Index("idx_commands_customer", "customer_id"),
    )

    message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    command_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    command: Mapped[str] = mapped_column(Text, primary_key=True)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"))
    result: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StateChange(Base):
    """One change of a customer's conversation state; the funnel is read from here."""

    __tablename__ = "state_changes"
    __table_args__ = (
        Index("idx_state_changes_customer", "customer_id", "id"),
        Index("idx_state_changes_created", "created_at"),  # the funnel of a day
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    from_state: Mapped[str | None] = mapped_column(String(32))
    to_state: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StaffAction(Identified, Base):
    """What a member of staff decided: who, what, about what, when.

    About an order (`order_id`), or about something else: `subject` is its kind, such as `product`. Nothing
    personal of a customer is in `details`.
    """

    __tablename__ = "staff_actions"
    __table_args__ = (
        Index("idx_staff_actions_order", "order_id"),
        Index("idx_staff_actions_created", text("created_at DESC")),
    )

    staff: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("orders.id"))
    subject: Mapped[str | None] = mapped_column(Text)
    subject_id: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
