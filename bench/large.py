"""Every query of a customer's conversation and of the staff's lists, on a large shop: time and plan."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from random import Random
from typing import Any

from sqlalchemy import Connection, text

from bench.conversation import Talk, lookup
from bench.large_data import SIZES, SMALL, load_large_shop, rows_of_tables
from bench.observing import Observed, observe, shortened
from bench.place import Place
from bench.report import print_head, print_row
from bench.staff_queries import STAFF_QUERIES, StaffQuery

CONVERSATIONS, WARM_UP, STAFF_TIMES = 220, 10, 40
CUSTOMER_MILLISECONDS, STAFF_MILLISECONDS = 10.0, 200.0
MANY_ROWS = 20_000
EXPLAINABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
CUSTOMER_HEAD = ("a customer's statement", "times", "p50 ms", "p95 ms", "reads whole")
STAFF_HEAD = ("the staff's list or chart", "times", "p50 ms", "p95 ms", "reads whole")
LONGEST_SHOWN = 160


def measure_large_shop(place: Place, *, small: bool = False) -> bool:
    """Print both tables; whether all limits hold.

    Args:
        small: a few rows only, to try the benchmark out.
    """
    sizes = SMALL if small else SIZES
    load_large_shop(place, sizes)
    logging.disable(logging.WARNING)  # a line for each payment
    return look_closely(place, sizes)


def look_closely(place: Place, sizes: dict[str, int]) -> bool:
    """Measure a shop that is loaded."""
    statements = _talk(place, sizes, CONVERSATIONS)
    large = {table: rows for table, rows in rows_of_tables(place).items() if rows > MANY_ROWS}
    slow = list(_judge_customers(place, statements, large))
    slow += _judge_staff(place, large)
    print()
    for line in slow:
        print(f"broken: {line}")
    if not slow:
        print(f"{len(statements)} statements and {len(STAFF_QUERIES)} lists keep their limits")
    return not slow


def _talk(place: Place, sizes: dict[str, int], conversations: int) -> dict[str, Observed]:
    """What is sent while customers, known and new, talk one after the other."""
    random = Random(1)
    engine = place.make_engine()
    shop = place.make_shop(engine)
    with observe(engine) as observer:
        for number in range(WARM_UP + conversations):
            if number == WARM_UP:
                observer.forget()
            # Who orders often comes often.
            customer = 1 + int(sizes["customers"] * random.random() ** 2)
            Talk(shop, lookup(customer), sizes, random).whole()
            Talk(shop, secrets.token_hex(32), sizes, random).greet()
        statements = dict(observer.statements)
    engine.dispose()
    return statements


def _judge_customers(place: Place, statements: dict[str, Observed], large: dict[str, int]) -> Iterator[str]:
    """Print the statements, slowest first; the limits that are broken."""
    print_head(CUSTOMER_HEAD)
    for statement, observed in sorted(statements.items(), key=lambda each: -each[1].p95):
        shown = shortened(statement)[:LONGEST_SHOWN]
        read: set[str] = set()
        with place.by_hand() as connection:
            for example in observed.examples if statement.startswith(EXPLAINABLE) else ():
                read |= _tables_read_whole(connection, example)
        _print_observed(shown, observed, read)
        yield from _broken(shown, observed, CUSTOMER_MILLISECONDS)
        yield from (f"{shown}: reads all {large[table]:,} {table}" for table in sorted(read & large.keys()))


def _judge_staff(place: Place, large: dict[str, int]) -> Iterator[str]:
    """Print the lists and charts; the limits that are broken. They may read a table whole, if quickly."""
    print_head(STAFF_HEAD)
    random = Random(1)
    for query in STAFF_QUERIES:
        with place.by_hand() as connection:
            observed = _time(connection, query, random)
            read = _tables_read_whole(connection, query.query, query.values(random))
        _print_observed(query.name, observed, read & large.keys())
        yield from _broken(query.name, observed, STAFF_MILLISECONDS)


def _time(connection: Connection, query: StaffQuery, random: Random) -> Observed:
    observed = Observed()
    for _ in range(STAFF_TIMES):
        values = query.values(random)
        begin = time.perf_counter()
        connection.execute(text(query.query), values).all()
        observed.seconds.append(time.perf_counter() - begin)
    return observed


def _broken(name: str, observed: Observed, limit: float) -> Iterator[str]:
    if observed.p95 >= limit:
        yield f"{name}: {observed.p95:.1f} ms, more than {limit:.0f}"


def _print_observed(name: str, observed: Observed, read: set[str]) -> None:
    times = str(len(observed.seconds))
    print_row((name, times, f"{observed.p50:.1f}", f"{observed.p95:.1f}", ", ".join(sorted(read))))


def _tables_read_whole(connection: Connection, statement: str, values: Any = None) -> set[str]:
    """The tables that a statement's plan scans row by row."""
    explain = f"EXPLAIN (FORMAT JSON) {statement}"
    if values is None:
        result = connection.exec_driver_sql(explain.replace("%", "%%"))
    else:
        result = connection.execute(text(explain), values)
    return set(_scans(result.scalar_one()[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _scans(child)
