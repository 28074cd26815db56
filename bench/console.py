"""`make bench-console`: the order board in headless Chromium, with 10,000 orders of 500 customers in the
database, 450 of them open.

Measured, as the median of `RUNS`: the time to first paint of the board; the time from the commit that moves
an order, or of a payment that makes an order one to work on, to the browser that shows it. Ends with 1 where
a limit is broken.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert

from db.engine import make_engine, make_sessions
from db.models import (
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    StaffRole,
)
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey, free_port
from deploy.prepare import migrate
from settings import exit_with, read_settings
from shop import order_status, staff
from shop.service import Shop
from shop.work import Work
from tests.browser.chromium import FLAGS, chromium_path
from tests.environment import ENVIRONMENT, STAFF_PASSWORD
from web.app import make_app

ORDERS, CUSTOMERS = 10_000, 500
OPEN = {OrderStatus.PAID: 200, OrderStatus.PREPARING: 150, OrderStatus.READY: 100}
WAITING = 50
"""Orders that are to be paid."""
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
        moves = [moved(page, shop, number) for number in numbers(shop, OrderStatus.PAID)]
        news = [paid(page, shop, number) for number in numbers(shop, OrderStatus.AWAITING_PAYMENT)]
        browser.close()
    figures = {
        "first paint": statistics.median(paints),
        "an order moves": statistics.median(moves),
        "a new order": statistics.median(news),
    }
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
    """Orders of three lines each with their payments, the newest of them open; somebody of the staff."""
    hashed = staff.Passwords().hash(STAFF_PASSWORD)
    shop.run(partial(staff.add_member, by="bench", name="Ada", password_hash=hashed, role=StaffRole.STAFF))
    with shop.sessions.begin() as session:
        customers = [
            Customer(phone_lookup=f"bench {number}", name=f"Customer {number}") for number in range(CUSTOMERS)
        ]
        product = Product(name="Cola", sku="COLA", price=800, category="Drinks")
        session.add_all([*customers, product])
        session.flush()
        rows = [row(number, status, customers) for number, status in enumerate(statuses())]
        session.execute(insert(Order), rows)
        session.execute(insert(OrderItem), [line for order in rows for line in lines(order, product)])
        session.execute(insert(Payment), [payment(order) for order in rows])


def statuses() -> list[OrderStatus]:
    """The status of each order, the newest first; those that are open stand in each other's way."""
    newest = [status for status, count in OPEN.items() for _ in range(count)]
    newest += [OrderStatus.AWAITING_PAYMENT] * WAITING
    random.Random(7).shuffle(newest)
    return newest + [OrderStatus.COMPLETED] * (ORDERS - len(newest))


def row(number: int, status: OrderStatus, customers: Sequence[Customer]) -> dict[str, Any]:
    """An order, so many minutes old."""
    at = datetime.now(UTC) - timedelta(minutes=number)
    return {
        "id": uuid.uuid4(),
        "customer_id": customers[number % CUSTOMERS].id,
        "number": f"N{number:05d}",
        "status": status,
        "items_amount": 2400,
        "tax_amount": 0,
        "total_amount": 2400,
        "currency": "NGN",
        "created_at": at,
        "updated_at": at,
    }


def lines(order: Mapping[str, Any], product: Product) -> Iterator[dict[str, Any]]:
    """What is ordered."""
    for position in range(3):
        yield {
            "order_id": order["id"],
            "product_id": product.id,
            "product_name": "Cola",
            "quantity": 1,
            "unit_price": 800,
            "total_price": 800,
            "position": position,
        }


def payment(order: Mapping[str, Any]) -> dict[str, Any]:
    """How it is, or is to be, paid."""
    is_open = order["status"] == OrderStatus.AWAITING_PAYMENT
    return {
        "order_id": order["id"],
        "amount": 2400,
        "currency": "NGN",
        "payment_method": "sandbox",
        "payment_reference": f"bench-{order['number']}",
        "status": PaymentStatus.PENDING if is_open else PaymentStatus.VERIFIED,
        "created_at": order["created_at"],
    }


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


def numbers(shop: Shop, status: OrderStatus) -> list[str]:
    """The numbers of as many orders of a status as are to be measured, from the middle of them."""
    with shop.sessions() as session:
        query = session.query(Order).filter_by(status=status).order_by(Order.created_at)
        found = [order.number for order in query]
    middle = len(found) // 2
    return found[middle : middle + RUNS]


def moved(page: Page, shop: Shop, number: str) -> float:
    """Seconds from the commit of a step to the board that shows it."""
    shop.run(lambda work: order_status.advance(work, number, OrderStatus.PREPARING, "bench"))
    return until_shown(page, f".preparing #order-{number}")


def paid(page: Page, shop: Shop, number: str) -> float:
    """Seconds from the commit of a payment to the board that shows the order."""

    def pay(work: Work) -> None:
        order = work.orders.find_by_number(number)
        assert order is not None
        order.status = OrderStatus.PAID

    shop.run(pay)
    return until_shown(page, f".new #order-{number}")


def until_shown(page: Page, selector: str) -> float:
    """Seconds from now until the page shows something."""
    committed = time.monotonic()
    page.wait_for_selector(selector)
    return time.monotonic() - committed


if __name__ == "__main__":
    main()
