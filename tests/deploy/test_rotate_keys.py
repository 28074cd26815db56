"""Keys are rotated while customers write: all are found at every step, and what is left over is told."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from sqlalchemy import select

from db.models import Customer
from deploy.rotate_keys import main
from settings import read_settings
from shop import key_rotation, privacy
from shop.customers import recognise
from tests.environment import CUSTOMER_NUMBER, ENVIRONMENT
from whatsapp.identity import Identity, InvalidAddress

OLD = ENVIRONMENT["PHONE_ENCRYPTION_KEYS"]
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()
NEXT_INDEX = "the index key that comes next, long enough as well"
NUMBERS = [CUSTOMER_NUMBER, *(f"+23480990000{last:02}" for last in range(5))]


@pytest.fixture
def set_keys(monkeypatch, database_url):
    """Sets the keys as an operator does in .env."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def set_keys(encryption: str = OLD, index: str | None = None, following: str | None = None) -> Identity:
        monkeypatch.setenv("PHONE_ENCRYPTION_KEYS", encryption)
        monkeypatch.setenv("PHONE_INDEX_KEY", index or ENVIRONMENT["PHONE_INDEX_KEY"])
        monkeypatch.setenv("PHONE_INDEX_KEY_NEXT", following or "")
        return Identity(read_settings().privacy)

    return set_keys


@pytest.fixture
def run(set_keys, capsys, monkeypatch):
    """Runs the program; its exit code, output and errors."""
    monkeypatch.setattr(key_rotation.rotate, "__defaults__", (2,))  # more than one batch

    def run() -> tuple[int, str, str]:
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def known(shop, caller, sessions) -> list[Customer]:
    """Customers with numbers, one of the shell and one who was erased."""
    people = [caller(number=number) for number in NUMBERS]
    known = [
        shop.run(lambda work, who=who: recognise(work, who.lookup, who.address, "Ada")) for who in people
    ]
    shop.run(lambda work: recognise(work, "the shell", None, None))
    gone = caller(number="+2348077777777")
    shop.run(lambda work: privacy.erase(work, recognise(work, gone.lookup, gone.address, "Gone")))
    return known


def found(shop, identity: Identity, number: str) -> Customer | None:
    """Who is recognised behind a number by processes with these keys."""
    return shop.run(lambda work: work.customers.find_by_lookup(identity.pseudonym(number)))


def rows(sessions) -> dict[object, Customer]:
    with sessions() as session:
        return {row.id: row for row in session.scalars(select(Customer))}


def test_numbers_are_encrypted_with_the_first_key_and_the_old_one_can_go(set_keys, run, known, sessions):
    before = rows(sessions)
    set_keys(f"{NEW},{OLD}")
    code, output, errors = run()
    assert (code, errors) == (0, "")
    assert output.splitlines() == [
        "chatcart: numbers encrypted with the first key: 6 changed, 0 were so already",
        "chatcart: look-up values of the present key: 0 changed, 6 were so already",
    ]
    assert "6 were so already" in run()[1].splitlines()[0], "run again, it changes nothing"
    only_new = set_keys(NEW)
    after = rows(sessions)
    assert sorted(only_new.unseal(after[one.id].phone_number) for one in known) == sorted(NUMBERS)
    for customer_id, row in after.items():
        assert row.phone_lookup == before[customer_id].phone_lookup


def test_with_one_key_there_is_nothing_to_do(set_keys, run, known, sessions):
    set_keys()
    before = {key: row.phone_number for key, row in rows(sessions).items()}
    assert run()[0] == 0
    assert {key: row.phone_number for key, row in rows(sessions).items()} == before


def test_a_number_that_no_key_opens_is_named_by_its_customer(set_keys, run, known, sessions):
    with sessions.begin() as session:
        session.get(Customer, known[2].id).phone_number = "no token"
    set_keys(f"{NEW},{OLD}")
    code, output, errors = run()
    assert code == 1
    assert "5 changed, 0 were so already" in output
    assert set(errors.splitlines()) == {
        f"chatcart: customer {known[2].id}: none of the keys opens the number"
    }


