"""Lints the menu that is on sale: `make lint-menu`, or

    python -m deploy.lint_menu

Prints names that the bot may take for something else, the worst first, each with a suggestion; then, as
information, the short forms by which products will also be understood. Changes nothing; the exit code is 1
only where there is no database to ask.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from deploy.opened_shop import opened_shop
from settings import read_settings_or_exit
from shop import catalogue
from shop.menu_lint import Finding, lint


def main(arguments: Sequence[str] | None = None) -> None:
    """Lint the menu in the database."""
    argparse.ArgumentParser(prog="make lint-menu", description="Lints the menu on sale.").parse_args(
        arguments
    )
    with opened_shop(read_settings_or_exit()) as shop:
        names = shop.run(catalogue.names)
    found = lint(names)
    for line in (*warnings(found), *_information(found)):
        print(line)
    count = sum(finding.kind.is_warning for finding in found)
    print(f"chatcart: menu linted; products: {len(names.products)}, warnings: {count}")


def warnings(found: Sequence[Finding], most: int | None = None) -> Iterator[str]:
    """A line for each warning, the worst first; if there are more than `most`, how many the others are."""
    lines = [
        f"warning: {finding.kind}: {finding.sentence} {finding.suggestion}"
        for finding in found
        if finding.kind.is_warning
    ]
    yield from lines[:most]
    if most is not None and len(lines) > most:
        yield f"warnings that are not shown: {len(lines) - most}; `make lint-menu` shows all"


def _information(found: Sequence[Finding]) -> Iterator[str]:
    # The same suggestion, to do nothing, would follow on every line.
    return (f"info: {finding.sentence}" for finding in found if not finding.kind.is_warning)


if __name__ == "__main__":
    main()
