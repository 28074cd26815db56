"""Members of staff, their sessions, attempts to sign in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import joinedload

from db.models import SignInAttempts, StaffMember, StaffRole, StaffSession
from db.repositories.base import Repository


class StaffMembersRepository(Repository[StaffMember]):
    """Members of staff."""

    model = StaffMember

    def find_by_name(self, name: str) -> StaffMember | None:
        """The member with this name, in whatever case it is written."""
        return self.session.scalar(select(StaffMember).where(func.lower(StaffMember.name) == name.lower()))

    def find_all(self) -> Sequence[StaffMember]:
        """All members, those who left last."""
        query = select(StaffMember).order_by(StaffMember.active.desc(), func.lower(StaffMember.name))
        return self.session.scalars(query).all()

    def lock_active_owners(self) -> Sequence[StaffMember]:
        """The owners who can sign in, locked, so that two of them cannot dismiss each other at once."""
        query = (
            select(StaffMember)
            .where(StaffMember.role == StaffRole.OWNER, StaffMember.active.is_(True))
            .order_by(StaffMember.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        return self.session.scalars(query).all()


class StaffSessionsRepository(Repository[StaffSession]):
    """Who is signed in where."""

    model = StaffSession

    def find_by_digest(self, token_digest: str) -> StaffSession | None:
        """The session behind a token's digest, with its member."""
        query = (
            select(StaffSession)
            .where(StaffSession.token_digest == token_digest)
            .options(joinedload(StaffSession.member, innerjoin=True))
        )
        return self.session.scalar(query)

    def touch(self, token_digest: str, now: datetime) -> None:
        """Note that the session was used."""
        query = update(StaffSession).where(StaffSession.token_digest == token_digest).values(seen_at=now)
        self.session.execute(query)

    def delete_by_digest(self, token_digest: str) -> None:
        """End a session."""
        self.session.execute(delete(StaffSession).where(StaffSession.token_digest == token_digest))

    def delete_by_member(self, member_id: uuid.UUID, *, but: str | None = None) -> None:
        """End all sessions of a member, or all but the one with this digest."""
        query = delete(StaffSession).where(StaffSession.member_id == member_id)
        if but is not None:
            query = query.where(StaffSession.token_digest != but)
        self.session.execute(query)

    def delete_ended(self, now: datetime, seen_before: datetime) -> None:
        """Forget sessions that nobody can use any more."""
        ended = (StaffSession.expires_at <= now) | (StaffSession.seen_at <= seen_before)
        self.session.execute(delete(StaffSession).where(ended))


class SignInAttemptsRepository(Repository[SignInAttempts]):
    """How often somebody tried to sign in."""

    model = SignInAttempts

    def count(self, key: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
        """Count one more attempt; how many there were in the window, and when it began."""
        begins_anew = SignInAttempts.since_at <= now - window
        statement = upsert(SignInAttempts).values(key=key, attempts=1, since_at=now)
        counted = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "attempts": case((begins_anew, 1), else_=SignInAttempts.attempts + 1),
                "since_at": case((begins_anew, now), else_=SignInAttempts.since_at),
            },
        ).returning(SignInAttempts.attempts, SignInAttempts.since_at)
        row = self.session.execute(counted).one()
        return row.attempts, row.since_at

    def take_back(self, key: str) -> None:
        """One attempt succeeded: it does not count against others."""
        query = update(SignInAttempts).where(SignInAttempts.key == key, SignInAttempts.attempts > 0)
        self.session.execute(query.values(attempts=SignInAttempts.attempts - 1))

    def forget(self, key: str) -> None:
        """Nobody tried."""
        self.session.execute(delete(SignInAttempts).where(SignInAttempts.key == key))

    def forget_before(self, since: datetime) -> None:
        """Forget what counts no more."""
        self.session.execute(delete(SignInAttempts).where(SignInAttempts.since_at <= since))
