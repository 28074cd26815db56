"""The whole system with a language model beside it: from the webhook to the cart, by the customer's yes."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.assist.stand_in import StandIn, key_of, says, serving
from tests.e2e.conftest import new_state_dir, running
from tests.e2e.rows import cart_of, states_of
from tests.e2e.system import Phone, System

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
