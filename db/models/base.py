"""What all tables share: identity, timestamps, and how Python types become columns."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, DateTime, Enum, Numeric, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all models; timestamps are timezone-aware everywhere."""

    type_annotation_map = {
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        list[str]: ARRAY(Text),
        list[uuid.UUID]: ARRAY(Uuid()),
        Decimal: Numeric(12, 2),
    }


class Identified:
    """A random UUID as the primary key."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, default=uuid.uuid4, server_default=text("gen_random_uuid()")
    )


class Timestamped:
    """When a row was made and last changed, in UTC."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


def enum_column(kind: type[enum.StrEnum], name: str) -> Enum:
    """A PostgreSQL enum that stores the members' values."""
    return Enum(kind, name=name, values_callable=lambda members: [member.value for member in members])
