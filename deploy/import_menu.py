"""Imports a menu from a CSV or JSON file: `make import-menu FILE=menu.csv`, or

    python -m deploy.import_menu menu.csv [--price 1500] [--replace]

All of it, or nothing: then every bad row is on standard error as FILE:LINE: reason, and the exit code is 1.
After an import, names on the menu that the bot may misread are printed; they stop nothing.
docs/staff.md says what the file looks like.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from tqdm import tqdm

from deploy.lint_menu import warnings
from deploy.opened_shop import opened_shop
from settings import exit_with, read_settings_or_exit
from shop import catalogue
from shop.menu_import import Imported, Menu, MenuRefused, Rules, import_menu, read_menu
from shop.menu_lint import lint
from shop.service import Shop

MOST_WARNINGS = 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Import the file that the command line names."""
    options = _parser().parse_args(arguments)
    if not options.file:
        exit_with("FILE: is missing; make import-menu FILE=menu.csv")
    settings = read_settings_or_exit()
    try:
        rules = Rules.of(settings.shop, options.price)
    except ValueError as error:
        exit_with(f"PRICE: {error}")
    try:
        content = Path(options.file).read_bytes()
    except OSError as error:
        exit_with(f"{options.file}: {error.strerror}")
    menu = read_menu(content, rules)
    with opened_shop(settings) as shop:
        print(_summary(_import(shop, menu, options)))
        _warn(shop)


def _import(shop: Shop, menu: Menu, options: argparse.Namespace) -> Imported:
    """Import a menu, or end the program and say why nothing was imported."""
    # disable=None: on a terminal only.
    bar = tqdm(total=len(menu.products), desc="importing", unit=" products", disable=None, leave=False)
    try:
        with bar:
            return shop.run(
                lambda work: import_menu(work, menu, replace=options.replace, progress=bar.update)
            )
    except MenuRefused as refused:
        for line, reason in refused.problems:
            print(f"{options.file}:{line}: {reason}", file=sys.stderr)
        exit_with(f"nothing was imported; problems: {len(refused.problems)}")
    except DBAPIError as error:
        exit_with(f"nothing was imported; the database refused it: {_first_line(error)}")


def _warn(shop: Shop) -> None:
    """Print what the lint says about the menu as it is now. The import is done, whatever happens here."""
    try:
        names = shop.run(catalogue.names)
    except DBAPIError as error:
        print(f"chatcart: the menu was not linted: {_first_line(error)}", file=sys.stderr)
        return
    for line in warnings(lint(names), MOST_WARNINGS):
        print(line)


def _summary(imported: Imported) -> str:
    return (
        f"chatcart: menu imported: {imported.added} added, {imported.changed} changed, "
        f"{imported.unchanged} unchanged, {imported.made_unavailable} made unavailable; "
        f"choices added or changed: {imported.choices_changed}"
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.import_menu", description="Imports a menu, all of it or nothing."
    )
    parser.add_argument("file", metavar="FILE", help="in CSV or JSON; docs/staff.md shows both")
    parser.add_argument("--price", default="", help="of products for which the file names none")
    parser.add_argument(
        "--replace", action="store_true", help="products that the file does not have go off sale"
    )
    return parser


if __name__ == "__main__":
    main()
