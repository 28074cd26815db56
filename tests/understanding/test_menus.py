"""Orders on menus that nobody made the parser for: what it has reached, it keeps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.understanding.scoring import HELD_OUT, LANGUAGES, SEEN, outcomes, read_menu, rows_of, share


@pytest.mark.parametrize(
    ("menus", "products", "whole"),
    [
        pytest.param(SEEN, 0.95, 0.91, id="seen"),
        pytest.param(HELD_OUT, 0.94, 0.855, id="held out"),
        pytest.param(LANGUAGES, 0.945, 0.88, id="languages"),
    ],
)
def test_orders_are_understood(menus: tuple[str, ...], products: float, whole: float) -> None:
    found = list(outcomes(*menus))
    assert share([one.right_products for one in found]) >= products
    assert share([one.right for one in found]) >= whole
    sure = [one for one in found if not one.unsure]
    assert share([one.right for one in sure]) > share([one.right for one in found]), "doubts tell nothing"


def test_hardly_ever_something_that_nobody_asked_for() -> None:
    assert share([one.wrong_item for one in outcomes(*HELD_OUT)]) <= 0.01


@pytest.mark.parametrize("name", [*SEEN, *HELD_OUT, *LANGUAGES])
def test_the_gold_names_only_what_the_menu_has(name: str) -> None:
    menu = read_menu(name)
    choices = {(one.choice.slot, one.choice.value) for one in menu.names if one.choice}
    for row in rows_of(name):
        for item in row["items"]:
            assert item["product"] in menu.shown, row["id"]
            said = [*item["modifiers"], *item["negated_modifiers"]]
            said += [{"slot": "size", "value": item["size"]}] if item["size"] else []
            assert {(one["slot"], one["value"]) for one in said} <= choices, row["id"]


READ_ALL = """
import sys
from dialogue.parse_lines import make_reader, order_of
from tests.understanding.scoring import read_menu, rows_of

menu = read_menu(sys.argv[1])
reader = make_reader(menu)
for row in rows_of(sys.argv[1]):
    print(order_of(reader.read(row["text"]), menu))
"""


def test_every_process_reads_a_message_in_the_same_way() -> None:
    """However it hashes its strings: a message that is served again is read as before."""

    def read(seed: str) -> str:
        command = [sys.executable, "-W", "ignore", "-c", READ_ALL, "smoothie"]
        surroundings = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings).stdout

    assert read("1") == read("2") != ""
