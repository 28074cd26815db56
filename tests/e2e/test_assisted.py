"""The whole system with a language model beside it: from the webhook to the cart, by the customer's yes."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from assist.prompt import RULES
from tests.assist.stand_in import StandIn, completion, key_of, question_of, reply, says, serving
from tests.assist.test_hostile import FREE_TEXT, attacks, corpus
from tests.e2e.conftest import new_state_dir, running
from tests.e2e.rows import cart_of, states_of
from tests.e2e.system import Phone, System

HOSTILE = 25
KEPT = "products orders order_items payments refunds stock_reservations discounts staff_members".split()
UNCLEAR = "2 of dem black come dey fizz for cup"


@pytest.fixture(scope="module")
def model() -> Iterator[StandIn]:
    """A model that takes every message for an order of two colas, or of what a test sets."""
    with serving(says(order("Cola", 2))) as server:
        yield server


@pytest.fixture(scope="module")
def assisted(model: StandIn) -> Iterator[System]:
    """The whole system, helped."""
    with running(new_state_dir(), {"LLM_BASE_URL": model.base_url, "LLM_MODEL": "tiny"}) as system:
        yield system


@pytest.fixture
def phone(assisted: System) -> Phone:
    """A phone with a number that nobody had before."""
    return Phone(assisted, f"+23480{random.randint(20_000_000, 99_999_999)}")


def order(name: str, quantity: int):
    """A command that orders something of the menu."""

    def command(question):
        line = {"product": key_of(question, name), "quantity": quantity, "options": [], "without": []}
        return {"kind": "order", "lines": [line]}

    return command


def test_a_yes_puts_it_into_the_cart(assisted: System, phone: Phone) -> None:
    asked = phone.say(UNCLEAR)
    assert "Did you mean this?" in asked and "2 × Cola" in asked
    assert cart_of(assisted, phone) == {}
    assert "Cola" in phone.say("yes")
    assert cart_of(assisted, phone) == {"Cola": 2}


def test_a_no_leads_to_the_question_of_always(assisted: System, phone: Phone) -> None:
    phone.say(UNCLEAR)
    assert "I did not get that" in phone.say("no")
    assert cart_of(assisted, phone) == {}


def test_a_no_with_something_in_the_cart_is_no_wish_to_pay(assisted: System, phone: Phone) -> None:
    phone.say("2 classic burgers")
    assert "Did you mean this?" in phone.say(UNCLEAR)
    assert "I did not get that" in phone.say("no")
    assert cart_of(assisted, phone) == {"Classic Beef Burger": 2}
    assert states_of(assisted, phone)[-1] == "ADDING_TO_CART"
    phone.say("no")
    assert states_of(assisted, phone)[-1] == "REVIEWING_ORDER"


def test_a_question_is_left_where_something_else_is_said(assisted: System, phone: Phone) -> None:
    phone.say(UNCLEAR)
    assert "burger" in phone.say("2 classic burgers").lower()
    phone.say("yes")
    assert cart_of(assisted, phone) == {"Classic Beef Burger": 2}


def test_hostile_messages_change_nothing_that_is_not_the_attackers_own(
    assisted: System, model: StandIn, phone: Phone
) -> None:
    """Through the webhook, with a model that obeys, and attackers who say yes to what they are asked."""
    phone.say("2 classic burgers")
    product = str(assisted.rows("SELECT id FROM products ORDER BY name LIMIT 1")[0][0])
    turn = itertools.count()

    async def obeys(request: dict[str, Any], writer: Any) -> None:
        answers = attacks(product, question_of(request))
        answer = answers[next(turn) % len(answers)]
        await reply(writer, completion(answer if isinstance(answer, str) else json.dumps(answer)))

    before, obedient_no_more = rows_of(assisted), model.behaviour
    model.behaviour = obeys
    asked, confirmed = len(model.requests), 0
    messages = [message for each in corpus().values() for _, message in each]
    try:
        for message in messages[:: len(messages) // HOSTILE]:
            attacker = Phone(assisted, f"+23481{random.randint(20_000_000, 99_999_999)}")
            said = attacker.say(message)
            if "*yes*" in said:
                confirmed += 1
                said += attacker.say("yes")
            for secret in (FREE_TEXT, RULES[:40], phone.number[4:], product):
                assert secret not in said, message
    finally:
        model.behaviour = obedient_no_more
    assert len(model.requests) > asked and confirmed, "the model was asked, and some said yes"
    assert rows_of(assisted) == before
    assert cart_of(assisted, phone) == {"Classic Beef Burger": 2}


def rows_of(system: System) -> dict[str, list[str]]:
    """All that money, stock and staff are made of."""
    return {
        table: sorted(str(row[0]) for row in system.rows(f"SELECT t::text FROM {table} t")) for table in KEPT
    }
