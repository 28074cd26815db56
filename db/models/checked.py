"""Values that a table must not hold are refused when they are assigned, before anything is written.

The CHECK constraints say the same to whoever writes past the models; here the error names the column.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

MOST_UNITS = 2**31 - 1
MOST_MONEY = Decimal(10) ** 10
"""What NUMERIC(12, 2) holds is below."""
_CURRENCY = re.compile("[A-Z]{3}")


class InvalidValue(ValueError):
    """A value that a column must not hold; `column` names it, the value itself is not told."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column} {reason}")
        self.column = column


def quantity(row: Any, column: str, value: Any) -> Any:
    """Whole units, one at least.

    Raises:
        InvalidValue
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_UNITS:
        raise InvalidValue(column, "is no whole number of units")
    return value


def money(row: Any, column: str, value: Any) -> Any:
    """An amount with two decimals at most, nothing or more; no float, which is never exact.

    Raises:
        InvalidValue
    """
    amount = came(row, column, value)
    if amount != round(Decimal(amount), 2):
        raise InvalidValue(column, "has more than two decimals")
    return amount


def came(row: Any, column: str, value: Any) -> Any:
    """An amount that somebody else counted, perhaps in another currency: with as many decimals as it has.

    Raises:
        InvalidValue
    """
    if value is None and column.startswith("received_"):
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise InvalidValue(column, "is no decimal amount")
    if not Decimal(value).is_finite() or not 0 <= value < MOST_MONEY:
        raise InvalidValue(column, "is no amount of money")
    return value


def currency(row: Any, column: str, value: Any) -> Any:
    """A code of three capital letters.

    Raises:
        InvalidValue
    """
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise InvalidValue(column, "is no currency code")
    return value
