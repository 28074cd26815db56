"""Turns recorded statements into a pgbench script: the same statements, for ever other customers.

A script is made of two recordings, of different customers, and refused unless both give the same one:
so nothing that differs from customer to customer is missed, and a script cannot differ from the shop.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import text

from bench.commands import Measured
from bench.customers import (
    FIRST_PRODUCT,
    LINES,
    REACH,
    STEP,
    load_customers,
    lookup,
    product_of,
)
from bench.place import Place
from bench.recording import listen_to

MADE_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""Those that the bench gave out hold variables by the time this is looked for."""
CUSTOMERS_USED = 3
LISTED = re.compile(r"(?<= IN \()[^()]+(?=\))")
"""Several values at once: a set's, in no order."""
EIGHT, TWELVE = (10**7, 10**8 - 1), (10**11, 10**12 - 1)
NEXT_CUSTOMER = """\
\\set count :count + 1
\\set customer :first + :client_id * :each + :count"""
TOKENS = """
    SELECT number, receipt_token, payment_reference FROM orders
    WHERE customer_id = (SELECT id FROM customers WHERE phone_lookup = :lookup)
"""


class ScriptDiffers(Exception):
    """Two recordings of the same command differ in more than their customer."""


def make_script(place: Place, measured: Measured, first_customer: int) -> str:
    """A pgbench script that does what the command does; uses up CUSTOMERS_USED from the first on.

    Raises:
        ScriptDiffers
    """
    load_customers(place, first_customer, CUSTOMERS_USED, measured.lines)
    recordings = _record(place, measured, range(first_customer, first_customer + CUSTOMERS_USED))
    scripts = [_script(place, customer, statements) for customer, statements in recordings.items()]
    if scripts[0] != scripts[1]:
        pairs = zip(scripts[0].splitlines(), scripts[1].splitlines(), strict=False)
        different = next((pair for pair in pairs if pair[0] != pair[1]), ("the lengths",))
        raise ScriptDiffers(f"{measured.name}: " + "\n".join(different))
    return scripts[0]


def count_statements(script: str) -> int:
    """How many round trips a script takes."""
    return sum(not line.startswith("\\") for line in script.splitlines())


def _record(place: Place, measured: Measured, customers: range) -> dict[int, list[str]]:
    """What is sent for each customer but the first, who warms the connection up."""
    stopped = datetime.now(UTC)
    recordings = {}
    engine = place.make_engine()
    with listen_to(engine) as heard:
        shop = place.make_shop(engine, lambda: stopped)
        for customer in customers:
            heard.take()
            asyncio.run(measured.carry_out(shop, customer))
            recordings[customer] = heard.take()
    del recordings[customers[0]]
    return recordings


def _script(place: Place, customer: int, statements: list[str]) -> str:
    """One customer's statements with variables in place of what is this customer's."""
    settings = [NEXT_CUSTOMER]
    numbers = {str(customer): ":customer"}
    for line in range(LINES):
        numbers[str(product_of(customer, line))] = f":product{line}"
        low = FIRST_PRODUCT + line * REACH
        settings.append(f"\\set product{line} {low} + (:customer * {STEP}) % {REACH}")
    for position, token in enumerate(_tokens(place, customer)):
        numbers[token] = f":token{position}"
        settings.append(f"\\set token{position} random({TWELVE[0]}, {TWELVE[1]})")
    body = "\n".join(_on_one_line(statement) for statement in statements)
    for number, variable in numbers.items():
        body = body.replace(number, variable)
    body = LISTED.sub(lambda listed: ", ".join(sorted(listed[0].split(", "))), body)
    for position, made in enumerate(dict.fromkeys(MADE_UUID.findall(body))):
        body = body.replace(made, f":made{position}a-0000-4000-8000-:made{position}b")
        settings += [f"\\set made{position}a random({EIGHT[0]}, {EIGHT[1]})"]
        settings += [f"\\set made{position}b random({TWELVE[0]}, {TWELVE[1]})"]
    return "\n".join([*settings, body, ""])


def _tokens(place: Place, customer: int) -> Iterator[str]:
    """What the shop made up for the customer's order."""
    with place.by_hand() as connection:
        for row in connection.execute(text(TOKENS), {"lookup": lookup(customer)}):
            yield from (token for token in row if token)


def _on_one_line(statement: str) -> str:
    return " ".join(statement.split()).rstrip(";") + ";"
