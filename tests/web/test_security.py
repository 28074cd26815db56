"""What every route of the web app is held to: headers, sizes, no secret, nothing across origins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route
from starlette.testclient import TestClient

from settings import read_settings
from tests.environment import ENVIRONMENT
from web.app import make_app
from web.security import MOST_BYTES, MOST_UPLOADED_BYTES, POSTED_BY_STRANGERS, LimitBodies, LimitPosts

NAMES = {
    "provider": "sandbox",
    "reference": "pay-x",
    "token": "t" * 32,
    "number": "ABC234",
    "path": "console.css",
}
SECRETS = [
    value
    for name, value in ENVIRONMENT.items()
    if name
    in ("TWILIO_AUTH_TOKEN", "WHATSAPP_WEBHOOK_VERIFY_TOKEN", "PHONE_ENCRYPTION_KEYS", "PHONE_INDEX_KEY")
]
PRODUCTION = {"APP_ENV": "production", "PAYMENT_PROVIDERS": "cash", "PUBLIC_BASE_URL": "https://shop.example"}
ENDLESS = "/events"
"""Streams that end when the listener goes; they are guarded like their page."""


@pytest.fixture
def production(reachable, monkeypatch) -> Iterator[TestClient]:
    """The web app as it faces the internet."""
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    with TestClient(make_app(read_settings()), raise_server_exceptions=False) as client:
        yield client


def routes_of(app: Starlette) -> list[tuple[str, set[str]]]:
    """Every path with something in the place of its names, and its methods."""
    found: list[tuple[str, set[str]]] = []

    def walk(routes: Any, prefix: str) -> None:
        for route in routes:
            if isinstance(route, Route):
                path = prefix + route.path
                for name in route.param_convertors:
                    for written in (f"{{{name}}}", f"{{{name}:path}}", f"{{{name}:int}}", f"{{{name}:uuid}}"):
                        path = path.replace(written, NAMES.get(name, "7"))
                found.append((path, set(route.methods or {"GET"})))
            elif isinstance(route, Mount):
                walk(route.routes or (), prefix + route.path)
                found.append((f"{prefix}{route.path}/nothing-here", {"GET"}))
            else:
                assert not isinstance(route, Host)

    walk(app.routes, "")
    return found


def answers_of(client: TestClient) -> Iterator[tuple[str, Response]]:
    """What a stranger is answered everywhere; forms are empty."""
    for path, methods in routes_of(client.app):
        for method in sorted(methods - {"HEAD"}):
            if method == "GET" and path.endswith(ENDLESS) and not path.startswith("/console"):
                continue
            yield f"{method} {path}", client.request(method, path, follow_redirects=False)
    yield "GET nowhere", client.get("/nowhere")


def test_every_answer_has_the_headers_and_no_secret(production):
    seen = 0
    for asked, answer in answers_of(production):
        seen += 1
        assert answer.status_code < 500 or "/health/ready" in asked, f"{asked}: {answer.status_code}"
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none'"), asked
        assert headers["x-content-type-options"] == "nosniff", asked
        assert headers["x-frame-options"] == "DENY", asked
        assert headers["referrer-policy"] == "no-referrer", asked
        assert headers["cross-origin-opener-policy"] == "same-origin", asked
        assert "camera=()" in headers["permissions-policy"], asked
        assert headers["strict-transport-security"] == "max-age=31536000", asked
        assert "server" not in headers and "x-powered-by" not in headers, asked
        for secret in SECRETS:
            assert secret not in answer.text and secret not in str(headers), asked
    assert seen > 30


def test_a_stranger_opens_nothing_of_the_console(production):
    opened = [
        asked
        for asked, answer in answers_of(production)
        if "/console" in asked and answer.status_code == 200 and "/console/sign-in" not in asked
    ]
    assert all("/statics/" in asked for asked in opened), opened


def test_production_has_neither_sandbox_nor_local_whatsapp(production):
    for path in (
        "/",
        "/payments/sandbox/pay-x",
        "/local-whatsapp/events",
        "/2010-04-01/Accounts/AC1/Messages.json",
    ):
        assert production.get(path).status_code == 404, path


def test_without_https_browsers_are_not_told_to_insist_on_it(web):
    assert "strict-transport-security" not in web.get("/health/live").headers


def test_nothing_is_shared_across_origins(production):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path, _ in routes_of(production.app):
        answer = production.options(path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")], path


def test_every_route_refuses_a_body_that_is_too_large(production):
    for path, methods in routes_of(production.app):
        if "POST" not in methods:
            continue
        most = MOST_UPLOADED_BYTES if path.startswith("/console/") else MOST_BYTES
        answer = production.post(path, content=b"x" * (most + 1), follow_redirects=False)
        # A stranger's upload is not read at all.
        unread = (303, 404) if path.startswith("/console/") else ()
        assert answer.status_code in (413, *unread), path


async def take(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def limited(middleware: Middleware) -> TestClient:
    paths = ("/x", "/console/x", "/payments/webhooks/stripe")
    routes = [Route(path, take, methods=["POST"]) for path in paths]
    return TestClient(Starlette(routes=routes, middleware=[middleware]))


@pytest.mark.parametrize(("path", "most"), [("/x", MOST_BYTES), ("/console/x", MOST_UPLOADED_BYTES)])
def test_a_body_is_counted_also_where_it_does_not_say_how_long_it_is(path, most):
    client = limited(Middleware(LimitBodies))

    def in_pieces(size: int) -> Iterator[bytes]:
        for begin in range(0, size, 10_000):
            yield b"x" * min(10_000, size - begin)

    assert client.post(path, content=in_pieces(most)).text == str(most)
    assert client.post(path, content=in_pieces(most + 1)).status_code == 413
    assert client.post(path, content=b"x", headers={"Content-Length": "many"}).status_code == 413


def test_who_posts_too_often_waits_and_may_again():
    now = [1000.0]
    client = limited(Middleware(LimitPosts, clock=lambda: now[0]))
    most = POSTED_BY_STRANGERS["/payments/webhooks/"]
    statuses = [client.post("/payments/webhooks/stripe").status_code for _ in range(most + 5)]
    assert statuses == [200] * most + [429] * 5
    assert int(client.post("/payments/webhooks/stripe").headers["retry-after"]) > 0
    assert client.post("/x").status_code == 200, "elsewhere nothing is counted"
    now[0] += 6
    statuses = [client.post("/payments/webhooks/stripe").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429], "a tenth of a minute brings a tenth of them back"


def test_addresses_are_forgotten():
    now = [1000.0]
    limit = LimitPosts(Starlette(), lambda: now[0])
    scope = {"type": "http", "method": "POST", "path": "/console/sign-in"}
    for number in range(10_001):
        assert limit._may({**scope, "client": (f"10.0.{number // 256}.{number % 256}", 1)})
    kept = limit._left
    assert limit._may({**scope, "client": ("10.1.0.0", 1)})
    assert limit._left is kept, "not looked through with every post"
    now[0] += 61
    assert limit._may({**scope, "client": ("192.0.2.1", 1)})
    assert len(limit._left) == 1


def test_a_household_of_ipv6_is_one_address():
    now = [1000.0]
    limit = LimitPosts(Starlette(), lambda: now[0])
    scope = {"type": "http", "method": "POST", "path": "/console/sign-in"}
    most = POSTED_BY_STRANGERS["/console/sign-in"]
    let = [limit._may({**scope, "client": (f"2001:db8:0:1::{number:x}", 1)}) for number in range(most + 1)]
    assert let == [True] * most + [False]
    assert limit._may({**scope, "client": ("2001:db8:0:2::1", 1)})


def test_an_error_tells_nothing(reachable, monkeypatch, caplog):
    async def explode(*_: Any) -> None:
        raise RuntimeError("token test-token of +2348031234567")

    monkeypatch.setattr("web.health.Health.live", explode)
    with TestClient(make_app(read_settings()), raise_server_exceptions=False) as client:
        answer = client.get("/health/live")
    assert (answer.status_code, json.loads(answer.text)) == (500, {"error": "something went wrong"})
    assert answer.headers["x-frame-options"] == "DENY"
