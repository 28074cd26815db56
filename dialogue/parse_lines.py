"""The real pipeline on lines of JSON, for measuring and for designers.

    python -m dialogue.parse_lines orders --menu menu.json < in.jsonl > out.jsonl
    python -m dialogue.parse_lines intents --menu menu.json --model models/... < in.jsonl > out.jsonl

A line in is `{"id", "text"}`. Out come `{"id", "items", "unsure"}` or `{"id", "intent",
"confidence"}`; `doubts` adds what an action goes by when it doubts: `lines` (anything that was ordered or
changed), `unknown` (something counted that is on no menu), `asked` (what is named). The menu
(`products` with `id`, `category` and `aliases`, `options` by slot) is used for this run only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from dialogue.orders.drafts import Line, Modifier
from dialogue.orders.language import available
from dialogue.orders.menu import EMPTY, Menu, from_menu_file
from dialogue.orders.reader import OrderReader, Reading

BATCH = 200
FIRST_LANGUAGE = "en"
SIZE = "size"

Row = dict[str, Any]


class InputError(Exception):
    """A menu or a line that cannot be read; the message says which and why."""


def read_menu(path: str) -> Menu:
    """The menu of a file; an empty one for no path.

    Raises:
        InputError
    """
    if not path:
        return EMPTY
    try:
        return from_menu_file(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"MENU {path}: {type(error).__name__}: {error}") from error


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of JSON lines; blank lines are passed over.

    Raises:
        InputError
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield {"id": row["id"], "text": str(row["text"])}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"line {number}: {type(error).__name__}: {error}") from error


def make_reader(menu: Menu) -> OrderReader:
    """A reader in every language that there is."""
    others = [code for code in available() if code != FIRST_LANGUAGE]
    return OrderReader(menu, (FIRST_LANGUAGE, *others))


def order_of(reading: Reading, menu: Menu) -> tuple[list[Row], bool]:
    """What is ordered, and whether that is unsure. Amounts and counts are told where the menu has amounts."""
    items = [_item(line, menu) for line in reading.lines if len(line.products) == 1 and not line.removed]
    return items, bool(reading.doubts)


def _item(line: Line, menu: Menu) -> Row:
    sizes = [modifier.choice.value for modifier in line.modifiers if modifier.choice.slot == SIZE]
    quantity = 1 if line.quantity is None else line.quantity
    return {
        "product": line.products[0],
        "quantity": int(quantity) if quantity == int(quantity) else float(quantity),
        "size": sizes[-1] if sizes else None,
        "modifiers": [_modifier(m, menu) for m in line.modifiers if m.choice.slot != SIZE],
        "negated_modifiers": [{"slot": m.choice.slot, "value": m.choice.value} for m in line.without],
    }


def _modifier(modifier: Modifier, menu: Menu) -> Row:
    said: Row = {"slot": modifier.choice.slot, "value": modifier.choice.value}
    if menu.qualifiers and modifier.amount:
        said["qualifier"] = modifier.amount
    if menu.qualifiers and modifier.count is not None and modifier.count > 1:
        said["count"] = modifier.count
    return said


def parse_orders(menu: Menu) -> Callable[[list[Row]], list[Row]]:
    """A function from rows to orders."""
    reader = make_reader(menu)

    def parse(rows: list[Row]) -> list[Row]:
        orders = [order_of(reader.read(row["text"]), menu) for row in rows]
        return [
            {"id": row["id"], "items": items, "unsure": unsure}
            for row, (items, unsure) in zip(rows, orders, strict=True)
        ]

    return parse


def parse_intents(menu: Menu, model: str) -> Callable[[list[Row]], list[Row]]:
    """A function from rows to intents, through the components of a trained model."""
    from dialogue.nlu.trained import load_pipeline

    pipeline = load_pipeline(model, make_reader(menu))

    def parse(rows: list[Row]) -> list[Row]:
        found = pipeline([row["text"] for row in rows])
        return [
            {"id": row["id"], "intent": name, "confidence": round(confidence, 4)}
            for row, (name, confidence) in zip(rows, found, strict=True)
        ]

    return parse


def parse_doubts(menu: Menu, model: str) -> Callable[[list[Row]], list[Row]]:
    """A function from rows to intents, with what makes an action doubt them."""
    intents, reader = parse_intents(menu, model), make_reader(menu)

    def parse(rows: list[Row]) -> list[Row]:
        readings = [reader.read(row["text"]) for row in rows]
        return [
            {
                **answer,
                "lines": bool(reading.lines or reading.change or reading.more),
                "unknown": bool(reading.counted_unknown),
                "asked": " ".join(row["text"][start:end] for start, end in reading.unknown) or row["text"],
            }
            for row, answer, reading in zip(rows, intents(rows), readings, strict=True)
        ]

    return parse


def run(parse: Callable[[list[Row]], list[Row]], lines: Iterable[str], out: IO[str]) -> None:
    """Parse lines in batches and write the answers."""
    batch: list[Row] = []
    for row in read_rows(lines):
        batch.append(row)
        if len(batch) == BATCH:
            _write(parse(batch), out)
            batch = []
    _write(parse(batch), out)


def _write(rows: list[Row], out: IO[str]) -> None:
    out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out.flush()


def main() -> None:
    """Parse standard input; only answers go to standard output, whatever libraries print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("what", choices=("orders", "intents", "doubts"))
    arguments.add_argument("--menu", default="")
    arguments.add_argument("--model", default="models", help="a model, or the folder of the newest one")
    given = arguments.parse_args()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        menu = read_menu(given.menu)
        if given.what == "orders":
            parse = parse_orders(menu)
        else:
            parse = (parse_intents if given.what == "intents" else parse_doubts)(menu, given.model)
        run(parse, sys.stdin, out)
    except InputError as error:
        sys.exit(f"chatcart: {error}")


if __name__ == "__main__":
    main()
