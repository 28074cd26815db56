"""All tables, for the owner to read: nothing secret, and nothing that changes anything."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from db.models import Customer
from tests.environment import CUSTOMER_NUMBER
from web.console.data import reading_sessions


@pytest.fixture
def owner(signed_in):
    return signed_in("owner")


def test_owners_read_every_table(owner, customer, place, test_burger):
    place(test_burger)
    pages = set(re.findall(r'href="[^"]*/console(/data/[\w-]+/list)"', owner.get("/data/").text))
    assert len(pages) >= 15
    for page in sorted(pages):
        answer = owner.get(page)
        assert answer.status_code == 200, page
        for secret in ("argon2", CUSTOMER_NUMBER, customer.phone_number, customer.phone_lookup):
            assert secret not in answer.text, page
        assert not re.search(r"/(create|edit|delete|export)\b", answer.text), page
        for name in ("sessions", "attempts", "pictures"):
            assert name not in page


def test_a_row_is_shown_without_what_is_secret(owner, customer):
    page = owner.get(f"/data/customer/details/{customer.id}")
    assert page.status_code == 200 and "Test Customer" in page.text
    assert customer.phone_number not in page.text and customer.phone_lookup not in page.text


@pytest.mark.parametrize("role", ["staff", "designer"])
def test_nobody_else_reads_them(signed_in, customer, role):
    browser = signed_in(role)
    for path in (
        "/data/",
        "/data/customer/list",
        f"/data/customer/details/{customer.id}",
        "/data/statics/css/main.css",
    ):
        answer = browser.get(path)
        assert answer.status_code == 403 and "Test Customer" not in answer.text


def test_who_is_not_signed_in_reads_nothing(new_browser, customer):
    for path in ("/data/", "/data/customer/list", "/data/login", "/data/statics/css/main.css"):
        answer = new_browser().get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/console/sign-in")


def test_nothing_can_be_changed(owner, customer, sessions):
    for path in (
        "/data/customer/create",
        f"/data/customer/edit/{customer.id}",
        f"/data/customer/delete?pks={customer.id}",
        "/data/customer/import",
    ):
        for method in ("POST", "DELETE", "PUT"):
            answer = owner.client.request(
                method, f"/console{path}", data={"csrf_token": owner.csrf_token, "name": "x"}
            )
            assert answer.status_code == 405, f"{method} {path}"
        assert owner.get(path).status_code in (403, 404, 405), path
    assert owner.get("/data/customer/export/csv").status_code in (403, 404)
    with sessions() as session:
        assert session.query(Customer).one().name == "Test Customer"


def test_postgresql_itself_refuses_to_write_there(engine, customer):
    with pytest.raises(InternalError, match="read-only"), reading_sessions(engine)() as session:
        session.execute(text("DELETE FROM customers"))


def test_what_these_pages_may_load(owner):
    policy = owner.get("/data/").headers["content-security-policy"]
    assert "unsafe" not in policy and "script-src 'self'" in policy
    assert owner.get("/data/").headers["cache-control"] == "private, no-store"
