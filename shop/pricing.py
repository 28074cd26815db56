"""The one place where totals are made.

Order of calculation:

1. line totals: unit price (product + options) x quantity
2. items: their sum
3. discount by code: a share of the items, or an amount, never more than the items
4. tax, on top, once per tax class: on the class's items less its share of the discount
5. delivery fee, untaxed
6. total = items - discount + tax + delivery fee

Each of items, discount and the tax of a class is rounded once, half up, to the currency's minor unit, so
the parts sum to the total exactly, in whatever order the lines were added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from shop.money import minor_unit, round_to_minor_unit

STANDARD = "standard"
ZERO = Decimal(0)


@dataclass(frozen=True)
class TaxRates:
    """Rates by tax class, as fractions: 0.075 adds 7.5 %. A class that is not named has the standard's."""

    standard: Decimal
    others: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, tax_class: str) -> Decimal:
        """The rate of a class."""
        return self.others.get(tax_class, self.standard)


@dataclass(frozen=True)
class PricedLine:
    """What one line costs before discount and tax."""

    total: Decimal
    tax_class: str = STANDARD


@dataclass(frozen=True)
class DiscountTerms:
    """What a code takes off: `percent` of the items, or `amount`; exactly one of them is given."""

    code: str
    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class TaxLine:
    """The tax of one class; `base` is what it was taken of."""

    tax_class: str
    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Totals:
    """What an order costs; `total` is exactly `items` - `discount` + `tax` + `delivery_fee`."""

    items: Decimal
    discount: Decimal
    tax: Decimal
    delivery_fee: Decimal
    total: Decimal
    taxes: tuple[TaxLine, ...] = ()


def unit_price(price: Decimal, differences: Iterable[Decimal]) -> Decimal:
    """The price of one unit with its options; no option makes it less than nothing."""
    return max(ZERO, price + sum(differences, ZERO))


def line_total(price_of_unit: Decimal, quantity: int) -> Decimal:
    """The price of one line."""
    return price_of_unit * quantity


def order_totals(
    lines: Iterable[PricedLine],
    rates: TaxRates,
    currency: str,
    discount: DiscountTerms | None = None,
    delivery_fee: Decimal = ZERO,
) -> Totals:
    """Totals of an order.

    Args:
        lines: amounts in major units.
        rates: of the tax classes.
        currency: ISO 4217 code; decides the rounding.
        discount: the code that was named, if it holds.
        delivery_fee: in major units; zero for a pickup.
    """
    by_class: dict[str, Decimal] = {}
    for line in lines:
        by_class[line.tax_class] = by_class.get(line.tax_class, ZERO) + line.total
    items = round_to_minor_unit(sum(by_class.values(), ZERO), currency)
    off = discount_amount(items, discount, currency)
    shares = _shares(off, by_class, currency)
    taxes = tuple(
        _tax(tax_class, rates.of(tax_class), by_class[tax_class] - shares[tax_class], currency)
        for tax_class in sorted(by_class)
    )
    tax = sum((line.amount for line in taxes), ZERO)
    fee = round_to_minor_unit(delivery_fee, currency)
    return Totals(items, off, tax, fee, items - off + tax + fee, taxes)


def discount_amount(items: Decimal, discount: DiscountTerms | None, currency: str) -> Decimal:
    """What a code takes off these items."""
    if discount is None:
        return round_to_minor_unit(ZERO, currency)
    off = discount.amount if discount.percent is None else items * discount.percent / 100
    return min(items, round_to_minor_unit(max(ZERO, off or ZERO), currency))


def _tax(tax_class: str, rate: Decimal, base: Decimal, currency: str) -> TaxLine:
    return TaxLine(tax_class, rate, base, round_to_minor_unit(base * rate, currency))


def _shares(off: Decimal, by_class: Mapping[str, Decimal], currency: str) -> dict[str, Decimal]:
    """The discount divided among the classes in proportion, in whole minor units that sum to it.

    What rounding down leaves over goes to the largest remainders; names break a tie, so that the order
    of the lines cannot matter.
    """
    items = sum(by_class.values(), ZERO)
    if not off or not items:
        return dict.fromkeys(by_class, ZERO)
    unit = minor_unit(currency)
    exact = {name: off * amount / items for name, amount in by_class.items()}
    shares = {name: share.quantize(unit, rounding=ROUND_DOWN) for name, share in exact.items()}
    left = int((off - sum(shares.values(), ZERO)) / unit)
    for name in sorted(exact, key=lambda name: (shares[name] - exact[name], name))[:left]:
        shares[name] += unit
    return shares
