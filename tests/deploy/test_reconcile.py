"""`make reconcile`: silent about what agrees, a line for each thing that does not, and the exit code."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models import Order, OrderStatus, Payment, Product
from shop import cart, checkout
from shop.payments import flow
from tests.deploy.conftest import run_program

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reconcile(sessions, database_url) -> Callable[..., tuple[int, str, str]]:
    """Runs the program; its exit code, output and errors."""

    def reconcile(*arguments: str, **changed: str) -> tuple[int, str, str]:
        environment = {"DATABASE_URL": database_url, "PAYMENT_PROVIDERS": "sandbox", **changed}
        return run_program("deploy.reconcile", *arguments, **environment)

    return reconcile


@pytest.fixture
def placed(shop, customer, test_burger, clock) -> checkout.PlacedOrder:
    """An order that awaits its payment, now: the program goes by the real clock."""
    clock.now = datetime.now(UTC)
    shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 2))
    placed = shop.run(lambda work: checkout.place(work, customer))
    flow.open_payment(shop, placed.payment_reference)
    return placed


@pytest.fixture
def paid(placed, shop, sandbox) -> checkout.PlacedOrder:
    note = sandbox.settle(placed.payment_reference, "paid")
    assert flow.receive(shop, "sandbox", note.body, note.headers) == "verified"
    return placed


def test_an_empty_shop_agrees(reconcile):
    assert reconcile() == (0, "", "0 differences\n")


def test_what_agrees_is_not_told(reconcile, paid):
    assert reconcile() == (0, "", "0 differences\n")


def test_each_difference_is_a_line(reconcile, paid, sessions, test_burger):
    with sessions.begin() as session:
        session.scalars(select(Order)).one().status = OrderStatus.EXPIRED
        session.scalars(select(Product)).one().reserved_quantity = 3
    assert reconcile() == (
        1,
        f"{paid.number}: is expired, but its payment is verified\n"
        f"{test_burger.sku}: says 3 reserved, orders hold 0\n",
        "2 differences\n",
    )
    with sessions() as session:
        assert session.scalars(select(Order)).one().status == OrderStatus.EXPIRED, "nothing is changed"


def test_providers_are_asked_about_the_last_days(reconcile, placed, sandbox, sessions):
    sandbox.settle(placed.payment_reference, "paid")  # and the notification is lost
    line = f"{placed.payment_reference}: sandbox says paid, we have pending\n"
    assert reconcile() == (1, line, "1 differences\n")
    with sessions.begin() as session:
        session.scalars(select(Payment)).one().created_at = datetime.now(UTC) - timedelta(days=5)
    assert reconcile() == (0, "", "0 differences\n")
    assert reconcile("--days", "6") == (1, line, "1 differences\n")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "DATABASE_URL: is not set; `make run` starts an embedded one"),
        (
            "postgresql://nobody@127.0.0.1:1/none",
            "DATABASE_URL: the database is out of reach, or lets nobody in",
        ),
    ],
    ids=["none is named", "nothing answers"],
)
def test_without_its_database_it_ends_with_one_line(reconcile, url, told):
    assert reconcile(DATABASE_URL=url) == (1, "", f"chatcart: {told}\n")


def test_make_passes_the_days_on():
    for given, expected in (([], "--days 3"), (["DAYS=14"], "--days 14")):
        arguments = ["make", "--just-print", "reconcile", *given]
        printed = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False).stdout
        assert f"deploy.reconcile {expected}" in printed
