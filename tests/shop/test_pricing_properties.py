"""Totals under any order that can be made: every part is whole minor units, and the parts are the whole."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import permutations
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.pricing import (
    DiscountTerms,
    PricedLine,
    TaxRates,
    Totals,
    discount_amount,
    line_total,
    order_totals,
    unit_price,
)

# Of the dinar's three decimals two are kept: it is what the money columns hold.
DIGITS = {"NGN": 2, "JPY": 0, "KWD": 2}
CLASSES = ("standard", "reduced", "exempt", "luxury")
RATES = st.decimals(min_value=0, max_value=1, places=4)


@dataclass(frozen=True)
class Basket:
    """Something to price."""

    currency: str
    lines: tuple[PricedLine, ...]
    rates: TaxRates
    discount: DiscountTerms | None
    fee: Decimal

    @property
    def unit(self) -> Decimal:
        """The smallest coin."""
        return Decimal(1).scaleb(-DIGITS[self.currency])

    def of_class(self, tax_class: str) -> Decimal:
        return sum((line.total for line in self.lines if line.tax_class == tax_class), Decimal(0))

    def priced(self) -> Totals:
        return order_totals(self.lines, self.rates, self.currency, self.discount, self.fee)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    currency = draw(st.sampled_from(sorted(DIGITS)))
    amounts = st.decimals(min_value=0, max_value=9_999_999, places=DIGITS[currency])
    lines = draw(st.lists(st.builds(PricedLine, amounts, st.sampled_from(CLASSES)), max_size=12))
    rates = TaxRates(draw(RATES), draw(st.dictionaries(st.sampled_from(CLASSES[1:]), RATES)))
    discount = draw(
        st.none()
        | st.builds(lambda amount: DiscountTerms("CODE", amount=amount), amounts)
        | st.builds(lambda percent: DiscountTerms("CODE", percent=percent), st.decimals(0, 100, places=2))
    )
    return Basket(currency, tuple(lines), rates, discount, draw(amounts))


def half_up(amount: Fraction, currency: str) -> Decimal:
    """Rounding done another way: in whole numbers."""
    return Decimal(floor(amount * 10 ** DIGITS[currency] + Fraction(1, 2))).scaleb(-DIGITS[currency])


@given(baskets())
def test_the_parts_are_the_whole(basket):
    totals = basket.priced()
    assert totals.total == totals.items - totals.discount + totals.tax + totals.delivery_fee
    assert totals.tax == sum(tax.amount for tax in totals.taxes)
    assert sum(tax.base for tax in totals.taxes) == totals.items - totals.discount
    assert totals.items == sum(line.total for line in basket.lines)
    assert totals.delivery_fee == basket.fee


@given(baskets())
def test_nothing_is_negative_and_no_code_takes_off_more_than_there_is(basket):
    totals = basket.priced()
    assert 0 <= totals.discount <= totals.items
    assert totals.total >= totals.delivery_fee
    assert all(tax.amount >= 0 and tax.base >= 0 for tax in totals.taxes)


@given(baskets())
def test_every_amount_can_be_paid_in_coins(basket):
    totals = basket.priced()
    parts = [totals.items, totals.discount, totals.tax, totals.delivery_fee, totals.total]
    parts += [amount for tax in totals.taxes for amount in (tax.base, tax.amount)]
    assert all(part % basket.unit == 0 for part in parts)


@given(baskets(), st.randoms(use_true_random=False))
def test_the_order_in_which_lines_were_added_does_not_matter(basket, random):
    shuffled = list(basket.lines)
    random.shuffle(shuffled)
    again = order_totals(shuffled, basket.rates, basket.currency, basket.discount, basket.fee)
    assert again == basket.priced()


def test_a_share_that_cannot_be_split_evenly_falls_the_same_way_in_every_order():
    """One kobo off three equal classes: somebody has to have it, always the same."""
    lines = [PricedLine(Decimal("1.00"), tax_class) for tax_class in CLASSES[:3]]
    off = DiscountTerms("KOBO", amount=Decimal("0.01"))
    seen = {order_totals(order, TaxRates(Decimal("0.5")), "NGN", off).taxes for order in permutations(lines)}
    (taxes,) = seen
    assert [(tax.tax_class, tax.base) for tax in taxes] == [
        ("exempt", Decimal("0.99")),
        ("reduced", Decimal("1.00")),
        ("standard", Decimal("1.00")),
    ]


@given(baskets())
def test_the_tax_of_a_class_is_its_base_times_its_rate_rounded_once_half_up(basket):
    for tax in basket.priced().taxes:
        assert tax.rate == basket.rates.of(tax.tax_class)
        assert tax.amount == half_up(Fraction(tax.base) * Fraction(tax.rate), basket.currency)


@given(baskets())
def test_each_class_bears_its_share_of_the_discount(basket):
    totals = basket.priced()
    for tax in totals.taxes:
        items = basket.of_class(tax.tax_class)
        share = items - tax.base
        assert 0 <= share <= items
        assert share % basket.unit == 0
        if totals.items:
            exact = Fraction(totals.discount) * Fraction(items) / Fraction(totals.items)
            assert abs(Fraction(share) - exact) < Fraction(basket.unit), "at most a coin from the exact one"


@given(baskets())
def test_one_tax_line_for_each_class_and_every_class_in_it(basket):
    classes = [tax.tax_class for tax in basket.priced().taxes]
    assert classes == sorted({line.tax_class for line in basket.lines})


@given(baskets(), st.decimals(0, 100, places=2))
def test_a_percentage_is_rounded_once_half_up(basket, percent):
    items = basket.priced().items
    off = discount_amount(items, DiscountTerms("CODE", percent=percent), basket.currency)
    assert off == half_up(Fraction(items) * Fraction(percent) / 100, basket.currency)


@pytest.mark.parametrize(
    ("currency", "items", "rate", "tax"),
    [
        ("NGN", "0.07", "0.075", "0.01"),  # 0.00525
        ("NGN", "0.20", "0.075", "0.02"),  # 0.015, exactly half
        ("NGN", "0.19", "0.075", "0.01"),  # 0.01425
        ("JPY", "5", "0.1", "1"),  # 0.5, exactly half
        ("JPY", "4", "0.1", "0"),
        ("JPY", "25", "0.1", "3"),  # 2.5: up, and not to the even 2
        ("KWD", "0.10", "0.05", "0.01"),  # 0.005
        ("KWD", "1.23", "0.05", "0.06"),  # 0.0615
    ],
)
def test_a_half_goes_up(currency, items, rate, tax):
    totals = order_totals([PricedLine(Decimal(items))], TaxRates(Decimal(rate)), currency)
    assert totals.tax == Decimal(tax)
    assert totals.total == Decimal(items) + Decimal(tax)


def test_tax_is_rounded_per_class_and_not_per_line_or_over_all():
    """Three lines of 0.20 at 7.5 %: 0.045 together, 0.06 if each were rounded by itself."""
    lines = [PricedLine(Decimal("0.20"))] * 3
    rates = TaxRates(Decimal("0.075"), {"reduced": Decimal("0.075")})
    assert order_totals(lines, rates, "NGN").tax == Decimal("0.05")
    split = [*lines[:2], PricedLine(Decimal("0.20"), "reduced")]
    assert [tax.amount for tax in order_totals(split, rates, "NGN").taxes] == [
        Decimal("0.02"),
        Decimal("0.03"),
    ]


@pytest.mark.parametrize(
    ("terms", "off"),
    [
        (DiscountTerms("CODE", amount=Decimal("99999.00")), "10.00"),
        (DiscountTerms("CODE", amount=Decimal("10.00")), "10.00"),
        (DiscountTerms("CODE", amount=Decimal("9.99")), "9.99"),
        (DiscountTerms("CODE", percent=Decimal(100)), "10.00"),
        (DiscountTerms("CODE", percent=Decimal("33.33")), "3.33"),
        (DiscountTerms("CODE", amount=Decimal("-5.00")), "0.00"),
        (DiscountTerms("CODE"), "0.00"),
        (None, "0.00"),
    ],
)
def test_a_code_takes_off_at_most_all_and_never_adds(terms, off):
    assert discount_amount(Decimal("10.00"), terms, "NGN") == Decimal(off)
    totals = order_totals([PricedLine(Decimal("10.00"))], TaxRates(Decimal(1)), "NGN", terms, Decimal(3))
    assert totals.total == 2 * (10 - Decimal(off)) + 3


def test_a_code_on_nothing_takes_nothing_off():
    totals = order_totals([], TaxRates(Decimal("0.1")), "NGN", DiscountTerms("CODE", amount=Decimal(5)))
    assert (totals.discount, totals.total, totals.taxes) == (0, 0, ())


def test_the_delivery_fee_is_not_taxed_nor_discounted():
    half = DiscountTerms("HALF", percent=Decimal(50))
    lines = [PricedLine(Decimal("100.00"))]
    totals = order_totals(lines, TaxRates(Decimal("0.1")), "NGN", half, Decimal("20.00"))
    assert (totals.tax, totals.delivery_fee, totals.total) == (5, 20, 75)


def test_a_class_without_a_rate_of_its_own_has_the_standard_one():
    rates = TaxRates(Decimal("0.2"), {"reduced": Decimal("0.05"), "exempt": Decimal(0)})
    assert [rates.of(tax_class) for tax_class in CLASSES] == [
        Decimal("0.2"),
        Decimal("0.05"),
        0,
        Decimal("0.2"),
    ]


@given(
    st.decimals(0, 99_999, places=2),
    st.lists(st.decimals(-99_999, 99_999, places=2), max_size=5),
    st.integers(1, 100),
)
def test_the_price_of_a_unit_is_never_negative(price, differences, quantity):
    paid = unit_price(price, differences)
    assert paid >= 0
    assert paid == max(0, price + sum(differences))
    assert line_total(paid, quantity) == sum([paid] * quantity)


@given(st.lists(st.decimals(0, 99_999, places=2), min_size=1, max_size=6), st.decimals(0, 100, places=2))
def test_prices_finer_than_the_currency_still_make_a_whole(amounts, percent):
    """The products table keeps two decimals, whatever the shop's currency can pay."""
    terms = DiscountTerms("CODE", percent=percent)
    lines = [PricedLine(amount, tax_class) for amount, tax_class in zip(amounts, CLASSES * 2, strict=False)]
    totals = order_totals(lines, TaxRates(Decimal("0.1")), "JPY", terms, Decimal("0.50"))
    assert totals.items == sum(amounts).quantize(Decimal(1), ROUND_HALF_UP)
    assert totals.total == totals.items - totals.discount + totals.tax + totals.delivery_fee
    assert totals.total % 1 == 0
    assert totals.tax == sum(tax.amount for tax in totals.taxes)
