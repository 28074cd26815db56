"""How many of something a customer may ask for."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from shop.errors import (
    QuantityNotANumber,
    QuantityNotWhole,
    QuantityTooLarge,
    QuantityTooSmall,
)

MOST_PER_LINE = 100
MOST_PER_ORDER = 500
MOST_DIGITS = 18


def as_quantity(value: str | int | Decimal | None) -> int:
    """A quantity that can be ordered: a whole number from 1 to `MOST_PER_LINE`.

    Raises:
        QuantityNotANumber, QuantityTooSmall, QuantityNotWhole, QuantityTooLarge
    """
    number = as_number(value)
    if number <= 0:
        raise QuantityTooSmall(number)
    if number != number.to_integral_value():
        raise QuantityNotWhole(number)
    if number > MOST_PER_LINE:
        raise QuantityTooLarge(MOST_PER_LINE)
    return int(number)


def as_number(value: str | int | Decimal | None) -> Decimal:
    """The number that was given.

    Raises:
        QuantityNotANumber: if there is none, or it is beyond all measure.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise QuantityNotANumber() from None
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise QuantityNotANumber()
    return number
