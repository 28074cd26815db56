"""The one place where totals are made.

Order of calculation: line totals (unit price x quantity), their sum, tax on the sum once per order
(added on top, rounded half up to the minor unit), total = items + tax.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from shop.money import round_to_minor_unit


@dataclass(frozen=True)
class Totals:
    """What an order costs; `total` is exactly `items` + `tax`."""

    items: Decimal
    tax: Decimal
    total: Decimal


def line_total(unit_price: Decimal, quantity: int) -> Decimal:
    """The price of one line."""
    return unit_price * quantity


def order_totals(line_totals: Iterable[Decimal], tax_rate: Decimal, currency: str) -> Totals:
    """Totals of an order.

    Args:
        line_totals: one amount per line, in major units.
        tax_rate: a fraction; 0.075 adds 7.5 %.
        currency: ISO 4217 code; decides the rounding.
    """
    items = round_to_minor_unit(sum(line_totals, Decimal(0)), currency)
    tax = round_to_minor_unit(items * tax_rate, currency)
    return Totals(items=items, tax=tax, total=items + tax)
