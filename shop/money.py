"""Money: Decimal amounts in the currency's minor unit, never floats."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, get_currency_precision

MOST_DECIMALS = 2
"""What the database's money columns hold."""


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half up to what the currency can pay: 1.005 NGN is 1.01 (kobo), 1.5 JPY is 2."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def minor_unit(currency: str) -> Decimal:
    """The smallest amount that is kept: of currencies with three decimals the second, as providers do."""
    return Decimal(1).scaleb(-min(MOST_DECIMALS, get_currency_precision(currency)))


def format_money(amount: Decimal, currency: str, locale: str = "en_NG") -> str:
    """An amount as people write it there: `₦5,500.00`."""
    return str(format_currency(amount, currency, locale=locale))
