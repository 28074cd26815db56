"""Reads a menu in JSON: our own format, and that of the order-parsing data sets."""

from __future__ import annotations

import hashlib
import re
import string
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError, JSONDecoder
from typing import Any

from shop.menu_import.rows import MOST_OF_A_GROUP, Menu
from shop.menu_import.values import shown

SKU_LENGTH = 64
OWN_KEYS = ("products", "option_groups")
_BLANK = re.compile(r"[ \t\n\r]*")


def read_json(text: str, menu: Menu) -> None:
    """Add the rows of a JSON file to a menu."""
    try:
        document = _Document(text)
    except JSONDecodeError as error:
        menu.refuse(error.lineno, f"column {error.colno}: this is not JSON: {error.msg}")
        return
    except RecursionError:
        menu.refuse(1, "is nested too deeply")
        return
    keys = [set(product) for _, product in document.rows("products") if isinstance(product, Mapping)]
    if any("id" in some for some in keys) and not any("sku" in some for some in keys):
        _read_data_set(document, menu)
    else:
        _read_own(document, menu)


class _Document:
    """A JSON object whose members, and the elements of those that are lists, know their lines."""

    def __init__(self, text: str) -> None:
        self._decoder = JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_no_number)
        self._decoder.decode(text)  # says what is wrong with it; from here on it is JSON
        self._text = text
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self.members: dict[str, tuple[int, Any]] = {}
        at = self._skip(0)
        self.is_object = text[at] == "{"
        if self.is_object:
            for start, key, value in self._members(at):
                self.members[key] = (start, value)

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self._line_ends, offset - 1) + 1

    def rows(self, name: str) -> Iterator[tuple[int, Any]]:
        """The elements of a member that is a list, each with its line."""
        start, value = self.members.get(name, (0, None))
        if not isinstance(value, list):
            return
        at = self._skip(start + 1)
        while self._text[at] != "]":
            element, end = self._decoder.raw_decode(self._text, at)
            yield self.line(at), element
            at = self._skip_comma(end)

    def _members(self, at: int) -> Iterator[tuple[int, str, Any]]:
        at = self._skip(at + 1)
        while self._text[at] != "}":
            key, end = self._decoder.raw_decode(self._text, at)
            start = self._skip(self._skip(end) + 1)
            value, end = self._decoder.raw_decode(self._text, start)
            yield start, key, value
            at = self._skip_comma(end)

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        assert match is not None
        return match.end()

    def _skip_comma(self, at: int) -> int:
        at = self._skip(at)
        return self._skip(at + 1) if self._text[at] == "," else at


def _read_own(document: _Document, menu: Menu) -> None:
    if not document.is_object or "products" not in document.members:
        menu.refuse(1, 'needs an object in braces with a list "products"')
        return
    for name, (start, value) in document.members.items():
        line = document.line(start)
        if name not in OWN_KEYS:
            menu.refuse(line, f"{shown(name)} is not known here; known: {', '.join(OWN_KEYS)}")
        elif not isinstance(value, list):
            menu.refuse(line, f'"{name}" is not a list')
    for line, group in document.rows("option_groups"):
        menu.add_group(line, group)
    for line, product in document.rows("products"):
        menu.add_product(line, product)


def _read_data_set(document: _Document, menu: Menu) -> None:
    """Names, skus and the one price are made up: such menus have none."""
    if menu.rules.price is None:
        menu.refuse(1, "this menu has no prices; give one for all products with PRICE=1500")
        return
    start, slots = document.members.get("options", (0, {}))
    line = document.line(start)
    groups = []
    if not isinstance(slots, Mapping):
        menu.refuse(line, '"options" is not an object in braces')
        slots = {}
    for slot, options in slots.items():
        if not isinstance(options, Mapping):
            menu.refuse(line, f"the choice {shown(slot)} is not an object in braces")
        elif options:
            groups.append(_slot_name(slot))
            menu.add_group(line, _data_set_group(slot, options))
    for line, product in document.rows("products"):
        if not isinstance(product, Mapping) or not isinstance(product.get("id"), str):
            menu.refuse(line, f"{shown(product)} has no id that is text")
            continue
        menu.add_product(line, _data_set_product(product, groups))


def _data_set_product(product: Mapping[str, Any], groups: list[str]) -> dict[str, object]:
    category = product.get("category")
    return {
        "sku": _sku(product["id"]),
        "name": _titled(product["id"]),
        "category": _titled(category) if isinstance(category, str) else category,
        "price": None,
        "aliases": _with(product["id"], product.get("aliases")),
        "options": groups,
    }


def _data_set_group(slot: str, options: Mapping[str, Any]) -> dict[str, object]:
    return {
        "name": _slot_name(slot),
        "most": Decimal(1 if slot == "size" else min(len(options), MOST_OF_A_GROUP)),
        "options": [
            {"name": _titled(value), "aliases": _with(value, aliases)} for value, aliases in options.items()
        ],
    }


def _titled(name: str) -> str:
    return string.capwords(re.sub(r"[_\s]+", " ", name))


def _slot_name(slot: str) -> str:
    return _titled(slot.replace("-", " "))


def _with(name: str, aliases: object) -> object:
    """The aliases with the id among them; what is no list is left to the check."""
    return [name, *aliases] if isinstance(aliases, list) else [name] if aliases is None else aliases


def _sku(name: str) -> str:
    """A sku of an id: the same for the same id, another for every other one."""
    plain = re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", name) is not None
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    if plain and len(slug) <= SKU_LENGTH:
        return slug
    digest = hashlib.blake2s(name.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{slug[: SKU_LENGTH - len(digest) - 1]}-{digest}".lstrip("-")


def _number(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        return Decimal("Infinity")  # an exponent beyond all bounds; refused as no amount


def _no_number(written: str) -> Decimal:
    """NaN and Infinity, which Python's JSON knows, are refused as no amounts."""
    return Decimal("NaN") if written == "NaN" else Decimal(written)