def test_who_is_being_changed_just_now_is_left_for_the_next_run(set_keys, run, known, sessions):
    set_keys(f"{NEW},{OLD}")
    with sessions.begin() as session:
        session.scalars(select(Customer).where(Customer.id == known[0].id).with_for_update()).one()
        code, output, errors = run()
        assert code == 1
        assert "5 changed" in output
        assert "1 in use just now; run it again" in errors
    code, output, _ = run()
    assert code == 0
    assert "1 changed, 5 were so already" in output


def test_an_index_key_is_rotated_and_everybody_is_found_at_every_step(set_keys, run, known, sessions, shop):
    ids = {number: one.id for number, one in zip(NUMBERS, known, strict=True)}

    def all_found(identity: Identity) -> bool:
        return all(found(shop, identity, number).id == ids[number] for number in NUMBERS)

    old = set_keys(following=NEXT_INDEX)
    code, output, _ = run()
    assert code == 0
    assert "look-up values of the next key: 6 changed" in output
    assert all_found(old)
    assert "look-up values of the next key: 0 changed" in run()[1]

    new = set_keys(index=NEXT_INDEX)
    assert all_found(new), "right after the switch, before anything else is run"
    assert all_found(old), "and what is still under way"
    code, output, _ = run()
    assert code == 0
    assert "look-up values of the present key: 6 changed" in output
    assert all_found(new)
    assert not any(found(shop, old, number) for number in NUMBERS)
    assert not any(row.phone_lookup_next for row in rows(sessions).values())
    assert "look-up values of the present key: 0 changed" in run()[1]


def test_run_too_early_it_takes_back_nothing(set_keys, run, known, shop):
    set_keys(following=NEXT_INDEX)
    run()
    set_keys()  # the next key was removed, and the switch forgotten
    run()
    assert found(shop, set_keys(index=NEXT_INDEX), CUSTOMER_NUMBER).id == known[0].id


def test_who_was_made_twice_in_between_is_named_and_skipped(set_keys, run, known, sessions, shop, caller):
    latecomer = caller(number="+2348055555555")
    set_keys(following=NEXT_INDEX)
    run()
    first = shop.run(lambda work: recognise(work, latecomer.lookup, latecomer.address, None))
    new = set_keys(index=NEXT_INDEX)
    lookup, address = new.pseudonym("+2348055555555"), new.seal("+2348055555555")
    second = shop.run(lambda work: recognise(work, lookup, address, None))
    assert first.id != second.id
    code, output, errors = run()
    assert code == 1
    assert "6 changed, 1 were so already" in output
    assert errors == f"chatcart: customer {first.id}: made twice; left under the old key\n"
    assert found(shop, new, "+2348055555555").id == second.id
    assert rows(sessions)[first.id].phone_lookup == latecomer.lookup


def test_what_is_prepared_too_late_does_not_point_to_two(set_keys, run, known, shop, caller):
    new = Identity(replace(read_settings().privacy, phone_index_key=NEXT_INDEX.encode()))
    lookup, address = new.pseudonym(CUSTOMER_NUMBER), new.seal(CUSTOMER_NUMBER)
    shop.run(lambda work: recognise(work, lookup, address, None))
    set_keys(following=NEXT_INDEX)
    code, _, errors = run()
    assert code == 1
    assert errors == f"chatcart: customer {known[0].id}: made twice; left under the old key\n"


def test_the_erased_and_the_shell_are_left_alone(set_keys, run, known, sessions):
    set_keys(f"{NEW},{OLD}", following=NEXT_INDEX)
    run()
    untouched = [row for row in rows(sessions).values() if row.phone_number is None]
    assert len(untouched) == 2
    assert all(row.phone_lookup_next is None for row in untouched)


def test_no_database_is_one_line(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    code, output, errors = run()
    assert (code, output) == (1, "")
    assert errors == "chatcart: DATABASE_URL: the database is out of reach, or lets nobody in\n"


def test_the_old_key_is_needed_until_then(set_keys, known, sessions):
    only_new = set_keys(NEW)
    with pytest.raises(InvalidAddress):
        only_new.unseal(rows(sessions)[known[0].id].phone_number)
