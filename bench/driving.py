"""Drives the shop, and pgbench with the shop's own statements, for the same time with as many clients."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier

from sqlalchemy import make_url

from actions.server import share_interpreter
from bench.commands import Measured
from bench.place import Place, tool

START_SECONDS, WARM_UP_SECONDS = 60.0, 1.0
THREADS = 2


@dataclass(frozen=True)
class Speed:
    """What was measured: commands per second, and how long they took, in milliseconds.

    `carried_out` counts those of the warm-up, too; `processor` is this process's time for each.
    """

    per_second: float
    median: float
    p95: float
    carried_out: int
    processor: float = 0.0


class BenchFailed(Exception):
    """A measurement is not one; the message says why."""


def drive_shop(
    place: Place, measured: Measured, customers: range, clients: int, processes: int, seconds: float
) -> Speed:
    """Clients that send one command after the other, each for a customer of its own, to as many shops as
    ACTIONS_PROCESSES makes on one machine."""
    processes = min(processes, clients)
    context = multiprocessing.get_context("spawn")
    each = len(customers) // processes
    with context.Manager() as manager, context.Pool(processes) as pool:
        all_ready = manager.Barrier(processes)
        jobs = []
        for number in range(processes):
            first = customers.start + number * each
            share = clients // processes + (number < clients % processes)
            served = range(first, first + each)
            jobs.append((place.database_url, measured, served, share, all_ready, seconds))
        driven = pool.starmap(_drive_one, jobs)
    times = [time for driver in driven for time in driver.times]
    carried_out = sum(driver.carried_out for driver in driven)
    processor = sum(driver.processor for driver in driven) * 1000 / max(1, carried_out)
    return replace(_speed(times, len(times) / seconds, carried_out), processor=processor)


@dataclass(frozen=True)
class Driven:
    """What one process measured: the commands' times and its processor's time, in seconds."""

    times: list[float]
    carried_out: int
    processor: float


def _drive_one(
    database_url: str, measured: Measured, customers: range, clients: int, all_ready: Barrier, seconds: float
) -> Driven:
    share_interpreter()
    place = Place(database_url)
    try:
        all_ready.wait(START_SECONDS)
        return asyncio.run(_drive(place, measured, customers, clients, seconds))
    finally:
        place.close()


async def _drive(place: Place, measured: Measured, customers: range, clients: int, seconds: float) -> Driven:
    engine = place.make_engine()
    shop = place.make_shop(engine)
    left = iter(customers)
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds
    times: list[float] = []
    carried_out = 0

    async def client() -> None:
        nonlocal carried_out
        while (sent := time.perf_counter()) < end:
            customer = next(left, None)
            if customer is None:
                raise BenchFailed(f"{len(customers)} customers were too few")
            await measured.carry_out(shop, customer)
            carried_out += 1
            answered = time.perf_counter()
            if begin <= answered <= end:
                times.append(answered - sent)

    used = time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    engine.dispose()
    return Driven(times, carried_out, time.process_time() - used)


def drive_pgbench(place: Place, script: str, customers: range, clients: int, seconds: float) -> Speed:
    """pgbench with a script, over the simple protocol: psycopg2, too, sends values inside of statements."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "script.sql").write_text(script)
        variables = {"count": -1, "first": customers.start, "each": len(customers) // clients}
        command = [str(tool("pgbench")), "--no-vacuum", "--protocol=simple", "--file=script.sql", "--log"]
        command += [f"--client={clients}", f"--jobs={min(clients, THREADS)}", f"--time={round(seconds)}"]
        command += [f"--define={name}={value}" for name, value in variables.items()]
        url = make_url(place.database_url).set(drivername="postgresql")
        done = subprocess.run(
            [*command, url.render_as_string(hide_password=False)],
            cwd=folder,
            env={**os.environ, "PGOPTIONS": "-c timezone=UTC"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise BenchFailed(f"pgbench: {done.stderr.strip()[-2000:]}")
        logged = [line.split() for log in folder.glob("pgbench_log.*") for line in log.open()]
    # client, transaction, microseconds, script, time
    times = [int(fields[2]) / 1e6 for fields in logged]
    per_second = next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps"))
    return _speed(times, float(per_second), len(times))


def _speed(times: list[float], per_second: float, carried_out: int) -> Speed:
    if not times:
        raise BenchFailed("nothing was carried out in time")
    ordered = sorted(times)
    median, p95 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.95))
    return Speed(per_second, median, p95, carried_out)
