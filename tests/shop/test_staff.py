"""Members of staff: names, passwords, roles, and that somebody always owns the shop."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from db.models import StaffAction, StaffMember, StaffRole, StaffSession
from shop import audit, sign_in, staff
from shop.errors import BadInput, LastOwner, NameTaken, NotThere
from shop.sign_in import Attempt
from tests.environment import STAFF_PASSWORD


@pytest.fixture
def add(shop, passwords):
    """Adds a member, who can sign in with STAFF_PASSWORD."""

    def add(name: str, role: StaffRole = StaffRole.STAFF) -> staff.Member:
        hashed = passwords.hash(STAFF_PASSWORD)
        return shop.run(lambda work: staff.add_member(work, "boss", name, hashed, role))

    return add


def signed_in_count(shop) -> int:
    return shop.run(lambda work: work.session.scalar(select(func.count()).select_from(StaffSession)))


@pytest.mark.parametrize("name", ["Ada", "Ada O'Neill", "José-María", "ada.b", "7up"])
def test_names_that_people_have(name):
    assert staff.check_name(f"  {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", "<b>Ada</b>", "a\nb|c", "x" * 41, "-ada", "ada;--"])
def test_names_that_nobody_has(name):
    with pytest.raises(BadInput):
        staff.check_name(name)


@pytest.mark.parametrize(
    "password",
    ["", "short", "123456789", "1234567890", "Password123", "aaaaaaaaaaaa", "ada-ada-ada", "x" * 201],
)
def test_passwords_that_are_guessed_are_refused(password):
    with pytest.raises(BadInput):
        staff.check_password("ada-ada", password)


@pytest.mark.parametrize("password", ["correct horse battery", "ten chars!", "ada-ada and much more"])
def test_passwords_that_will_do(password):
    staff.check_password("ada-ada", password)


def test_a_password_is_kept_as_argon2id_with_its_own_salt(passwords):
    one, other = passwords.hash("the same words"), passwords.hash("the same words")
    assert one.startswith("$argon2id$") and one != other
    assert passwords.matches(one, "the same words")
    assert not passwords.matches(one, "other words")
    assert not passwords.matches(None, "the same words"), "nobody's"
    assert not passwords.matches("no hash", "the same words")


def test_a_name_is_one_person_in_whatever_case(add):
    add("Ada")
    with pytest.raises(NameTaken):
        add("ADA")


def test_who_is_signed_off_is_out_at_once_and_can_be_let_in_again(shop, add, passwords, clock):
    ada = add("Ada")
    token = sign_in.sign_in(shop, passwords, b"key", Attempt("ada", STAFF_PASSWORD, "10.0.0.1"))
    assert shop.run(lambda work: sign_in.find(work, token)).name == "Ada"
    shop.run(lambda work: staff.set_active(work, "boss", ada.id, False))
    assert shop.run(lambda work: sign_in.find(work, token)) is None
    assert signed_in_count(shop) == 0
    shop.run(lambda work: staff.set_active(work, "boss", ada.id, True))
    assert shop.run(lambda work: sign_in.find(work, token)) is None, "and has to sign in again"


def test_a_new_password_ends_all_sessions_but_the_one_it_was_set_in(shop, add, passwords):
    ada = add("Ada")
    here, there = (
        sign_in.sign_in(shop, passwords, b"key", Attempt("Ada", STAFF_PASSWORD, "10.0.0.1")) for _ in "12"
    )
    shop.run(lambda work: staff.set_password(work, "Ada", ada.id, "hash", but=sign_in.digest_of(here)))
    assert shop.run(lambda work: sign_in.find(work, here)) is not None
    assert shop.run(lambda work: sign_in.find(work, there)) is None


def test_the_last_owner_stays_one(shop, add):
    boss, ada = add("Boss", StaffRole.OWNER), add("Ada")
    with pytest.raises(LastOwner):
        shop.run(lambda work: staff.set_active(work, "Boss", boss.id, False))
    with pytest.raises(LastOwner):
        shop.run(lambda work: staff.set_role(work, "Boss", boss.id, StaffRole.STAFF))
    shop.run(lambda work: staff.set_role(work, "Boss", ada.id, StaffRole.OWNER))
    shop.run(lambda work: staff.set_role(work, "Ada", boss.id, StaffRole.STAFF))
    with pytest.raises(LastOwner):
        shop.run(lambda work: staff.set_active(work, "Ada", ada.id, False))


def test_two_owners_cannot_dismiss_each_other_at_once(shop, add, sessions):
    owners = [add("Ada", StaffRole.OWNER), add("Bea", StaffRole.OWNER)]
    refused = []

    def dismiss(other: staff.Member) -> None:
        try:
            shop.run(lambda work: staff.set_active(work, "an owner", other.id, False))
        except LastOwner:
            refused.append(other)

    threads = [threading.Thread(target=dismiss, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with sessions() as session:
        assert session.query(StaffMember).filter_by(active=True).count() == 1


def test_nobody_is_changed_who_is_not_there(shop, add):
    add("Boss", StaffRole.OWNER)
    for member_id in ("7d0f4ed6-5c50-4c0c-8f6c-c1f6d6a1b0c4", "no id"):
        with pytest.raises(NotThere):
            shop.run(lambda work, one=member_id: staff.set_role(work, "Boss", one, StaffRole.STAFF))


def test_the_operator_makes_an_owner_and_gets_back_in(shop, add, passwords):
    ada = add("Ada")
    shop.run(lambda work: staff.set_active(work, "boss", ada.id, False))
    made = shop.run(lambda work: staff.make_owner(work, "ada", passwords.hash("another password")))
    assert (made.id, made.role, made.active) == (ada.id, StaffRole.OWNER, True)
    assert sign_in.sign_in(shop, passwords, b"key", Attempt("Ada", "another password", "10.0.0.1"))


def test_everything_is_recorded_and_no_password_is(shop, add, sessions, passwords):
    ada = add("Ada")
    shop.run(lambda work: staff.set_role(work, "boss", ada.id, StaffRole.DESIGNER))
    shop.run(lambda work: staff.set_role(work, "boss", ada.id, StaffRole.DESIGNER))
    shop.run(lambda work: staff.set_password(work, "Ada", ada.id, passwords.hash("another password")))
    page = shop.run(audit.page)
    assert sorted((entry.staff, entry.action, entry.subject, entry.about) for entry in page.entries) == [
        ("Ada", "password changed", "member", "Ada"),
        ("boss", "member added", "member", "Ada"),
        ("boss", "role changed", "member", "Ada"),
    ], "and what changed nothing is not"
    with sessions() as session:
        assert "argon2" not in "".join(str(row.details) for row in session.query(StaffAction))


def test_the_record_is_read_page_by_page(shop, add):
    for number in range(5):
        add(f"Member {number}")
    first = shop.run(lambda work: audit.page(work, limit=3))
    second = shop.run(lambda work: audit.page(work, str(first.next), limit=3))
    assert [entry.about for entry in (*first.entries, *second.entries)] == [
        f"Member {number}" for number in (4, 3, 2, 1, 0)
    ]
    assert second.next is None
