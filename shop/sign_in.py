"""Signing in to the console, staying signed in, signing out.

A session is a random token that only the browser has; here its digest is kept. It ends when it was not
used for `IDLE`, after `LONGEST` at the latest, and with the member's password or permission to sign in.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from db.models import StaffRole
from shop.errors import TooManyAttempts, WrongCredentials
from shop.service import Shop
from shop.staff import Passwords
from shop.work import Work

IDLE, LONGEST = timedelta(hours=8), timedelta(hours=24)
TOUCH_AFTER = timedelta(minutes=1)
"""Being seen is written down this often, not with every page."""
WINDOW = timedelta(minutes=15)
MOST_BY_NAME, MOST_BY_ADDRESS = 10, 50
"""Attempts in a window. Several people may come from one address; many names from it are guessing."""


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and where: `digest` is the session's key, `csrf_token` proves a form ours."""

    member_id: uuid.UUID
    name: str
    role: StaffRole
    digest: str
    csrf_token: str


@dataclass(frozen=True)
class Attempt:
    """Somebody who wants to be signed in; `address` is where the request comes from."""

    name: str
    password: str
    address: str


def sign_in(shop: Shop, passwords: Passwords, key: bytes, attempt: Attempt) -> str:
    """Make a session; its token, for the browser alone.

    Blocks for as long as a password takes to be compared, also for a name that nobody has. `key` hides
    names and addresses where attempts are counted.

    Raises:
        WrongCredentials, TooManyAttempts
    """
    name = " ".join(attempt.name.split())[:40]
    counters = _counters(key, name, attempt.address)
    shop.run(partial(_count, counters=counters))
    known = shop.run(lambda work: _known(work, name))
    password_hash, member_id = known or (None, None)
    if not passwords.matches(password_hash, attempt.password) or member_id is None:
        raise WrongCredentials()
    token = secrets.token_urlsafe(32)
    shop.run(
        partial(_begin, member_id=member_id, token=token, password_hash=password_hash, counters=counters)
    )
    return token


def count_proof(work: Work, key: bytes, name: str, address: str) -> None:
    """Count that a member who is signed in is about to prove with the password who they are; with the
    attempts to sign in, so that a browser left open is no place to guess at.

    Raises:
        TooManyAttempts
    """
    _count(work, _counters(key, name, address))


def forget_proof(work: Work, key: bytes, name: str, address: str) -> None:
    """The password was right: the attempts of this member count no more."""
    by_name, by_address = _counters(key, name, address)
    work.sign_in_attempts.forget(by_name)
    work.sign_in_attempts.take_back(by_address)


def find(work: Work, token: str, *, touch: bool = True) -> SignedIn | None:
    """Who is signed in with this token; None if nobody is (any more). `touch`: a person did something."""
    session = work.staff_sessions.find_by_digest(digest_of(token))
    if session is None or not session.member.active:
        return None
    if work.now >= session.expires_at or work.now >= session.seen_at + IDLE:
        return None
    if touch and work.now >= session.seen_at + TOUCH_AFTER:
        work.staff_sessions.touch(session.token_digest, work.now)
    member = session.member
    return SignedIn(member.id, member.name, member.role, session.token_digest, session.csrf_token)


def sign_out(work: Work, digest: str) -> None:
    """End a session."""
    work.staff_sessions.delete_by_digest(digest)


def digest_of(token: str) -> str:
    """The key under which a session is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _count(work: Work, counters: tuple[str, str]) -> None:
    """Count an attempt before it is looked at: those that come at the same time count, too."""
    too_many = None
    for key, most in zip(counters, (MOST_BY_NAME, MOST_BY_ADDRESS), strict=True):
        attempts, since = work.sign_in_attempts.count(key, work.now, WINDOW)
        if attempts > most:
            too_many = max(since, too_many or since)
    if too_many is not None:
        raise TooManyAttempts(_minutes(too_many + WINDOW - work.now))


def _minutes(left: timedelta) -> int:
    return max(1, math.ceil(left / timedelta(minutes=1)))


def _known(work: Work, name: str) -> tuple[str, uuid.UUID] | None:
    member = work.staff_members.find_by_name(name)
    return (member.password_hash, member.id) if member is not None and member.active else None


def _begin(
    work: Work, member_id: uuid.UUID, token: str, password_hash: str | None, counters: tuple[str, str]
) -> None:
    """Make the session, unless the member was signed off or got another password meanwhile.

    Raises:
        WrongCredentials
    """
    member = work.staff_members.find_by_id(member_id)
    if member is None or not member.active or member.password_hash != password_hash:
        raise WrongCredentials()
    work.staff_sessions.delete_ended(work.now, work.now - IDLE)
    work.sign_in_attempts.forget_before(work.now - WINDOW)
    by_name, by_address = counters
    work.sign_in_attempts.forget(by_name)
    work.sign_in_attempts.take_back(by_address)
    work.staff_sessions.create(
        token_digest=digest_of(token),
        member_id=member.id,
        csrf_token=secrets.token_urlsafe(32),
        created_at=work.now,
        seen_at=work.now,
        expires_at=work.now + LONGEST,
    )


def _counters(key: bytes, name: str, address: str) -> tuple[str, str]:
    return _digest(key, "name", name.casefold()), _digest(key, "address", address)


def _digest(key: bytes, kind: str, value: str) -> str:
    return hmac.new(key, f"sign-in {kind} {value}".encode(), hashlib.sha256).hexdigest()
