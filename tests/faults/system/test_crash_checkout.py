"""An accepted message is answered: kill -9 at every step of the checkout's turn and of a payment."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.e2e.rows import pseudonym, states_of
from tests.e2e.system import Phone, System
from tests.e2e.test_crash import Step, order_rows, pay, post

LINK = re.compile(r"http\S+/payments/sandbox/\S+")
ORDER = b"INSERT INTO orders"
CHARGE = b"INSERT INTO sandbox_charges"
LINK_KEPT = b"UPDATE payments SET"
SETTLED = b"UPDATE orders SET"
EVENT = b"INSERT INTO payment_events"
TOLD = b"complete_payment"
MARK = b"UPDATE outbox SET"

CHECKOUT = [
    Step("order, before COMMIT", "actions_postgres", b"COMMIT", False, "actions", ORDER),
    Step("order, after COMMIT", "actions_postgres", b"COMMIT", True, "actions", ORDER),
    Step("link, before the provider is asked", "actions_postgres", CHARGE, False, "actions"),
    Step("link, provider asked unheard", "actions_postgres", b"COMMIT", True, "actions", CHARGE),
    Step("link, known but not kept", "actions_postgres", b"COMMIT", False, "actions", LINK_KEPT),
    Step("link, kept but not said", "actions_postgres", b"COMMIT", True, "actions", LINK_KEPT),
    Step("order made, Rasa did not hear it", "rasa_actions", b"action_place_order", True, "rasa"),
    Step("before the turn's MULTI", "rasa_redis", b"EXEC", False, "rasa"),
    Step("after the turn's MULTI", "rasa_redis", b"EXEC", True, "rasa"),
]
WEBHOOK = [
    Step("event, not stored", "web_postgres", b"COMMIT", False, "web", EVENT),
    Step("event, stored but not applied", "web_postgres", b"COMMIT", True, "web", EVENT),
    Step("money, before COMMIT", "web_postgres", b"COMMIT", False, "web", SETTLED),
    Step("money, applied but not answered", "web_postgres", b"COMMIT", True, "web", SETTLED),
    Step("outbox, on the stream, not marked", "sender_postgres", b"COMMIT", False, "sender", MARK),
    Step("outbox, marked", "sender_postgres", b"COMMIT", True, "sender", MARK),
    Step("telling, before COMMIT", "actions_postgres", b"COMMIT", False, "actions", TOLD),
    Step("telling, after COMMIT", "actions_postgres", b"COMMIT", True, "actions", TOLD),
]
EXPIRY = [
    Step("expiry, before COMMIT", "sender_postgres", b"COMMIT", False, "sender", SETTLED),
    Step("expiry, after COMMIT", "sender_postgres", b"COMMIT", True, "sender", SETTLED),
]


def set_trap(system: System, step: Step) -> object:
    """Kill the step's victim when its moment comes."""
    return system.taps[step.tap].set(
        step.pattern, after=step.after, kill=lambda: system.kill(step.victim), armed_by=step.armed_by
    )


def fill_cart(phone: Phone) -> None:
    """Everything up to the question whether to order."""
    for message in ("2 colas", "checkout"):
        phone.say(message)


def order(phone: Phone) -> str:
    """An order that awaits its payment; its link."""
    fill_cart(phone)
    return LINK.findall(phone.say("yes"))[0]


def made(system: System, phone: Phone) -> tuple[object, ...]:
    """What the checkout led to, without numbers and references that differ from order to order."""
    replies = [len(LINK.findall(message.body)) for message in system.sent_to(phone.number)]
    rows = system.rows(
        "SELECT o.status::text, p.status::text, p.url IS NOT NULL, r.quantity,"
        " (SELECT count(*) FROM sandbox_charges c WHERE c.reference = p.payment_reference)::int"
        " FROM orders o JOIN payments p ON p.order_id = o.id JOIN stock_reservations r ON r.order_id = o.id"
        " JOIN customers u ON u.id = o.customer_id WHERE u.phone_lookup = %s",
        pseudonym(system, phone),
    )
    executed = system.rows(
        "SELECT command_number, command FROM commands WHERE message_id = %s ORDER BY 1, 2", phone.last_sid
    )
    return replies, rows, states_of(system, phone), executed


@pytest.fixture(scope="module")
def undisturbed(system: System) -> tuple[object, ...]:
    """What an undisturbed checkout leaves behind."""
    phone = Phone(system, "+2348020000002")
    order(phone)
    found = made(system, phone)
    assert found[1] == [("awaiting_payment", "pending", True, 2, 1)]
    return found


@pytest.mark.parametrize("step", CHECKOUT, ids=lambda step: step.name)
def test_a_checkout_survives_a_crash(
    system: System, new_phone: Callable[[], Phone], undisturbed: tuple[object, ...], step: Step
) -> None:
    phone = new_phone()
    fill_cart(phone)
    trap = set_trap(system, step)
    fields = phone.fields("yes")
    answered = post(system, fields)
    assert trap.sprung.wait(20), "the step was not reached"
    system.start(step.victim)
    if not answered:
        assert system.post(fields).status_code == 200  # no 200: Twilio sends it again
    phone.hear(30)
    time.sleep(0.7)  # a doubled reply would come now
    assert made(system, phone) == undisturbed


@pytest.mark.parametrize("step", WEBHOOK, ids=lambda step: step.name)
def test_a_payment_survives_a_crash(system: System, new_phone: Callable[[], Phone], step: Step) -> None:
    phone = new_phone()
    link = order(phone)
    trap = set_trap(system, step)
    answered = pay(link)
    assert trap.sprung.wait(20), "the step was not reached"
    system.start(step.victim)
    if not answered:
        assert pay(link)
    assert_told_once(system, phone, "Payment received")
    assert order_rows(system, phone) == [("paid", "verified", 1)]


def test_a_payment_is_found_even_if_nobody_tells_of_it_again(
    system: System, new_phone: Callable[[], Phone]
) -> None:
    """The web app died with the event in its hand, and the provider told it once: the jobs ask."""
    phone = new_phone()
    link = order(phone)
    trap = set_trap(system, WEBHOOK[1])
    assert not pay(link)
    assert trap.sprung.wait(20)
    system.start("web")
    system.rows("UPDATE payments SET next_check_at = now() WHERE status = 'pending'")
    assert_told_once(system, phone, "Payment received")
    assert order_rows(system, phone) == [("paid", "verified", 1)]


@pytest.mark.parametrize("step", EXPIRY, ids=lambda step: step.name)
def test_an_expiry_survives_a_crash(system: System, new_phone: Callable[[], Phone], step: Step) -> None:
    phone = new_phone()
    order(phone)
    trap = set_trap(system, step)
    system.rows(
        "UPDATE orders SET expires_at = now() WHERE status = 'awaiting_payment' AND customer_id ="
        " (SELECT id FROM customers WHERE phone_lookup = %s)",
        pseudonym(system, phone),
    )
    assert trap.sprung.wait(20), "the step was not reached"
    system.start(step.victim)
    assert_told_once(system, phone, "was not paid in time")
    assert order_rows(system, phone) == [("expired", "expired", 1)]


def assert_told_once(system: System, phone: Phone, words: str) -> None:
    """The phone hears it, and hears it once."""
    assert words in phone.hear(30)
    time.sleep(0.7)
    told = Counter(words in message.body for message in system.sent_to(phone.number))
    assert told[True] == 1
