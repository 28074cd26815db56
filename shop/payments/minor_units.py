"""Amounts as whole numbers, the way payment providers count them: 19.99 USD is 1999, 500 JPY is 500.

Stripe's own lists (Stripe docs, Supported currencies: zero-decimal, three-decimal, special cases) and not
Babel's digits: CLDR counts RSD, ALL, LBP and others without decimals, Stripe counts them with two.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
WHOLE_BUT_SENT_WITH_TWO = frozenset("ISK UGX".split())


def to_minor_units(amount: Decimal, currency: str) -> int:
    """An amount as the provider counts it.

    Three-decimal currencies are rounded half up to the nearest ten, as Stripe asks: 5.125 KWD is 5130.

    Raises:
        ValueError: if the amount is negative or finer than the currency; something else than was asked
            is never charged.
    """
    if not amount.is_finite() or amount < 0:
        raise ValueError("not an amount of money")
    scaled = amount.scaleb(_digits(currency))
    step = 100 if currency.upper() in WHOLE_BUT_SENT_WITH_TWO else 1
    if scaled % step != 0:
        raise ValueError("finer than the currency's minor unit")
    if currency.upper() in THREE_DECIMAL:
        scaled = (scaled / 10).quantize(Decimal(1), rounding=ROUND_HALF_UP) * 10
    return int(scaled)


def from_minor_units(number: int, currency: str) -> Decimal:
    """The amount that a provider's whole number stands for."""
    return Decimal(number).scaleb(-_digits(currency))


def _digits(currency: str) -> int:
    if currency.upper() in ZERO_DECIMAL:
        return 0
    return 3 if currency.upper() in THREE_DECIMAL else 2
