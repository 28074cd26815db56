"""People who write to the shop."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, Timestamped


class Customer(Identified, Timestamped, Base):
    """A person who writes to the shop.

    `phone_number` is an encrypted token; `phone_lookup` is the keyed pseudonym by which the customer
    is found again. Both planes compute it in `whatsapp.identity`. `phone_lookup_next` is the pseudonym
    under the key that comes next, while that key is being rotated. An erased customer keeps a row
    without number and name: the ledger's orders point to it.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("idx_customers_phone", "phone_lookup", unique=True),
        Index("idx_customers_phone_next", "phone_lookup_next", unique=True),
        Index("idx_customers_created", text("created_at DESC"), text("id DESC")),
    )

    phone_number: Mapped[str | None] = mapped_column(Text, unique=True)
    phone_lookup: Mapped[str] = mapped_column(String(128))
    phone_lookup_next: Mapped[str | None] = mapped_column(String(128))
    name: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(8))
    notices_stopped_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
