"""Money: Decimal amounts in the currency's minor unit, never floats."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, get_currency_precision


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half up to what the currency can pay: 1.005 NGN is 1.01 (kobo), 1.5 JPY is 2."""
    minor_unit = Decimal(1).scaleb(-get_currency_precision(currency))
    return amount.quantize(minor_unit, rounding=ROUND_HALF_UP)


def format_money(amount: Decimal, currency: str, locale: str = "en_NG") -> str:
    """An amount as people write it there: `₦5,500.00`."""
    return str(format_currency(amount, currency, locale=locale))
