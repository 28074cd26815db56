"""Killed at every step and started again, the system gives the rows and replies of an undisturbed run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.rows import cart_of, pseudonym
from tests.e2e.system import Phone, System

MESSAGE = "2 colas"


@dataclass(frozen=True)
class Step:
    """A moment: on which connection, at which request, before or after its answer, who dies; `armed_by`
    is what has to be seen first."""

    name: str
    tap: str
    pattern: bytes
    after: bool
    victim: str
    armed_by: bytes = b""


STEPS = [
    Step("webhook, before the message is kept", "rasa_redis", b"chatcart:inbound:seen:", False, "rasa"),
    Step("webhook, kept but not answered", "rasa_redis", b"chatcart:inbound:seen:", True, "rasa"),
    Step("consumer, conversation leased", "rasa_redis", b"chatcart:inbound:lease:", True, "rasa"),
    Step("before the session is read", "rasa_redis", b"chatcart:session:", False, "rasa"),
    Step("before the action is called", "rasa_actions", b"POST /webhook", False, "rasa"),
    Step("the action answered, Rasa did not hear it", "rasa_actions", b"POST /webhook", True, "rasa"),
    Step("the shop, before COMMIT", "actions_postgres", b"COMMIT", False, "actions"),
    Step("the shop, after COMMIT", "actions_postgres", b"COMMIT", True, "actions"),
    Step("before the turn's MULTI", "rasa_redis", b"EXEC", False, "rasa"),
    Step("after the turn's MULTI", "rasa_redis", b"EXEC", True, "rasa"),
    Step("sender, conversation leased", "sender_redis", b"chatcart:outbound:lease:", True, "sender"),
    Step("sender, attempt noted", "sender_redis", b"chatcart:outbound:attempt:", True, "sender"),
    Step("sender, its place in the pace taken", "sender_redis", b"chatcart:outbound:next", True, "sender"),
    Step("sender, before Twilio is asked", "sender_twilio", b"POST /2010", False, "sender"),
    Step("sender, Twilio answered unheard", "sender_twilio", b"POST /2010", True, "sender"),
    Step("sender, before its MULTI", "sender_redis", b"EXEC", False, "sender"),
    Step("sender, after its MULTI", "sender_redis", b"EXEC", True, "sender"),
]


@pytest.fixture(scope="module")
def undisturbed(system: System) -> tuple[object, ...]:
    """What an undisturbed run leaves behind."""
    phone = Phone(system, "+2348020000001")
    phone.say(MESSAGE)
    return outcome(system, phone)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_message_survives_a_crash(
    system: System, new_phone: Callable[[], Phone], undisturbed: tuple[object, ...], step: Step
) -> None:
    phone = new_phone()
    trap = system.taps[step.tap].set(step.pattern, after=step.after, kill=lambda: system.kill(step.victim))
    fields = phone.fields(MESSAGE)
    answered = post(system, fields)
    assert trap.sprung.wait(20), "the step was not reached"
    system.start(step.victim)
    if not answered:
        # No 200, so Twilio (or the person) sends the same message again.
        assert system.post(fields).status_code == 200
    phone.hear(30)
    time.sleep(1.0)  # a doubled reply would come now
    assert outcome(system, phone) == undisturbed


PAYMENT_STEPS = [
    Step("payment, before COMMIT", "web_postgres", b"COMMIT", False, "web"),
    Step("payment, after COMMIT", "web_postgres", b"COMMIT", True, "web"),
    Step("outbox, before the stream has it", "sender_redis", b"payment_confirmed", False, "sender"),
    Step("outbox, on the stream but not marked", "sender_redis", b"payment_confirmed", True, "sender"),
]


@pytest.mark.parametrize("step", PAYMENT_STEPS, ids=lambda step: step.name)
def test_a_payment_survives_a_crash(system: System, new_phone: Callable[[], Phone], step: Step) -> None:
    phone = new_phone()
    for message in ("2 colas", "checkout"):
        phone.say(message)
    link = next(word for word in phone.say("yes").split() if "/payments/sandbox/" in word)
    trap = system.taps[step.tap].set(step.pattern, after=step.after, kill=lambda: system.kill(step.victim))
    answered = pay(link)
    assert trap.sprung.wait(20), "the step was not reached"
    system.start(step.victim)
    if not answered:
        assert pay(link)  # the customer presses the button again
    assert "Payment received" in phone.hear(30)
    time.sleep(1.0)
    told = [message for message in system.sent_to(phone.number) if "Payment received" in message.body]
    assert len(told) == 1
    assert order_rows(system, phone) == [("paid", "verified", 1)]


def post(system: System, fields: dict[str, str]) -> bool:
    """Post a message; False if nobody answered."""
    try:
        return system.post(fields).status_code == 200
    except httpx.HTTPError:
        return False


def pay(link: str) -> bool:
    """Press the button on the pay page; False if nobody answered."""
    try:
        return httpx.post(link, data={"outcome": "paid"}).status_code == 200
    except httpx.HTTPError:
        return False


def outcome(system: System, phone: Phone) -> tuple[object, ...]:
    """Everything that one message led to."""
    replies = [(message.body, message.media) for message in system.sent_to(phone.number)]
    cart = cart_of(system, phone)
    states = system.rows(
        "SELECT s.from_state, s.to_state FROM state_changes s JOIN customers u ON u.id = s.customer_id"
        " WHERE u.phone_lookup = %s ORDER BY s.id",
        pseudonym(system, phone),
    )
    executed = system.rows(
        "SELECT command_number, command FROM commands WHERE message_id = %s ORDER BY 1, 2", phone.last_sid
    )
    return replies, cart, states, executed


def order_rows(system: System, phone: Phone) -> list[tuple[object, ...]]:
    """Status of order and payment, and how often the payment was told."""
    return system.rows(
        "SELECT o.status::text, p.status::text,"
        " (SELECT count(*) FROM outbox b WHERE b.customer_id = u.id)::int"
        " FROM orders o JOIN payments p ON p.order_id = o.id JOIN customers u ON u.id = o.customer_id"
        " WHERE u.phone_lookup = %s",
        pseudonym(system, phone),
    )
