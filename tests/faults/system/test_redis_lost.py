"""Redis lost harms no cart, order or payment: FLUSHALL in the middle of a checkout, and later."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from tests.e2e.rows import cart_of, latest_order_of
from tests.e2e.system import Phone, System
from tests.e2e.test_crash import order_rows, pay
from tests.faults.system.test_crash_checkout import LINK


def lose_redis(system: System) -> None:
    """Everything in Redis is gone at once."""
    settings = system.settings.redis
    redis.Redis(host=settings.host or "", port=settings.port, password=settings.password).flushall()


def test_redis_is_lost_before_every_message_of_an_order(
    system: System, new_phone: Callable[[], Phone]
) -> None:
    """Sessions, streams, leases and the catalogue's copy are gone each time; the order goes on."""
    phone = new_phone()
    phone.say("2 colas")
    lose_redis(system)
    assert "2" in phone.say("my cart")
    assert sum(cart_of(system, phone).values()) == 2
    phone.say("checkout")
    lose_redis(system)
    phone.say("yes")  # to a question that the bot no longer knows of: it must not order blindly
    if not latest_order_of(system, phone):
        assert sum(cart_of(system, phone).values()) == 2, "the cart is as it was"
        phone.say("checkout")
        phone.say("yes")
    assert latest_order_of(system, phone)["status"] == "awaiting_payment"
    assert sum(latest_order_of(system, phone)["lines"].values()) == 2
    link = LINK.findall("\n".join(message.body for message in system.sent_to(phone.number)))[-1]

    lose_redis(system)
    assert pay(link)
    assert "Payment received" in phone.hear(30)
    assert order_rows(system, phone) == [("paid", "verified", 1)]
    number = system.rows("SELECT number FROM orders WHERE status = 'paid' ORDER BY created_at DESC LIMIT 1")

    lose_redis(system)
    assert str(number[0][0]) in phone.say("where is my order")


def test_many_customers_lose_redis_together(system: System, new_phone: Callable[[], Phone]) -> None:
    """Whatever waited in it may be lost; asked again, everybody is served, and nobody ordered twice."""
    phones = [new_phone() for _ in range(4)]
    for phone in phones:
        phone.say("2 colas")
        phone.say("checkout")
    for phone in phones:
        assert system.post(phone.fields("yes")).status_code == 200
    lose_redis(system)
    time.sleep(2.0)  # a turn that was under way may still make its order, unheard
    for phone in phones:
        for message in ("checkout", "yes"):
            if latest_order_of(system, phone).get("status") != "awaiting_payment":
                phone.say(message)
        waiting = [row for row in order_rows(system, phone) if row[0] == "awaiting_payment"]
        assert waiting == [("awaiting_payment", "pending", 0)]
        assert sum(latest_order_of(system, phone)["lines"].values()) == 2
