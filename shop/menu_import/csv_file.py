"""Reads a menu in CSV, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from shop.menu_import.rows import Menu, ProductRow
from shop.menu_import.values import shown

COLUMNS = tuple(ProductRow.model_fields)
DELIMITERS = ",;\t"
_CHOICE = re.compile(r"(?P<name>[^:!*]+?)\s*(?P<required>!)?\s*(\*\s*(?P<most>[0-9]+))?")


def read_csv(content: str, menu: Menu) -> None:
    """Add the rows of a CSV file to a menu."""
    rows = _rows(content, menu)
    line, header = next(rows, (1, []))
    columns = [re.sub(r"[\s_]+", "_", cell.strip().casefold()) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    # Without them, every row would only tell once more what the header lacks.
    if not _has_needed_columns(line, columns, menu):
        return
    for line, cells in rows:
        if len(cells) < len(columns) or any(cell.strip() for cell in cells[len(columns) :]):
            menu.refuse(line, f"has {len(cells)} cells, the header has {len(columns)}")
            continue
        data: dict[str, object] = {
            name: cell for name, cell in zip(columns, cells, strict=False) if name in COLUMNS
        }
        if "options" in data:
            data["options"] = _read_options(line, str(data["options"]), menu)
        menu.add_product(line, data)


def _rows(content: str, menu: Menu) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line where it begins."""
    first = next((line for line in content.splitlines() if line.strip()), "")
    named = re.fullmatch(rf"sep=([{DELIMITERS}])", first.strip(" "))  # Excel's own first line
    reader = csv.reader(
        io.StringIO(content, newline=""), delimiter=named[1] if named else _delimiter(first), strict=True
    )
    skip = named is not None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            menu.refuse(line, f"is not CSV: {error} (are the quotation marks in pairs?)")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if skip:
            skip = False
            continue
        yield line, cells


def _delimiter(header: str) -> str:
    """What separates most columns in a header."""

    def known(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip(' "').casefold() for cell in header.split(delimiter)]
        return sum(cell in COLUMNS for cell in cells), len(cells)

    return max(DELIMITERS, key=known)


def _has_needed_columns(line: int, columns: list[str], menu: Menu) -> bool:
    unknown = [shown(name) for name in dict.fromkeys(columns) if name not in COLUMNS]
    if unknown:
        menu.refuse(line, f"unknown columns: {', '.join(unknown)} (known: {', '.join(COLUMNS)})")
    needed = ["sku", "name", "category"] + (["price"] if menu.rules.price is None else [])
    missing = [name for name in needed if name not in columns]
    if missing:
        menu.refuse(line, f"missing columns: {', '.join(missing)}")
    twice = sorted({name for name in columns if name in COLUMNS and columns.count(name) > 1})
    if twice:
        menu.refuse(line, f"columns that are there twice: {', '.join(twice)}")
    return not missing


def _read_options(line: int, cell: str, menu: Menu) -> list[str]:
    """The names of the choices in a cell; those that are spelled out are added to the menu."""
    names = []
    for written in re.split(r"[;\n]", cell.replace("\r", "\n")):
        if not written.strip():
            continue
        head, colon, options = written.partition(":")
        choice = _CHOICE.fullmatch(head.strip())
        if choice is None or (not colon and (choice["required"] or choice["most"])):
            menu.refuse(
                line, f"options: {shown(written.strip())} is not a choice such as Size!: Small | Large=+500"
            )
            continue
        # As the row's own check will have it, so that they are found by the same name.
        names.append(" ".join(choice["name"].split()))
        if colon:
            group: dict[str, object] = {"name": choice["name"], "required": bool(choice["required"])}
            if choice["most"]:
                group["most"] = choice["most"]
            group["options"] = [_read_option(option) for option in options.split("|") if option.strip()]
            menu.add_group(line, group, may_repeat=True)
    return names


def _read_option(written: str) -> dict[str, object]:
    head, equals, difference = written.rpartition("=")
    name, *aliases = (head if equals else written).split("~")
    option: dict[str, object] = {"name": name}
    if equals:
        option["price_difference"] = difference
    if aliases:
        option["aliases"] = [alias for alias in aliases if alias.strip()]
    return option
