"""One running system with the local WhatsApp, and browsers in front of it.

`page` is a browser's empty window, `new_page(width)` makes more of them, `signed_in(role)` one in which a new
member of staff is signed in, `phone` a customer's window of the local WhatsApp. `picture(page, name)` keeps
what a window shows; `check_accessible(page)` fails on every serious violation that axe-core finds.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from db.engine import make_engine, make_sessions
from db.models import StaffRole
from deploy.prepare import ROOT
from shop import staff
from shop.assembly import make_providers
from shop.service import Shop
from tests.browser.chromium import FLAGS, chromium_path
from tests.browser.phone import ChatWindow
from tests.e2e.conftest import new_state_dir, running
from tests.e2e.system import System
from tests.environment import STAFF_PASSWORD
from whatsapp.content import made_up_sids

WIDE, NARROW = 1440, 375
LOCAL = {"WHATSAPP_DEV_MODE": "true", "INBOUND_PER_MINUTE": "0", "WHATSAPP_CONTENT_SIDS": made_up_sids()}
WAIT_MILLISECONDS = 15_000


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system as `make run` starts it: replies go to the local WhatsApp."""
    with running(new_state_dir(), LOCAL) as system:
        yield system


@pytest.fixture(scope="session")
def staffed_shop(system: System) -> Shop:
    """The shop as its staff works with it, past the console."""
    settings = system.settings
    sessions = make_sessions(make_engine(system.database_url))
    return Shop(sessions, settings.shop, settings.flags, make_providers(settings, sessions))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(system: System, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes windows that share nothing with others; an error in a page's script fails the test."""
    contexts, errors = [], []

    def new_page(width: int = WIDE, height: int = 900) -> Page:
        context = browser.new_context(
            base_url=system.settings.public_base_url, viewport={"width": width, "height": height}
        )
        context.set_default_timeout(WAIT_MILLISECONDS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        contexts.append(context)
        return page

    expect.set_options(timeout=WAIT_MILLISECONDS)
    yield new_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A wide window."""
    return new_page()


@pytest.fixture
def member(staffed_shop: Shop) -> Callable[..., str]:
    """Adds a member of that role, whose password is STAFF_PASSWORD; the name."""
    passwords = staff.Passwords()

    def member(role: str = "staff", name: str = "") -> str:
        name = name or f"{role.title()} {random.randint(1000, 9999)}"
        hashed = passwords.hash(STAFF_PASSWORD)
        staffed_shop.run(
            partial(staff.add_member, by="boss", name=name, password_hash=hashed, role=StaffRole(role))
        )
        return name

    return member


@pytest.fixture
def signed_in(new_page: Callable[..., Page], member: Callable[..., str]) -> Callable[..., Page]:
    """A window in which a new member of that role has just signed in."""

    def signed_in(role: str = "staff", width: int = WIDE, name: str = "") -> Page:
        name = member(role, name)
        page = new_page(width)
        page.goto("/console")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(STAFF_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(r"/console/(?!sign-in)"))
        return page

    return signed_in


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> ChatWindow:
    """A new customer's window of the local WhatsApp."""
    return ChatWindow(
        new_page(), f"+23480{random.randint(20_000_000, 99_999_999)}", f"Ada {random.randint(1000, 9999)}"
    )


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where pictures go that nobody commits."""
    folder = ROOT / "results" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def picture(pictures: Path) -> Callable[..., None]:
    """Keeps what a window shows as NAME.png; if PICTURES=1, renews those that a page of docs/ shows."""
    docs = (path.read_text("utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    shown = set(re.findall(r"pictures/([\w-]+)\.png", "".join(docs)))
    renewed = shown if os.environ.get("PICTURES") == "1" else set()

    def picture(page: Page, name: str, *, whole: bool = False) -> None:
        folder = ROOT / "docs" / "pictures" if name in renewed else pictures
        page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")

    return picture


@pytest.fixture
def check_accessible() -> Callable[[Page], None]:
    """No serious or critical violation on the page, contrast among them; nothing wider than the window."""

    def check(page: Page) -> None:
        found = [
            (violation["id"], [node["html"][:160] for node in violation["nodes"][:3]])
            for violation in Axe().run(page).response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert found == [], page.url
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{page.url} is {wider} px wider than its window"

    return check
