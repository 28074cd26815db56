"""Members of staff: who they are, what a password must be, who may sign in."""

from __future__ import annotations

import re
import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from db.models import StaffMember, StaffRole
from shop import audit
from shop.errors import BadInput, LastOwner, NameTaken, NotThere
from shop.work import Work

NAME = re.compile(r"[^\W_](?:[\w .'-]{0,38}[\w.])?")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
WORST_PASSWORDS = frozenset(
    "1234567890 12345678910 0123456789 0987654321 1111111111 0000000000 qwertyuiop qwerty1234 qwerty12345"
    " password12 password123 password1234 passw0rd123 iloveyou12 iloveyou123 abcdefghij abcd123456 abc1234567"
    " letmein123 letmein1234 welcome123 welcome1234 changeme123 admin12345 administrator adminadmin"
    " 1q2w3e4r5t 1qaz2wsx3edc zaq12wsxcde qazwsxedcrfv football123 sunshine123 princess123 superman123"
    " chatcart123 chatcart12 restaurant passwordpassword".split()
)
"""What is tried first everywhere; shorter ones are refused anyway."""
HASHES_AT_ONCE = 2
"""Each takes 64 MB for a moment: many attempts at once wait rather than fill the memory."""


@dataclass(frozen=True)
class Member:
    """A member of staff as others see them."""

    id: uuid.UUID
    name: str
    role: StaffRole
    active: bool
    created_at: datetime


class Passwords:
    """Hashes passwords with argon2id, and compares them; slow on purpose, so call it in a thread."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._at_once = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._nobodys = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """The hash to keep."""
        with self._at_once:
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; as much work where there is no hash (None) to compare with."""
        with self._at_once:
            try:
                return self._hasher.verify(password_hash or self._nobodys, password) and bool(password_hash)
            except (VerificationError, InvalidHashError):
                return False


def view(member: StaffMember) -> Member:
    """A member as others see them."""
    return Member(member.id, member.name, member.role, member.active, member.created_at)


def members(work: Work) -> list[Member]:
    """All members, those who left last."""
    return [view(member) for member in work.staff_members.find_all()]


def check_name(name: str) -> str:
    """The name as it is kept.

    Raises:
        BadInput
    """
    name = " ".join(name.split())
    if not NAME.fullmatch(name):
        raise BadInput("name", "A name has 1 to 40 letters, digits, spaces, dots or hyphens.")
    return name


def check_password(name: str, password: str) -> None:
    """Refuse a password that is guessed easily.

    Raises:
        BadInput
    """
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput("password", f"A password has {SHORTEST_PASSWORD} characters or more.")
    if len(password) > LONGEST_PASSWORD:
        raise BadInput("password", f"A password has {LONGEST_PASSWORD} characters at most.")
    if name.casefold() in password.casefold() and len(password) < len(name) + SHORTEST_PASSWORD:
        raise BadInput("password", "The password must not be made of the name.")
    if password.casefold() in WORST_PASSWORDS or len(set(password)) < 4:
        raise BadInput("password", "That password is among the first that anybody would try.")


def add_member(work: Work, by: str, name: str, password_hash: str, role: StaffRole) -> Member:
    """Somebody new, who can sign in at once.

    Raises:
        BadInput, NameTaken
    """
    name = check_name(name)
    if work.staff_members.find_by_name(name) is not None:
        raise NameTaken(name)
    member = work.staff_members.create(name=name, password_hash=password_hash, role=role)
    audit.record(work, by, "member added", "member", member.id, name=name, role=role.value)
    return view(member)


def make_owner(work: Work, name: str, password_hash: str) -> Member:
    """The operator's way in: makes an owner, or makes the member with that name one, with this password.

    Raises:
        BadInput
    """
    name = check_name(name)
    found = work.staff_members.find_by_name(name)
    if found is None:
        found = work.staff_members.create(name=name, password_hash=password_hash, role=StaffRole.OWNER)
    else:
        found.password_hash, found.role, found.active = password_hash, StaffRole.OWNER, True
        work.staff_sessions.delete_by_member(found.id)
    audit.record(work, "make owner", "owner made", "member", found.id, name=found.name)
    return view(found)


def set_password(
    work: Work, by: str, member_id: uuid.UUID | str, password_hash: str, but: str | None = None
) -> None:
    """Give a member another password and end their sessions, all but the one with the digest `but`.

    Raises:
        NotThere
    """
    member = _member(work, member_id)
    member.password_hash = password_hash
    work.staff_sessions.delete_by_member(member.id, but=but)
    audit.record(work, by, "password changed", "member", member.id, name=member.name)


def set_role(work: Work, by: str, member_id: uuid.UUID | str, role: StaffRole) -> Member:
    """Let a member do more or less, at once.

    Raises:
        NotThere, LastOwner
    """
    member = _changeable(work, member_id, stays_owner=role == StaffRole.OWNER)
    if member.role != role:
        audit.record(
            work, by, "role changed", "member", member.id,
            name=member.name, before=member.role.value, after=role.value,
        )  # fmt: skip
        member.role = role
    return view(member)


def set_active(work: Work, by: str, member_id: uuid.UUID | str, active: bool) -> Member:
    """Let a member in again, or sign them out everywhere and let them in no more.

    Raises:
        NotThere, LastOwner
    """
    member = _changeable(work, member_id, stays_owner=active)
    if member.active != active:
        member.active = active
        action = "member let in again" if active else "member signed off"
        audit.record(work, by, action, "member", member.id, name=member.name)
    if not active:
        work.staff_sessions.delete_by_member(member.id)
    return view(member)


def password_hash_of(work: Work, member_id: uuid.UUID) -> str | None:
    """What a member's password is compared with."""
    member = work.staff_members.find_by_id(member_id)
    return member.password_hash if member else None


def _changeable(work: Work, member_id: uuid.UUID | str, *, stays_owner: bool) -> StaffMember:
    """The member, unless the shop would be left without an owner."""
    owners = work.staff_members.lock_active_owners()
    member = _member(work, member_id)
    if not stays_owner and [owner.id for owner in owners] == [member.id]:
        raise LastOwner()
    return member


def _member(work: Work, member_id: uuid.UUID | str) -> StaffMember:
    member = work.staff_members.find_by_id(member_id)
    if member is None:
        raise NotThere("member")
    return member
