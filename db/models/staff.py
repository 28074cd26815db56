"""People who work in the shop, how they are signed in, and how often somebody tried to be."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Identified, Timestamped, enum_column


class StaffRole(enum.StrEnum):
    """What a member of staff may do; `web/console/permissions.py` tells what that is."""

    OWNER = "owner"
    STAFF = "staff"
    DESIGNER = "designer"


class StaffMember(Identified, Timestamped, Base):
    """Somebody who signs in to the console. Who left is not deleted: the records name them."""

    __tablename__ = "staff_members"
    __table_args__ = (Index("idx_staff_members_name", text("lower(name)"), unique=True),)

    name: Mapped[str] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[StaffRole] = mapped_column(enum_column(StaffRole, "staff_role"))
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class StaffSession(Base):
    """A browser in which a member of staff is signed in.

    The key is a digest of the cookie's random token: who reads this table cannot sign in with it.
    """

    __tablename__ = "staff_sessions"
    __table_args__ = (Index("idx_staff_sessions_member", "member_id"),)

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id", ondelete="CASCADE"))
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    member: Mapped[StaffMember] = relationship()


class SignInAttempts(Base):
    """How often somebody tried to sign in under a name or from an address since `since_at`.

    The key is a keyed digest of the name or the address.
    """

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("idx_sign_in_attempts_since", "since_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int]
    since_at: Mapped[datetime]
