"""Who pays after the session ended is told all the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import redis

from tests.e2e.rows import latest_order_of, pseudonym, states_of
from tests.e2e.system import Phone, System


def order_two_colas(phone: Phone) -> str:
    """Place an order; its pay link."""
    for message in ("2 colas", "checkout"):
        phone.say(message)
    return re.findall(r"http\S+/payments/sandbox/\S+", phone.say("yes"))[0]


def test_a_late_payer_is_told(system: System, new_phone: Callable[[], Phone]) -> None:
    phone = new_phone()
    link = order_two_colas(phone)
    end_session(system, phone)
    assert httpx.post(link, data={"outcome": "paid"}).status_code == 200
    assert "Payment received: ₦1,720.00" in phone.hear()
    assert states_of(system, phone)[-3:] == ["AWAITING_PAYMENT", "PAYMENT_CONFIRMATION", "ORDER_COMPLETE"]


def test_a_customer_comes_back_to_an_unpaid_order(system: System, new_phone: Callable[[], Phone]) -> None:
    phone = new_phone()
    order_two_colas(phone)
    end_session(system, phone)
    assert "waits for its payment" in phone.say("yes")


def test_who_pays_after_the_time_is_over_still_gets_the_order(
    system: System, new_phone: Callable[[], Phone]
) -> None:
    phone = new_phone()
    link = order_two_colas(phone)
    system.rows("UPDATE orders SET expires_at = now() WHERE status = 'awaiting_payment'")
    assert "was not paid in time" in phone.hear()
    assert latest_order_of(system, phone)["status"] == "expired"
    assert httpx.post(link, data={"outcome": "paid"}).status_code == 200
    assert "Payment received" in phone.hear()
    order = latest_order_of(system, phone)
    assert (order["status"], order["payment"]) == ("paid", "verified")


def end_session(system: System, phone: Phone) -> None:
    """Let the session end, as it does after half an hour of silence."""
    settings = system.settings.redis
    client = redis.Redis(host=settings.host or "", port=settings.port, password=settings.password)
    assert client.delete(f"chatcart:session:{pseudonym(system, phone)}") == 1
