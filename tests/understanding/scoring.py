"""Whether an order was understood: compared as a whole, whatever the order of its lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialogue.orders.menu import Menu, from_menu_file
from dialogue.parse_lines import make_reader, order_of

MENUS = Path(__file__).parent / "menus"
SEEN = (
    "bubbletea",
    "burgerbar",
    "chicken",
    "chopbar",
    "creperie",
    "diner",
    "icecream",
    "kebab",
    "pizzeria",
    "saladbar",
)
HELD_OUT = ("buka", "curryhouse", "deli", "poke", "ramen", "smoothie", "subs", "taqueria")
LANGUAGES = ("comida_es", "lanche_pt", "mamaput_pcm", "resto_fr")

Item = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """One sentence: whether product and quantity, and the whole order, are right, and what was doubted."""

    right_products: bool
    right: bool
    unsure: bool
    wrong_item: bool


def bag(items: list[Item], *, full: bool) -> Counter[tuple[Any, ...]]:
    """An order without its sequence; equal lines are one."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for item in items:
        counted[_key(item) if full else (item["product"],)] += item["quantity"]
    return counted


def _key(item: Item) -> tuple[Any, ...]:
    chosen = sorted(
        (one["value"], one.get("qualifier", ""), one.get("count", 0)) for one in item["modifiers"]
    )
    left_out = sorted(one["value"] for one in item["negated_modifiers"])
    return item["product"], item["size"] or "", tuple(chosen), tuple(left_out)


def compare(gold: list[Item], found: list[Item], *, unsure: bool) -> Outcome:
    """What became of one sentence."""
    wanted, got = bag(gold, full=False), bag(found, full=False)
    return Outcome(
        wanted == got, bag(gold, full=True) == bag(found, full=True), unsure, bool(set(got) - set(wanted))
    )


def read_menu(name: str) -> Menu:
    """One of the menus."""
    return from_menu_file(json.loads((MENUS / name / "menu.json").read_text(encoding="utf-8")))


def rows_of(name: str) -> list[dict[str, Any]]:
    """The sentences of a menu."""
    lines = (MENUS / name / "orders.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def outcomes(*names: str) -> Iterator[Outcome]:
    """Every sentence of some menus, read."""
    for name in names:
        menu = read_menu(name)
        reader = make_reader(menu)
        for row in rows_of(name):
            items, unsure = order_of(reader.read(row["text"]), menu)
            yield compare(row["items"], items, unsure=unsure)


def share(values: list[bool]) -> float:
    """How many of them are true, from 0 to 1."""
    return sum(values) / len(values) if values else 1.0
