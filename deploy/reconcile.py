"""`make reconcile`: lists every difference between orders, payments, provider events, refunds and stock.

Ends with 1 if there is any, or if there is no database to ask. Providers are asked about the payments of
the last days.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta

from deploy.opened_shop import database_failures_in_a_line
from settings import read_settings_or_exit
from shop.assembly import make_shop
from shop.reconciliation import ask_providers, differences


def main() -> None:
    """Compare, and print one line for each difference."""
    parser = argparse.ArgumentParser(prog="make reconcile", description=__doc__)
    parser.add_argument("--days", type=int, default=3, help="how far back providers are asked (default 3)")
    days = parser.parse_args().days
    shop = make_shop(read_settings_or_exit())
    with database_failures_in_a_line():
        found = shop.run(differences) + ask_providers(shop, datetime.now(UTC) - timedelta(days=days))
    for difference in found:
        print(f"{difference.about}: {difference.what}")
    print(f"{len(found)} differences", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
