"""The command line of the export: one customer's data as JSON, and nothing of anybody else."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.export_customer import main
from shop import cart, checkout
from tests.environment import CUSTOMER_NUMBER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(sessions, database_url, monkeypatch, capsys):
    """Runs the program; its exit code, output and errors."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(["--", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def ordered(shop, caller, test_burger) -> str:
    """An order of the customer's, and somebody else's cart; the order's number."""
    who, other = caller(), replace(caller(number="+2348099999999"), profile_name="Somebody Else")
    for one in (who, other):
        shop.execute(
            one, "add", cart.CartChange, lambda work, buyer: cart.add(work, buyer, str(test_burger.id), 2)
        )
    placed = shop.execute(who, "place", checkout.PlacedOrder, checkout.place)
    return placed.result.number


@pytest.mark.parametrize("given", [CUSTOMER_NUMBER, "+234 803 123 4567", f"whatsapp:{CUSTOMER_NUMBER}"])
def test_all_of_one_customer_is_printed_as_json(run, ordered, given, caplog):
    caplog.set_level(logging.DEBUG)
    code, output, errors = run(given)
    assert (code, errors) == (0, "")
    exported = json.loads(output)
    assert exported["profile"]["phone_number"] == CUSTOMER_NUMBER
    assert exported["profile"]["name"] == "Test Customer"
    (order,) = exported["orders"]
    assert (order["number"], order["total_amount"]) == (ordered, "11825.00")
    assert order["lines"][0]["product_name"] == "Test Burger"
    assert order["payments"][0]["status"] == "pending"
    assert order["created_at"].endswith("+00:00")
    assert "Somebody Else" not in output
    assert caplog.records == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["+2348031230000"], "PHONE: no customer has this number"),
        (["08031234567"], "PHONE: is not an international phone number such as +2348031234567"),
        (["ada"], "PHONE: is not an international phone number such as +2348031234567"),
        ([""], "PHONE: is missing; make export-customer PHONE=+2348031234567"),
        ([], "PHONE: is missing; make export-customer PHONE=+2348031234567"),
    ],
)
def test_what_leads_to_nobody_is_one_line(run, ordered, arguments, told):
    assert run(*arguments) == (1, "", f"chatcart: {told}\n")


def test_no_database_is_one_line(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "")
    code, output, errors = run(CUSTOMER_NUMBER)
    assert (code, output) == (1, "")
    assert errors.startswith("chatcart: DATABASE_URL: is not set")


def test_make_passes_the_number_on():
    arguments = ["make", "--just-print", "export-customer", "PHONE=+2348031234567"]
    printed = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, env={**os.environ}).stdout
    assert 'deploy.export_customer -- "${PHONE:-}"' in printed
