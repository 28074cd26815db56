"""Who gets into the console, and that no route forgets to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from starlette.routing import Route
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.models import StaffRole
from settings import read_settings
from shop import sign_in
from shop.sign_in import MOST_BY_NAME
from tests.environment import STAFF_PASSWORD
from tests.web.console.conftest import Browser
from web.__main__ import PROXIES
from web.app import make_app
from web.console.permissions import ALLOWED, Permission, allows

OPEN = {"/console/sign-in"}
GUARDED_AS_A_WHOLE = {"/console/data"}
"""Generated pages: tests/web/console/test_data.py."""


def console_routes(app) -> Iterator[Route]:
    """Every route of the console but those that nobody needs to be signed in for."""
    for route in app.routes:
        path = getattr(route, "path", "")
        if path.startswith("/console") and path not in OPEN | GUARDED_AS_A_WHOLE:
            yield route


def example(path: str) -> str:
    """An address that the route answers."""
    return re.sub(r"\{(\w+)(:\w+)?\}", "7d0f4ed6-5c50-4c0c-8f6c-c1f6d6a1b0c4", path).removeprefix("/console")


def test_every_route_names_its_permission_and_some_role_has_it(web):
    routes = list(console_routes(web.app))
    assert len(routes) > 5
    for route in routes:
        permission = getattr(route.endpoint, "permission", None)
        assert isinstance(permission, Permission), route.path
        assert any(permission in allowed for allowed in ALLOWED.values())


def test_nobody_who_is_not_signed_in_gets_anywhere(new_browser, web):
    browser = new_browser()
    for route in console_routes(web.app):
        for method in route.methods - {"HEAD"}:
            answer = browser.client.request(method, f"/console{example(route.path)}", follow_redirects=False)
            assert answer.status_code == 303, f"{method} {route.path}"
            assert answer.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("role", list(StaffRole))
def test_a_role_does_what_the_table_says_and_nothing_else(signed_in, web, role):
    browser = signed_in(role.value)
    for route in console_routes(web.app):
        if allows(role, route.endpoint.permission):
            continue
        for method in route.methods - {"HEAD"}:
            send = browser.get if method == "GET" else browser.post
            assert send(example(route.path)).status_code == 403, f"{method} {route.path}"


def test_a_form_without_its_token_is_refused(signed_in, web):
    browser, other = signed_in("owner"), signed_in("owner", "Other")
    for route in console_routes(web.app):
        if "POST" not in route.methods:
            continue
        for token in ("", "guessed", other.csrf_token):
            answer = browser.post(example(route.path), csrf_token=token)
            assert answer.status_code == 403, route.path
            assert "too old" in answer.text


def test_the_token_may_come_as_a_header(signed_in):
    browser = signed_in("staff")
    headers = {"X-CSRF-Token": browser.csrf_token}
    answer = browser.client.post("/console/sign-out", headers=headers, follow_redirects=False)
    assert answer.headers["location"] == "/console/sign-in"
    assert browser.get("/orders").headers["location"] == "/console/sign-in?next=/console/orders"


def test_a_large_form_is_refused_before_it_is_read(signed_in):
    browser = signed_in("staff")
    answer = browser.post("/orders/ABC234/move", to="x" * 70_000)
    assert answer.status_code == 413 and "64" in answer.text


def test_pages_are_not_kept_by_anybody(signed_in, new_browser):
    for answer in (signed_in("staff").get("/orders"), new_browser().get("/sign-in")):
        assert answer.headers["cache-control"] == "private, no-store"
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert " style=" not in answer.text and "<style" not in answer.text and "onclick" not in answer.text


@pytest.mark.parametrize(
    ("role", "first"),
    [("owner", "/console/orders"), ("staff", "/console/orders"), ("designer", "/console/products")],
)
def test_each_role_starts_where_its_work_is(signed_in, role, first):
    assert signed_in(role).get("").headers["location"] == first


def test_sign_in_leads_where_one_wanted_to_go_and_nowhere_else(new_browser, add_member):
    add_member("Ada", "staff")
    for wanted, led in (
        ("/console/orders?after=1", "/console/orders?after=1"),
        ("https://example.com/", "/console"),
        ("//example.com", "/console"),
        ("/console/\\example.com", "/console"),
        ("/consoles", "/console"),
        ("/console/\r\nSet-Cookie: a=b", "/console"),
    ):
        assert new_browser().sign_in("Ada", next=wanted).headers["location"] == led


def test_wrong_names_and_passwords_read_the_same(new_browser, add_member):
    add_member("Ada", "staff")
    answers = [
        new_browser().sign_in(name, password)
        for name, password in (("Ada", "wrong password"), ("Bea", STAFF_PASSWORD))
    ]
    first, second = (re.sub(r'value="[^"]*"', "", answer.text) for answer in answers)
    assert first == second and "Name or password is wrong" in first
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "set-cookie" in answers[0].headers and "chatcart_console" not in answers[0].headers["set-cookie"]


def test_many_wrong_passwords_have_to_wait(new_browser, add_member):
    add_member("Ada", "staff")
    browser = new_browser()
    for count in range(MOST_BY_NAME):
        assert browser.sign_in("ada", f"guess number {count}").status_code == 403
    answer = browser.sign_in("Ada")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 60
    assert "Wait 1" in answer.text


def test_two_who_come_through_the_proxy_are_counted_apart(web, new_browser, add_member, monkeypatch):
    monkeypatch.setattr(sign_in, "MOST_BY_ADDRESS", 2)
    add_member("Ada", "staff")
    served = ProxyHeadersMiddleware(web.app, PROXIES)  # as uvicorn wraps it
    with TestClient(served, client=("172.18.0.5", 40_000)) as stranger:
        guesses = Browser(stranger)
        stranger.headers["X-Forwarded-For"] = "203.0.113.7"
        statuses = [guesses.sign_in(f"name {count}", "guessed").status_code for count in range(3)]
        assert statuses == [403, 403, 429]
        stranger.headers["X-Forwarded-For"] = "198.51.100.9"
        assert guesses.sign_in("Ada").status_code == 303


@pytest.mark.parametrize("token", ["", "guessed"])
def test_the_sign_in_form_is_sent_from_our_page_only(new_browser, add_member, token):
    add_member("Ada", "staff")
    browser = new_browser()
    browser.get("/sign-in")
    fields = {"name": "Ada", "password": STAFF_PASSWORD, "csrf_token": token}
    assert browser.client.post("/console/sign-in", data=fields).status_code == 403
    browser.client.cookies.clear()
    assert browser.client.post("/console/sign-in", data=fields).status_code == 403


def test_the_cookie_is_the_browsers_alone(signed_in, new_browser, add_member, reachable, monkeypatch):
    add_member("Ada", "staff")
    cookies = new_browser().sign_in("Ada").headers["set-cookie"]
    assert re.search(r"chatcart_console=[\w-]{43}; HttpOnly; Path=/console; SameSite=lax", cookies)
    assert "Secure" not in cookies, "on plain HTTP it would never come back"
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://shop.example")
    with TestClient(make_app(read_settings()), base_url="https://shop.example") as client:
        page = client.get("/console/sign-in")
        (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)
        form = {"csrf_token": token, "name": "Ada", "password": STAFF_PASSWORD}
        answer = client.post("/console/sign-in", data=form, follow_redirects=False)
        assert "; Secure" in answer.headers["set-cookie"]


def test_a_null_byte_asks_for_nothing(signed_in):
    browser = signed_in("staff")
    assert browser.get("/orders/AB%00/move").status_code in (404, 405)
    assert browser.post("/orders/AB%00/move", to="ready").status_code == 404
    assert browser.post("/orders/ABC234/move", to="re\0ady").status_code == 400


def test_what_is_not_there_is_told_in_the_consoles_frame(signed_in):
    answer = signed_in("staff").get("/orders/NONE22")
    assert answer.status_code == 404
    assert "There is no such order" in answer.text and "Pages" in answer.text


def test_a_database_that_refuses_is_told_without_what_it_was_asked(signed_in, sessions, caplog):
    browser = signed_in("staff")
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE orders RENAME TO gone"))
    try:
        answer = browser.get("/orders")
    finally:
        with sessions.begin() as session:
            session.execute(text("ALTER TABLE gone RENAME TO orders"))
    assert answer.status_code == 503 and "does not answer" in answer.text and "SELECT" not in answer.text
    assert "database: ProgrammingError 42P01" in caplog.text


def test_a_cookie_that_we_did_not_write_says_nothing(signed_in):
    browser = signed_in("staff")
    for value in ("no base64 !", "bm8ganNvbg==", "WzFd"):
        browser.client.cookies.set("chatcart_flash", value, path="/console")
        assert browser.get("/orders").status_code == 200
