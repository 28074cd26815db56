"""The shop beside pgbench: add to cart and checkout per second, with their latencies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from bench.commands import CHECKOUT, Measured
from bench.customers import FIRST_CUSTOMER, load_customers
from bench.driving import BenchFailed, Speed, drive_pgbench, drive_shop
from bench.place import Place
from bench.report import print_head
from bench.script import CUSTOMERS_USED, count_statements, make_script
from db.models import Base

TARGET, TARGET_CLIENTS = 0.25, 8
ROUNDS = 3
SHOP_AT_MOST, PGBENCH_AT_MOST = 800, 5_000
"""Per second: so many customers wait to be served."""
HEAD = (
    "command",
    "clients",
    "shop /s",
    "pgbench /s",
    "ratio",
    "shop p50, p95 ms",
    "pgbench p50, p95 ms",
    "Python's CPU ms",
)
PROCESSES = min(4, os.cpu_count() or 1)
"""Action servers: as many as an operator would run on this machine."""


@dataclass(frozen=True)
class Compared:
    """One command with so many clients: through the shop, and its bare statements."""

    measured: Measured
    clients: int
    shop: Speed
    pgbench: Speed

    @property
    def ratio(self) -> float:
        """The part of pgbench's throughput that the shop has."""
        return self.shop.per_second / self.pgbench.per_second

    @property
    def misses_target(self) -> bool:
        """Whether this is what the target is set for, and below it."""
        return self.measured is CHECKOUT and self.clients == TARGET_CLIENTS and self.ratio < TARGET

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        return (
            self.measured.title,
            str(self.clients),
            f"{self.shop.per_second:.0f}",
            f"{self.pgbench.per_second:.0f}",
            f"{self.ratio:.2f}",
            f"{self.shop.median:.1f}, {self.shop.p95:.1f}",
            f"{self.pgbench.median:.1f}, {self.pgbench.p95:.1f}",
            f"{self.shop.processor:.1f}",
        )


class Throughput:
    """Measures one command after the other; a customer is served once only."""

    def __init__(self, place: Place, processes: int, seconds: float) -> None:
        self._place = place
        self._processes = processes
        self._seconds = seconds
        self._next = FIRST_CUSTOMER

    def compare(self, measured: Measured, clients: Sequence[int]) -> Iterator[Compared]:
        """The shop and pgbench in turn, several times; of these the one with the median ratio."""
        script = make_script(self._place, measured, self._next)
        self._next += CUSTOMERS_USED
        print(f"\n{measured.title}: {count_statements(script)} round trips, as recorded")
        print_head(HEAD)
        for count in clients:
            rounds = [self._compare_once(measured, script, count) for _ in range(ROUNDS)]
            yield sorted(rounds, key=lambda compared: compared.ratio)[ROUNDS // 2]

    def _compare_once(self, measured: Measured, script: str, clients: int) -> Compared:
        def by_shop(waiting: range) -> Speed:
            return drive_shop(self._place, measured, waiting, clients, self._processes, self._seconds)

        def by_pgbench(waiting: range) -> Speed:
            return drive_pgbench(self._place, script, waiting, clients, self._seconds)

        shops, rows = self._measure(measured, SHOP_AT_MOST, by_shop)
        pgbenchs, same_rows = self._measure(measured, PGBENCH_AT_MOST, by_pgbench)
        if rows != same_rows:
            raise BenchFailed(f"{measured.name} writes {rows}, but its script {same_rows}")
        return Compared(measured, clients, shops, pgbenchs)

    def _measure(
        self, measured: Measured, at_most: int, drive: Callable[[range], Speed]
    ) -> tuple[Speed, dict[str, float]]:
        """One measurement, with the rows that each command wrote into each table."""
        waiting = range(self._next, self._next + round(at_most * (self._seconds + 4)))
        load_customers(self._place, waiting.start, len(waiting), measured.lines)
        self._next = waiting.stop
        before = self._count_rows()
        speed = drive(waiting)
        after = self._count_rows()
        written = {table: (after[table] - before[table]) / speed.carried_out for table in after}
        return speed, {table: rows for table, rows in written.items() if rows}

    def _count_rows(self) -> dict[str, int]:
        names = [table.name for table in Base.metadata.sorted_tables]
        counts = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in names)
        with self._place.by_hand() as connection:
            return dict(connection.execute(text(f"SELECT {counts}")).mappings().one())
