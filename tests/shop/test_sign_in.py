"""Signing in: who gets in, for how long, and how often one may try."""

from __future__ import annotations

import threading

import pytest

from db.models import SignInAttempts, StaffRole, StaffSession
from shop import sign_in, staff
from shop.errors import TooManyAttempts, WrongCredentials
from shop.sign_in import MOST_BY_ADDRESS, MOST_BY_NAME, Attempt
from tests.environment import STAFF_PASSWORD

KEY = b"a key"


@pytest.fixture
def ada(shop, passwords) -> staff.Member:
    hashed = passwords.hash(STAFF_PASSWORD)
    return shop.run(lambda work: staff.add_member(work, "boss", "Ada", hashed, StaffRole.STAFF))


@pytest.fixture
def enter(shop, passwords, ada):
    """Tries to sign in; the token."""

    def enter(name: str = "Ada", password: str = STAFF_PASSWORD, address: str = "10.0.0.1") -> str:
        return sign_in.sign_in(shop, passwords, KEY, Attempt(name, password, address))

    return enter


@pytest.fixture
def find(shop):
    return lambda token, **how: shop.run(lambda work: sign_in.find(work, token, **how))


def test_signing_in_and_out(enter, find, shop, ada):
    token = enter(" ADA ")
    who = find(token)
    assert (who.member_id, who.name, who.role) == (ada.id, "Ada", StaffRole.STAFF)
    shop.run(lambda work: sign_in.sign_out(work, who.digest))
    assert find(token) is None


def test_the_table_cannot_be_signed_in_with(enter, find, sessions):
    token = enter()
    with sessions() as session:
        (row,) = session.query(StaffSession)
    assert token not in (row.token_digest, row.csrf_token)
    assert find(row.token_digest) is None


def test_two_browsers_share_nothing(enter, find):
    one, other = find(enter()), find(enter())
    assert one.digest != other.digest and one.csrf_token != other.csrf_token


@pytest.mark.parametrize(
    ("name", "password"), [("Ada", "wrong password"), ("Bea", STAFF_PASSWORD), ("", ""), ("Ada", "")]
)
def test_wrong_names_and_wrong_passwords_are_told_the_same(enter, name, password):
    with pytest.raises(WrongCredentials) as refused:
        enter(name, password)
    assert refused.value.values == {}


def test_an_unused_session_ends_and_a_used_one_lasts_a_day(enter, find, clock):
    idle, used = enter(), enter()
    for _ in range(3):
        clock.pass_minutes(7 * 60)
        assert find(used) is not None
    assert find(idle) is None
    clock.pass_minutes(3 * 60)
    assert find(used) is None, "after 24 hours, however busy"


def test_what_a_page_asks_for_by_itself_keeps_nobody_signed_in(enter, find, clock):
    token = enter()
    clock.pass_minutes(7 * 60)
    assert find(token, touch=False) is not None
    clock.pass_minutes(61)
    assert find(token, touch=False) is None


def test_many_wrong_passwords_for_one_name_have_to_wait(enter, clock):
    for count in range(MOST_BY_NAME):
        with pytest.raises(WrongCredentials):
            enter(password=f"guess number {count}", address=f"10.0.0.{count}")
    with pytest.raises(TooManyAttempts) as refused:
        enter("ada")
    assert refused.value.values == {"minutes": 15}
    clock.pass_minutes(15)
    assert enter()


def test_success_forgets_the_failures_before_it(enter):
    for _ in range(3):
        for count in range(MOST_BY_NAME - 1):
            with pytest.raises(WrongCredentials):
                enter(password=f"guess number {count}", address=f"10.0.1.{count}")
        assert enter(address="10.0.0.7")


def test_many_names_from_one_address_have_to_wait_others_do_not(enter):
    for count in range(MOST_BY_ADDRESS):
        with pytest.raises(WrongCredentials):
            enter(f"name {count}")
    with pytest.raises(TooManyAttempts):
        enter()
    assert enter(address="10.0.0.2")


def test_attempts_at_the_same_time_count_one_by_one(enter):
    told = []

    def guess() -> None:
        try:
            enter(password="a guess like others")
        except (WrongCredentials, TooManyAttempts) as refusal:
            told.append(type(refusal))

    threads = [threading.Thread(target=guess) for _ in range(MOST_BY_NAME + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told.count(WrongCredentials), told.count(TooManyAttempts)) == (MOST_BY_NAME, 4)


def test_neither_name_nor_address_is_kept_where_attempts_are_counted(enter, sessions):
    with pytest.raises(WrongCredentials):
        enter(password="wrong password")
    with sessions() as session:
        keys = [row.key for row in session.query(SignInAttempts)]
    assert len(keys) == 2 and all(len(key) == 64 for key in keys)


def test_what_ended_is_forgotten_with_the_next_sign_in(enter, clock, sessions):
    enter()
    clock.pass_minutes(9 * 60)
    enter()
    with sessions() as session:
        assert session.query(StaffSession).count() == 1
