"""What people type into forms, read or refused with a sentence."""

from __future__ import annotations

import re
from decimal import Decimal

from shop.errors import BadInput
from web.console.visit import Visit

AMOUNT = re.compile(r"\d{1,3}(,\d{3}){1,3}(\.\d{1,2})?|\d{1,10}(\.\d{1,2})?")


def amount(visit: Visit, name: str, label: str) -> Decimal:
    """An amount such as 5500, 5500.00 or 5,500.00.

    Raises:
        BadInput
    """
    typed = visit.text(name)
    if not AMOUNT.fullmatch(typed):
        raise BadInput(name, f"{label}: write an amount such as 5500 or 5500.00.")
    return Decimal(typed.replace(",", ""))


def amount_or_none(visit: Visit, name: str, label: str) -> Decimal | None:
    """The same; None where the field is empty.

    Raises:
        BadInput
    """
    return amount(visit, name, label) if visit.text(name) else None


def whole_or_none(visit: Visit, name: str, label: str, most: int = 1_000_000) -> int | None:
    """A whole number from zero on; None where the field is empty.

    Raises:
        BadInput
    """
    typed = visit.text(name)
    if not typed:
        return None
    if not typed.isascii() or not typed.isdigit() or len(typed) > 9 or int(typed) > most:
        raise BadInput(name, f"{label}: write a whole number, {most:,} at most.")
    return int(typed)


def words(visit: Visit, name: str, label: str, *, most: int, least: int = 1) -> str:
    """A text of one line or several, its length within bounds.

    Raises:
        BadInput
    """
    typed = visit.text(name)
    if not least <= len(typed) <= most:
        wanted = f"{most} characters at most" if typed else "something"
        raise BadInput(name, f"{label}: write {wanted}.")
    return typed
