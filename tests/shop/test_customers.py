"""Customers: recognised by the pseudonym of their number, remembered only where the shop may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from db.models import Customer
from shop.customers import LanguageChoice, choose_language, note_opt_out, recognise, stop_notices
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import Identity


def test_the_first_message_makes_the_customer(shop, caller, sessions, settings):
    who = caller()
    made = shop.run(lambda work: recognise(work, who.lookup, who.address, "Test Customer"))
    with sessions.begin() as session:
        row = session.query(Customer).one()
        assert (row.id, row.name, row.phone_lookup) == (made.id, "Test Customer", who.lookup)
        assert CUSTOMER_NUMBER.strip("+") not in row.phone_number + row.phone_lookup
        assert Identity(settings.privacy).unseal(row.phone_number) == CUSTOMER_NUMBER


def test_the_next_message_finds_the_same_customer(shop, caller, sessions):
    first, second = caller(), caller()
    assert first.address != second.address, "sealed anew each time, found all the same"
    found = {
        shop.run(lambda work, who=who: recognise(work, who.lookup, who.address, None)).id
        for who in (first, second)
    }
    assert len(found) == 1
    other = caller(number="+2348099999999")
    shop.run(lambda work: recognise(work, other.lookup, other.address, None))
    with sessions.begin() as session:
        assert session.query(Customer).count() == 2


def test_the_name_is_learned_once(shop, caller):
    who = caller()

    def name_after(profile_name):
        return shop.run(lambda work: recognise(work, who.lookup, who.address, profile_name)).name

    assert name_after(None) is None
    assert name_after("") is None
    assert name_after("Ada") == "Ada"
    assert name_after("Somebody Else") == "Ada"
    assert name_after(None) == "Ada"


def test_without_recognition_no_name_is_learned(make_shop, caller):
    shop, who = make_shop(customer_recognition=False), caller()
    assert shop.run(lambda work: recognise(work, who.lookup, who.address, "Ada")).name is None
    assert shop.run(lambda work: recognise(work, who.lookup, who.address, "Ada")).name is None


def test_the_shell_has_no_address(shop, sessions):
    for lookup in ("default", "another terminal"):
        shop.run(lambda work, lookup=lookup: recognise(work, lookup, None, None))
    with sessions.begin() as session:
        assert [row.phone_number for row in session.query(Customer)] == [None, None]


def test_two_first_messages_at_once_make_one_customer(shop, caller, sessions):
    barrier = Barrier(6)

    def first_message(who):
        barrier.wait(10)
        return shop.run(lambda work: recognise(work, who.lookup, who.address, "Ada")).id

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(first_message, [caller() for _ in range(6)]))
    assert len(found) == 1
    with sessions.begin() as session:
        assert session.query(Customer).count() == 1


@pytest.mark.parametrize(
    ("asked", "chosen"), [("English please", "en"), ("en anglais", "en"), ("Klingon", None), ("", None)]
)
def test_a_known_language_is_remembered(shop, caller, asked, chosen):
    who = caller()
    done = shop.execute(
        who, "language", LanguageChoice, lambda work, customer: choose_language(work, customer, asked)
    )
    assert done.result == LanguageChoice(chosen)
    assert shop.run(lambda work: recognise(work, who.lookup, None, None)).language == chosen


def test_an_unknown_language_leaves_the_chosen_one(shop, caller):
    who = caller()
    for number, asked in enumerate(("english", "klingon")):
        shop.execute(
            replace(who, command_number=number),
            "language",
            LanguageChoice,
            lambda work, customer, asked=asked: choose_language(work, customer, asked),
        )
    assert shop.run(lambda work: recognise(work, who.lookup, None, None)).language == "en"


def test_stopped_notices_are_dated(shop, caller, clock):
    who = caller()
    shop.execute(who, "stop", type(None), stop_notices)
    assert shop.run(lambda work: recognise(work, who.lookup, None, None)).notices_stopped_at == clock.now


def test_who_opted_out_with_whatsapp_gets_nothing_unasked(shop, ask, sessions):
    ask(lambda work, customer: None)
    with sessions.begin() as session:
        lookup = session.query(Customer).one().phone_lookup
    shop.run(lambda work: note_opt_out(work, lookup))
    shop.run(lambda work: note_opt_out(work, "nobody we know"))
    with sessions.begin() as session:
        assert session.query(Customer).one().notices_stopped_at is not None
