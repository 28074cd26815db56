"""The command line of the menu's import: what it prints, and what it ends with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from db.models import Product
from deploy import lint_menu
from deploy.import_menu import main
from shop import catalogue

ROOT = Path(__file__).resolve().parents[2]
MENU = "sku,name,category,price\nLAT,Latte,Coffee,1500\nTEA,Tea,Tea,900\n"


@pytest.fixture
def run(sessions, database_url, monkeypatch, capsys, tmp_path):
    """Runs the program on a file; its exit code, output and errors."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(content: str, *arguments: str) -> tuple[int, str, str]:
        path = tmp_path / "menu.csv"
        path.write_text(content, encoding="utf-8")
        code = 0
        try:
            main([str(path), *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err.replace(str(path), "menu.csv")

    return run


def test_a_good_file_is_one_line(run, sessions):
    code, output, errors = run(MENU)
    assert (code, errors) == (0, "")
    assert output == (
        "chatcart: menu imported: 2 added, 0 changed, 0 unchanged, 0 made unavailable; "
        "choices added or changed: 0\n"
    )
    with sessions.begin() as session:
        assert session.scalars(select(Product.sku).order_by(Product.position)).all() == ["LAT", "TEA"]
    assert "0 added, 0 changed, 2 unchanged" in run(MENU)[1]


def test_bad_rows_are_errors_with_file_and_line(run, sessions):
    code, output, errors = run(MENU + "TEA,,Tea,-1\n")
    assert (code, output) == (1, "")
    assert errors.splitlines() == [
        "menu.csv:4: name is blank",
        "menu.csv:4: price '-1' is negative",
        "menu.csv:4: the sku 'TEA' is already in line 3",
        "chatcart: nothing was imported; problems: 3",
    ]
    with sessions.begin() as session:
        assert session.scalars(select(Product)).all() == []


def test_one_price_for_all_and_the_whole_menu(run):
    run(MENU)
    code, output, _ = run("sku,name,category\nLAT,Latte,Coffee\n", "--price", "1600", "--replace")
    assert code == 0
    assert "0 added, 1 changed, 0 unchanged, 1 made unavailable" in output


@pytest.mark.parametrize("price", ["free", "-5", "1.005"])
def test_a_wrong_price_is_one_line(run, price):
    code, _, errors = run(MENU, f"--price={price}")
    assert code == 1
    assert re.fullmatch(r"chatcart: PRICE: .*\n", errors)


def test_a_file_that_is_not_there_is_one_line(run, capsys):
    run(MENU)
    with pytest.raises(SystemExit) as ended:
        main(["/nowhere/menu.csv"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "chatcart: /nowhere/menu.csv: No such file or directory\n"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "chatcart: DATABASE_URL: is not set"),
        ("postgresql://nobody@127.0.0.1:1/none", "chatcart: nothing was imported; the database refused it"),
    ],
)
def test_no_database_is_one_line(run, monkeypatch, url, told):
    monkeypatch.setenv("DATABASE_URL", url)
    code, _, errors = run(MENU)
    assert code == 1
    assert errors.startswith(told)
    assert errors.count("\n") == 1


SODAS = "sku,name,category,price,aliases\nCOK,Coca-Cola,Drinks,900,coke|with\nDIE,Diet Coke,Drinks,900,\n"
PART_OF_NAME = (
    "warning: alias is a part of another name: 'coke', an alias of 'Coca-Cola', is a part of 'Diet Coke'. "
    "Keep it if 'coke' alone always means 'Coca-Cola'; otherwise remove the alias, or make it longer."
)
EVERYDAY_WORD = (
    "warning: alias is an everyday word: 'with', an alias of 'Coca-Cola', is an everyday word: it is read as "
    "a part of the sentence. Remove the alias 'with', or add a word that only this has."
)


class TestTheLint:
    def test_warnings_follow_the_result_the_worst_first(self, run):
        code, output, errors = run(SODAS)
        assert (code, errors) == (0, "")
        assert output.splitlines()[0].startswith("chatcart: menu imported: 2 added")
        assert output.splitlines()[1:] == [EVERYDAY_WORD, PART_OF_NAME]

    def test_it_reads_the_whole_menu_not_the_file_alone(self, run):
        run("sku,name,category,price\nDIE,Diet Coke,Drinks,900\n")
        assert PART_OF_NAME in run("\n".join(SODAS.splitlines()[:2]))[1]

    def test_thirty_are_shown_and_the_others_counted(self, run):
        header = "sku,name,category,price,aliases"
        menu = "\n".join(
            [header, *(f"S{n},Stew {chr(65 + n)}{chr(65 + n)},Stews,900,{n}" for n in range(26))]
        )
        more = "\n".join(f"P{n},Soup {chr(65 + n)}{chr(65 + n)},Soups,900,{n + 50}" for n in range(7))
        lines = run(f"{menu}\n{more}\n")[1].splitlines()
        assert len(lines) == 1 + 30 + 1
        assert lines[-1] == "warnings that are not shown: 3; `make lint-menu` shows all"

    def test_an_import_without_its_lint_is_an_import(self, run, sessions, monkeypatch):
        def fail(_work):
            raise OperationalError("SELECT", {}, Exception("connection lost\nand more"))

        monkeypatch.setattr(catalogue, "names", fail)
        code, output, errors = run(MENU)
        assert code == 0
        assert output.startswith("chatcart: menu imported: 2 added")
        assert errors == "chatcart: the menu was not linted: connection lost\n"

    def test_the_command_lists_all_and_the_short_forms(self, run, capsys):
        run(SODAS.replace("Diet Coke", "Diet Cocoa Shake"))
        lint_menu.main([])
        assert capsys.readouterr().out.splitlines() == [
            EVERYDAY_WORD,
            "info: 'Coca-Cola' will also be understood as 'coca' and 'cola'.",
            "info: 'Diet Cocoa Shake' will also be understood as 'cocoa', 'diet' and 'shake'.",
            "chatcart: menu linted; products: 2, warnings: 1",
        ]

    def test_the_command_on_an_empty_shop(self, run, capsys):
        lint_menu.main([])
        assert capsys.readouterr().out == "chatcart: menu linted; products: 0, warnings: 0\n"

    def test_the_command_without_a_database_is_one_line(self, run, monkeypatch, capsys):
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        with pytest.raises(SystemExit) as ended:
            lint_menu.main([])
        assert ended.value.code == 1
        assert capsys.readouterr().err == (
            "chatcart: DATABASE_URL: the database is out of reach, or lets nobody in\n"
        )

    def test_make_runs_it(self):
        printed = subprocess.run(
            ["make", "--just-print", "lint-menu"], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout
        assert "-m deploy.lint_menu" in printed


def test_make_passes_everything_on(tmp_path):
    name = tmp_path / "my 'menu'.csv"
    arguments = ["make", "--just-print", "import-menu", f"FILE={name}", "PRICE=1500", "REPLACE=1"]
    printed = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, env={**os.environ}).stdout
    assert 'deploy.import_menu --price="${PRICE:-}" --replace -- "${FILE:-}"' in printed
