"""What the tests of the console share: staff with a browser, orders to work on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from db.models import OptionGroup, Product, ProductOption, StaffRole
from shop import cart, checkout, staff
from shop.payments import flow
from tests.environment import STAFF_PASSWORD


@dataclass
class Browser:
    """A browser, in which a member of staff may be signed in."""

    client: TestClient
    name: str = ""
    csrf_token: str = ""

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Open a page of the console; redirects are not followed."""
        return self.client.get(f"/console{path}", follow_redirects=False, **options)

    def post(self, path: str, files: Any = None, **fields: Any) -> httpx.Response:
        """Send a form as a page of ours would: with its token, and a key of its own."""
        form = {"csrf_token": self.csrf_token, "key": "a key", **fields}
        return self.client.post(f"/console{path}", data=form, files=files, follow_redirects=False)

    def told(self, answer: httpx.Response) -> str:
        """What the page says that the browser is sent to."""
        assert answer.status_code == 303, answer.text
        page = self.client.get(answer.headers["location"], follow_redirects=False)
        assert page.status_code == 200, page.status_code
        (said,) = re.findall(r'<p class="flash \w+">(.*?)</p>', page.text)
        return said

    def sign_in(self, name: str, password: str = STAFF_PASSWORD, **fields: str) -> httpx.Response:
        """Fill in the sign-in form and send it."""
        page = self.get("/sign-in")
        (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)
        form = {"csrf_token": token, "name": name, "password": password, **fields}
        answer = self.client.post("/console/sign-in", data=form, follow_redirects=False)
        if answer.status_code == 303:
            self.name = name
            shown = self.client.get("/console")
            self.csrf_token = re.findall(r'name="csrf_token" value="([^"]+)"', shown.text)[0]
        return answer


@pytest.fixture
def new_browser(sessions, web) -> Iterator[Callable[[], Browser]]:
    """Makes browsers that know nothing of each other."""
    with ExitStack() as stack:
        yield lambda: Browser(stack.enter_context(TestClient(web.app)))


@pytest.fixture
def add_member(shop, passwords) -> Callable[..., staff.Member]:
    """Adds a member of staff."""

    def add(name: str, role: StaffRole | str) -> staff.Member:
        hashed = passwords.hash(STAFF_PASSWORD)
        return shop.run(lambda work: staff.add_member(work, "boss", name, hashed, StaffRole(role)))

    return add


@pytest.fixture
def signed_in(new_browser, add_member) -> Callable[..., Browser]:
    """A browser with a new member of a role signed in; named like the role unless told otherwise."""

    def signed_in(role: str = "staff", name: str = "") -> Browser:
        add_member(name or role.title(), role)
        browser = new_browser()
        assert browser.sign_in(name or role.title()).status_code == 303
        return browser

    return signed_in


@pytest.fixture
def burger_with_choices(make_product) -> Product:
    """A burger of some size, perhaps with extras."""
    size = OptionGroup(name="Size", required=True)
    size.options = [
        ProductOption(name="Small", position=0),
        ProductOption(name="Large", price_difference=Decimal("1000.00"), position=1),
    ]
    extras = OptionGroup(name="Extras", most=2)
    extras.options = [ProductOption(name="Cheese", price_difference=Decimal("250.50"), position=0)]
    return make_product(option_groups=[size, extras])


@pytest.fixture
def place(shop, sandbox, customer, clock) -> Callable[..., str]:
    """Orders units of a product now, paid unless told otherwise; the order's number."""
    clock.now = datetime.now(UTC)

    def place(product, quantity: int = 2, *, paid: bool = True) -> str:
        def order(work):
            cart.add(work, customer, str(product.id), quantity)
            return checkout.place(work, customer, "sandbox")

        placed = shop.run(order)
        if paid:
            flow.open_payment(shop, placed.payment_reference)
            note = sandbox.settle(placed.payment_reference, "paid")
            assert flow.receive(shop, "sandbox", note.body, note.headers) == "verified"
        return placed.number

    return place
