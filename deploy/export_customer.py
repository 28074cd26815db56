"""Prints all that is kept of one customer as JSON: `make export-customer PHONE=+2348031234567`, or

    python -m deploy.export_customer +2348031234567

docs/operators.md says when, and what to look at first. Nothing is logged.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from deploy.opened_shop import opened_shop
from settings import exit_with, read_settings_or_exit
from shop import privacy
from shop.work import Work
from whatsapp.identity import Identity, InvalidAddress, number_of


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the customer whom the command line names by the number."""
    given = _parser().parse_args(arguments).phone
    settings = read_settings_or_exit()
    if not given:
        exit_with("PHONE: is missing; make export-customer PHONE=+2348031234567")
    try:
        number = number_of(given)
    except InvalidAddress:
        exit_with("PHONE: is not an international phone number such as +2348031234567")
    lookup = Identity(settings.privacy).pseudonym(number)
    with opened_shop(settings) as shop:
        exported = shop.run(lambda work: _export(work, lookup))
    if exported is None:
        exit_with("PHONE: no customer has this number")
    exported["profile"]["phone_number"] = number
    print(json.dumps(exported, default=privacy.plain, ensure_ascii=False, indent=2))


def _export(work: Work, lookup: str) -> dict[str, Any] | None:
    customer = work.customers.find_by_lookup(lookup)
    return None if customer is None else privacy.export(work, customer)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.export_customer", description="Prints what is kept of a customer as JSON."
    )
    parser.add_argument("phone", metavar="PHONE", nargs="?", default="", help="with its country code")
    return parser


if __name__ == "__main__":
    main()
