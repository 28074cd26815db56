"""Customers: masked, shown on demand and recorded, exported, erased."""

from __future__ import annotations

import json
import re

import pytest
from markupsafe import escape

from db.models import Customer, Order, OrderStatus, StaffAction
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import mask
from whatsapp.redis import CUSTOMER_KEY_PREFIX, SESSION_KEY_PREFIX

MASKED = "+234•••••4567"


@pytest.fixture
def recorded(sessions):
    """What is in the record about customers, as text."""

    def recorded() -> list[str]:
        with sessions() as session:
            rows = session.query(StaffAction).filter_by(subject="customer")
            return [f"{row.staff}: {row.action} {row.details}" for row in rows.order_by("created_at")]

    return recorded


@pytest.fixture
def finish(sessions):
    """Hands all orders over."""

    def finish() -> None:
        with sessions.begin() as session:
            for order in session.query(Order):
                order.status = OrderStatus.COMPLETED

    return finish


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (CUSTOMER_NUMBER, MASKED),
        ("+15551234567", "+1•••••4567"),
        ("+35312345", "+353•••••2345"),
        ("+1234", "+1•••••"),
    ],
)
def test_of_a_number_little_is_left(number, masked):
    assert mask(number) == masked


def test_a_number_is_masked_on_every_page(signed_in, customer, place, test_burger):
    place(test_burger)
    browser = signed_in("staff")
    for path in ("/customers", f"/customers/{customer.id}"):
        page = browser.get(path).text
        assert MASKED in page and CUSTOMER_NUMBER not in page and "8031234" not in page
        assert "Test Customer" in page


def test_staff_sees_the_number_while_an_order_is_under_way(
    signed_in, customer, place, test_burger, finish, recorded
):
    browser, path = signed_in("staff", "Ada"), f"/customers/{customer.id}"
    assert "Show the number" not in browser.get(path).text
    assert "while an order" in browser.told(browser.post(f"{path}/number"))
    place(test_burger)
    assert "Show the number" in browser.get(path).text
    assert CUSTOMER_NUMBER in browser.post(f"{path}/number").text
    finish()
    assert "while an order" in browser.told(browser.post(f"{path}/number"))
    assert recorded() == ["Ada: number shown {}"]


def test_the_owner_sees_it_always_and_is_recorded_too(signed_in, customer, recorded):
    browser = signed_in("owner", "Boss")
    assert CUSTOMER_NUMBER in browser.post(f"/customers/{customer.id}/number").text
    assert recorded() == ["Boss: number shown {}"]


def test_a_designer_sees_nobody(signed_in, customer):
    browser = signed_in("designer")
    for path in ("/customers", f"/customers/{customer.id}", "/customers/none"):
        answer = browser.get(path)
        assert answer.status_code == 403 and "Test Customer" not in answer.text


def test_customers_are_found_without_being_in_an_address(signed_in, customer):
    browser = signed_in("staff")
    for asked in (CUSTOMER_NUMBER, "+234 803 123 4567"):
        assert (
            browser.post("/customers", asked=asked).headers["location"] == f"/console/customers/{customer.id}"
        )
    assert "Test Customer" in browser.post("/customers", asked="cust").text
    assert "Nobody" in browser.post("/customers", asked="%").text
    assert "Nobody with that number" in browser.told(browser.post("/customers", asked="+2348039999999"))
    assert browser.post("/customers", asked=" ").headers["location"] == "/console/customers"


def test_an_export_is_all_that_is_kept(signed_in, customer, place, test_burger, recorded):
    number = place(test_burger)
    browser = signed_in("owner", "Boss")
    assert signed_in("staff").post(f"/customers/{customer.id}/export").status_code == 403
    answer = browser.post(f"/customers/{customer.id}/export")
    exported = json.loads(answer.text)
    assert exported["profile"]["phone_number"] == CUSTOMER_NUMBER
    assert exported["orders"][0]["number"] == number
    assert re.fullmatch(
        r'attachment; filename="customer-[0-9a-f-]{36}\.json"', answer.headers["content-disposition"]
    )
    assert answer.headers["cache-control"] == "private, no-store"
    assert recorded() == ["Boss: data exported {}"]
    assert browser.post("/customers/none/export").status_code == 404


class TestErasing:
    @pytest.fixture
    def erase(self, signed_in, customer):
        browser = signed_in("owner", "Boss")

        def erase(confirmation: str = "Erase", key: str = "a key") -> str:
            answer = browser.post(f"/customers/{customer.id}/erase", confirmation=confirmation, key=key)
            return browser.told(answer)

        return erase

    def test_the_word_is_typed_first(self, erase, sessions):
        for confirmation in ("", "yes", "Test Customer"):
            assert "Type the word erase" in erase(confirmation)
        with sessions() as session:
            assert session.query(Customer).one().name == "Test Customer"

    async def test_nothing_is_left_but_the_books(
        self, erase, customer, place, test_burger, finish, sessions, redis, recorded, signed_in
    ):
        place(test_burger)
        finish()
        lookup = customer.phone_lookup
        for prefix in (CUSTOMER_KEY_PREFIX, SESSION_KEY_PREFIX):
            await redis.set(prefix + lookup, "what was said")
        assert erase() == "The customer is erased; 1 order without a person stay in the books."
        with sessions() as session:
            row = session.query(Customer).one()
            assert (row.name, row.phone_number) == (None, None) and row.erased_at
        assert await redis.keys(f"*{lookup}") == []
        assert recorded() == ["Boss: customer erased {}"]
        browser = signed_in("owner", "Other")
        assert browser.get(f"/customers/{customer.id}").status_code == 404
        assert "Test Customer" not in browser.get("/customers").text

    def test_not_while_an_order_is_under_way(self, erase, place, test_burger, sessions):
        number = place(test_burger)
        assert f"Order {number} is not finished" in erase()
        with sessions() as session:
            assert session.query(Customer).one().name == "Test Customer"


def test_html_in_a_name_is_text(signed_in, customer, sessions):
    nasty = "<svg onload=alert(1)>"
    with sessions.begin() as session:
        session.query(Customer).one().name = nasty
    browser = signed_in("owner")
    for path in ("/customers", f"/customers/{customer.id}"):
        page = browser.get(path).text
        assert nasty not in page and str(escape(nasty)) in page


def test_the_list_is_paged(signed_in, sessions):
    with sessions.begin() as session:
        for count in range(90):
            session.add(Customer(phone_lookup=f"lookup {count}", name=f"Customer {count:02d}"))
    browser, path, seen = signed_in("staff"), "/customers", []
    while path:
        page = browser.get(path).text
        seen += re.findall(r">(Customer \d\d)<", page)
        path = next(iter(re.findall(r'href="/console(/customers\?after=[^"]+)"', page)), "")
    assert sorted(seen) == [f"Customer {count:02d}" for count in range(90)]
