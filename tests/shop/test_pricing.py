"""Totals: the parts make the whole, to the kobo."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shop.pricing import PricedLine, TaxLine, TaxRates, order_totals

AMOUNTS = st.decimals(min_value=0, max_value=10_000_000, places=2)
RATES = st.decimals(min_value=0, max_value=1, places=4)
CLASSES = st.sampled_from(["standard", "reduced", "exempt"])
LINES = st.lists(st.builds(PricedLine, AMOUNTS, CLASSES), max_size=20)
TAXES = st.builds(lambda standard, reduced: TaxRates(standard, {"reduced": reduced}), RATES, RATES)


def test_tax_is_added_on_top_and_rounded_half_up():
    lines = [PricedLine(Decimal("5500.00")), PricedLine(Decimal("0.07"))]
    totals = order_totals(lines, TaxRates(Decimal("0.075")), "NGN")
    assert (totals.items, totals.tax, totals.total) == (
        Decimal("5500.07"),
        Decimal("412.51"),
        Decimal("5912.58"),
    )
    assert (totals.discount, totals.delivery_fee) == (0, 0)
    (tax,) = totals.taxes
    assert tax == TaxLine("standard", Decimal("0.075"), Decimal("5500.07"), Decimal("412.51"))


def test_an_empty_order_costs_nothing():
    totals = order_totals([], TaxRates(Decimal("0.075")), "NGN")
    assert (totals.total, totals.taxes) == (0, ())


@given(LINES, TAXES)
def test_the_parts_sum_to_the_total_and_nothing_is_negative(lines, rates):
    totals = order_totals(lines, rates, "NGN")
    assert totals.items == sum(line.total for line in lines)
    assert totals.total == totals.items + totals.tax
    assert totals.tax == sum(line.amount for line in totals.taxes)
    assert all(line.amount >= 0 for line in totals.taxes)


@given(LINES, TAXES, st.randoms())
def test_the_order_of_lines_does_not_matter(lines, rates, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert order_totals(lines, rates, "NGN") == order_totals(shuffled, rates, "NGN")
