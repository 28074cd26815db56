"""The shop under load, beside pgbench with the same statements; `--large`: its queries on a million orders.

Run with `python -m bench.shop [--clients 1 8 32] [--processes 2] [--seconds 3] [--large]`, or
`make bench-shop [LARGE=1]`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from bench.commands import MEASURED
from bench.customers import load_products
from bench.driving import BenchFailed
from bench.large import measure_large_shop
from bench.place import Place, open_place
from bench.report import print_row
from bench.script import ScriptDiffers
from bench.throughput import PROCESSES, TARGET, Throughput


def measure_throughput(place: Place, clients: list[int], processes: int, seconds: float) -> bool:
    """Print the comparison; whether the target is met."""
    load_products(place)
    throughput = Throughput(place, processes, seconds)
    met = True
    for measured in MEASURED:
        for row in throughput.compare(measured, clients):
            print_row(row.cells())
            if row.misses_target:
                print(f"below the target: {TARGET} of pgbench's throughput")
                met = False
    return met


def main() -> None:
    """Measure, print, and exit with 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=3, help="for each of three measurements")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="action servers on this machine")
    parser.add_argument("--large", action="store_true", help="10,000 products and 1,000,000 orders")
    options = parser.parse_args()
    # A run that is told to stop takes its server with it, as one that is interrupted does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench.shop: stopped"))
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {options.processes} action servers, load average before: {load:.1f}")
    try:
        with open_place() as place:
            kept = measure_throughput(place, options.clients, options.processes, options.seconds)
        if options.large:
            with open_place() as place:
                kept = measure_large_shop(place) and kept
    except (BenchFailed, ScriptDiffers) as failure:
        sys.exit(f"bench.shop: {failure}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
