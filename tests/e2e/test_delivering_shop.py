"""A shop that delivers and takes several kinds of payment: the questions that the demo shop never asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from db.models import OrderStatus
from shop import order_status
from tests.e2e.rows import latest_order_of
from tests.e2e.system import Phone, System

DELIVERING = {
    "DELIVERY_FEE": "1500",
    "DELIVERY_MINIMUM": "2000",
    "PAYMENT_PROVIDERS": "sandbox,bank_transfer,cash",
    "BANK_ACCOUNT": "Test Kitchen, First Bank 0123456789",
    "CASH_LIMIT": "20000",
}
PIN = {"Latitude": "6.601838", "Longitude": "3.351486", "Label": "Blue gate", "Body": ""}


def numbers() -> Iterator[str]:
    """Numbers that nobody had before."""
    yield from (f"+23480410000{count:02d}" for count in range(100))


NUMBERS = numbers()


@pytest.fixture
def new_customer(delivering: System) -> Callable[[], Phone]:
    """Makes customers of that shop."""
    return lambda: Phone(delivering, next(NUMBERS))


def test_an_order_is_delivered_and_paid_by_transfer(delivering, new_customer, staff):
    phone = new_customer()
    assert "2 × Zobo" in phone.say("2 zobo")
    assert "*delivery*" in phone.say("checkout")
    assert "address" in phone.say("delivery please").lower()
    asked = phone.say("12 Allen Avenue, Ikeja")
    assert "1." in asked and "Bank transfer" in asked and "3." in asked
    review = phone.say("2")
    assert "🛵 +₦1,500.00" in review and "12 Allen Avenue, Ikeja" in review
    assert "Total: ₦4,725.00" in review
    told = phone.say("yes")
    assert "First Bank 0123456789" in told
    (reference,) = re.findall(r"\*(\w{6}-\w{4})\*", told)
    assert reference in phone.say("i have paid"), "only the staff can see a transfer"
    assert staff.run(lambda work: order_status.confirm_transfer(work, reference, Decimal("4725.00"), "ada"))
    assert "Payment received: ₦4,725.00" in phone.hear()
    number = reference.split("-")[0]
    for status, words in ((OrderStatus.PREPARING, "being prepared"), (OrderStatus.READY, "on its way")):
        staff.run(lambda work, to=status: order_status.advance(work, number, to, "ada"))
        assert words in phone.hear()
    assert "on its way" in phone.say("where is my order")
    assert latest_order_of(delivering, phone)["status"] == "ready"


def test_a_location_pin_is_an_address_and_cash_is_paid_at_the_door(delivering, new_customer):
    phone = new_customer()
    phone.say("2 jollof rice")
    phone.say("checkout")
    phone.say("deliver it")
    assert delivering.post({**phone.fields(""), **PIN}).status_code == 200
    asked = phone.hear()
    assert "Blue gate" in asked and "1." in asked, "the checkout goes on by itself"
    review = phone.say("cash")
    assert "Blue gate" in review and "6.601838" in review
    told = phone.say("yes please")
    assert "pay when it arrives" in told
    assert latest_order_of(delivering, phone)["status"] == "placed"


def test_who_asks_something_else_in_between_is_answered_and_asked_again(delivering, new_customer):
    phone = new_customer()
    phone.say("2 zobo")
    phone.say("checkout")
    answer = phone.say("are you open")
    assert "always open" in answer and "deliver" in answer, "and the question stands"
    phone.say("pickup")
    review = phone.say("card")
    assert "🛵" not in review and "Total: ₦3,225.00" in review
    changed = phone.say("actually deliver it")
    assert "address" in changed.lower()
    assert "Total: ₦4,725.00" in phone.say("5 Awolowo Road by the bank")
    assert "/payments/sandbox/" in phone.say("yes")


def test_too_little_to_be_delivered_and_too_much_for_cash(delivering, new_customer):
    phone = new_customer()
    phone.say("1 cola")
    phone.say("checkout")
    phone.say("delivery")
    phone.say("12 Allen Avenue, Ikeja")
    assert "₦2,000.00" in phone.say("1"), "the least that is delivered"
    phone = new_customer()
    phone.say("4 double cheese burgers")
    phone.say("checkout")
    phone.say("pickup")
    phone.say("cash")
    assert "₦20,000.00" in phone.say("yes")
