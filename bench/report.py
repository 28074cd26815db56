"""Tables for people, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def print_row(cells: Iterable[str]) -> None:
    """One row, at once."""
    print(f"| {' | '.join(cells)} |", flush=True)


def print_head(cells: Sequence[str]) -> None:
    """The head of a table."""
    print()
    print_row(cells)
    print_row("---" for _ in cells)
