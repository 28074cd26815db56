"""Reads a menu's file, whatever its format, into checked rows."""

from __future__ import annotations

import codecs

from shop.menu_import.csv_file import read_csv
from shop.menu_import.json_file import read_json
from shop.menu_import.rows import Menu, Rules


def read_menu(content: bytes | str, rules: Rules) -> Menu:
    """The rows of a file, with every problem that the file alone shows; never raises."""
    menu = Menu(rules)
    text = content if isinstance(content, str) else _decoded(content, menu)
    if text is None:
        return menu
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith(("{", "[")):
        read_json(text, menu)
    else:
        read_csv(text, menu)
    if not menu.products and not menu.problems:
        menu.refuse(1, "there is no product in this file")
    return menu


def _decoded(content: bytes, menu: Menu) -> str | None:
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        menu.refuse(line, "is not UTF-8; in a spreadsheet, save the file as 'CSV UTF-8'")
        return None
