"""`make parse-orders`: lines of JSON in, lines of JSON out, and one clear line where that cannot be."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dialogue.parse_lines import InputError, parse_orders, read_menu, read_rows, run

ROOT = Path(__file__).parents[2]
MENU = {
    "products": [{"id": "latte", "category": "coffee", "aliases": ["latte"]}],
    "options": {"size": {"large": ["large"]}, "milk": {"oat milk": ["oat milk"]}},
}


@pytest.fixture
def menu_file(tmp_path: Path) -> Path:
    """A small menu."""
    path = tmp_path / "menu.json"
    path.write_text(json.dumps(MENU), encoding="utf-8")
    return path


def call(menu: Path | str, given: str) -> subprocess.CompletedProcess[str]:
    """The command as `make` calls it."""
    arguments = [sys.executable, "-m", "dialogue.parse_lines", "orders", "--menu", str(menu)]
    return subprocess.run(arguments, cwd=ROOT, input=given, capture_output=True, text=True, check=False)


def test_an_order_comes_out_as_items(menu_file: Path) -> None:
    answer = call(menu_file, '{"id": "a", "text": "2 large lattes, one with oat"}\n\n{"id": 7, "text": ""}\n')
    first, second = map(json.loads, answer.stdout.splitlines())
    assert first["id"] == "a" and not first["unsure"]
    assert sorted((item["quantity"], item["size"], len(item["modifiers"])) for item in first["items"]) == [
        (1, "large", 0),
        (1, "large", 1),
    ]
    assert second == {"id": 7, "items": [], "unsure": False}


def test_many_lines_come_out_in_their_order(menu_file: Path) -> None:
    lines = [json.dumps({"id": number, "text": "latte"}) for number in range(450)]
    out = io.StringIO()
    run(parse_orders(read_menu(str(menu_file))), lines, out)
    assert [json.loads(line)["id"] for line in out.getvalue().splitlines()] == list(range(450))


@pytest.mark.parametrize("given", ["no json", "[]", '{"id": 1}', '{"text": "latte"}'])
def test_a_line_that_cannot_be_read_is_named(given: str) -> None:
    with pytest.raises(InputError, match="line 2"):
        list(read_rows(['{"id": 1, "text": "latte"}', given]))


@pytest.mark.parametrize("content", ["no json", "[]", '{"products": [{}]}', '{"products": 3}'])
def test_a_menu_that_cannot_be_read_is_one_line_and_no_answer(tmp_path: Path, content: str) -> None:
    path = tmp_path / "menu.json"
    path.write_text(content, encoding="utf-8")
    answer = call(path, '{"id": 1, "text": "latte"}\n')
    assert answer.returncode == 1 and answer.stdout == ""
    assert [line for line in answer.stderr.splitlines() if line.startswith("chatcart: MENU")]
