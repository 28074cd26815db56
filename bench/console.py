"""`make bench-console`: the order board with 10,000 orders in the database, in headless Chromium.

Measured, as the median of `RUNS`: the time to first paint of the board; the time from the commit that moves
an order to the browser that shows it. Ends with 1 where a limit is broken.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert

from db.engine import make_engine, make_sessions
from db.models import Customer, Order, OrderItem, OrderStatus, Product, StaffRole
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey, free_port
from deploy.prepare import migrate
from settings import exit_with, read_settings
from shop import order_status, staff
from shop.service import Shop
from tests.browser.chromium import FLAGS, chromium_path
from tests.environment import ENVIRONMENT, STAFF_PASSWORD
from web.app import make_app

ORDERS, OPEN = 10_000, 60
RUNS = 7
LIMIT_SECONDS = 1.0


def main() -> None:
    """Measure, print, and compare with the limit."""
    path = chromium_path()
    if path is None:
        exit_with("no Chromium here; install it (Debian: apt-get install chromium) and try again")
    with served_shop() as (shop, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = signed_in(browser.new_page(base_url=address))
        paints = [first_paint(page) for _ in range(RUNS)]
        updates = [update(page, shop, number) for number in open_numbers(shop)[:RUNS]]
        browser.close()
    figures = {"first paint": statistics.median(paints), "update": statistics.median(updates)}
    for name, seconds in figures.items():
        print(f"{name}: {seconds * 1000:.0f} ms (limit {LIMIT_SECONDS * 1000:.0f} ms)")
    sys.exit(any(seconds > LIMIT_SECONDS for seconds in figures.values()))


@contextmanager
def served_shop() -> Iterator[tuple[Shop, str]]:
    """A shop with all those orders, and the address of its web app."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-bench-"))
    folder.chmod(0o755)
    postgres, valkey, port = EmbeddedPostgres(folder), EmbeddedValkey(folder), free_port()
    address = f"http://127.0.0.1:{port}"
    url = postgres.database_url("chatcart_bench")
    migrate(url)
    os.environ.update(
        {**ENVIRONMENT, "DATABASE_URL": url, "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(valkey.port)}
    )
    os.environ.update({"REDIS_PASSWORD": valkey.password, "PORT": str(port), "PUBLIC_BASE_URL": address})
    settings = read_settings()
    shop = Shop(make_sessions(make_engine(url)), settings.shop, settings.flags, {})
    fill(shop)
    server = uvicorn.Server(uvicorn.Config(make_app(settings), "127.0.0.1", port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield shop, address
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def fill(shop: Shop) -> None:
    """Orders of three lines each, the newest of them open; somebody of the staff."""
    hashed = staff.Passwords().hash(STAFF_PASSWORD)
    shop.run(partial(staff.add_member, by="bench", name="Ada", password_hash=hashed, role=StaffRole.STAFF))
    with shop.sessions.begin() as session:
        customer = Customer(phone_lookup="bench", name="Test Customer")
        product = Product(name="Cola", sku="COLA", price=800, category="Drinks")
        session.add_all([customer, product])
        session.flush()
        orders, lines = [], []
        for count in range(ORDERS):
            order_id, at = uuid.uuid4(), datetime.now(UTC) - timedelta(minutes=count)
            status = OrderStatus.PAID if count < OPEN else OrderStatus.COMPLETED
            orders.append(
                {
                    "id": order_id,
                    "customer_id": customer.id,
                    "number": f"N{count:05d}",
                    "status": status,
                    "items_amount": 2400,
                    "tax_amount": 0,
                    "total_amount": 2400,
                    "currency": "NGN",
                    "created_at": at,
                }  # fmt: skip
            )
            lines += [
                {
                    "order_id": order_id,
                    "product_id": product.id,
                    "product_name": "Cola",
                    "quantity": 1,
                    "unit_price": 800,
                    "total_price": 800,
                    "position": position,
                }  # fmt: skip
                for position in range(3)
            ]
        session.execute(insert(Order), orders)
        session.execute(insert(OrderItem), lines)


def signed_in(page: Page) -> Page:
    """The page after signing in."""
    page.goto("/console")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(STAFF_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".board .card")
    return page


def first_paint(page: Page) -> float:
    """Seconds from asking for the board to its first contentful paint."""
    page.goto("/console/orders")
    page.wait_for_selector(".board .card")
    paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    page.wait_for_function(f"({paint}) > 0")
    return float(page.evaluate(paint)) / 1000


def open_numbers(shop: Shop) -> list[str]:
    """The numbers of orders that nobody began with."""
    with shop.sessions() as session:
        return [row.number for row in session.query(Order).filter_by(status=OrderStatus.PAID)]


def update(page: Page, shop: Shop, number: str) -> float:
    """Seconds from the commit of a step to the board that shows it."""
    shop.run(lambda work: order_status.advance(work, number, OrderStatus.PREPARING, "bench"))
    committed = time.monotonic()
    page.wait_for_selector(f".preparing #order-{number}")
    return time.monotonic() - committed


if __name__ == "__main__":
    main()
