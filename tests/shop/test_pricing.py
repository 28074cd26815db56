"""Totals: the parts make the whole, to the kobo."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shop.pricing import order_totals

AMOUNTS = st.decimals(min_value=0, max_value=10_000_000, places=2)
RATES = st.decimals(min_value=0, max_value=1, places=4)


def test_tax_is_added_on_top_and_rounded_half_up():
    totals = order_totals([Decimal("5500.00"), Decimal("0.07")], Decimal("0.075"), "NGN")
    assert (totals.items, totals.tax, totals.total) == (
        Decimal("5500.07"),
        Decimal("412.51"),
        Decimal("5912.58"),
    )


def test_an_empty_order_costs_nothing():
    assert order_totals([], Decimal("0.075"), "NGN").total == 0


@given(st.lists(AMOUNTS, max_size=20), RATES)
def test_the_parts_sum_to_the_total_and_nothing_is_negative(amounts, rate):
    totals = order_totals(amounts, rate, "NGN")
    assert totals.items == sum(amounts)
    assert totals.total == totals.items + totals.tax
    assert totals.tax >= 0


@given(st.lists(AMOUNTS, max_size=20), RATES, st.randoms())
def test_the_order_of_lines_does_not_matter(amounts, rate, random):
    shuffled = list(amounts)
    random.shuffle(shuffled)
    assert order_totals(amounts, rate, "NGN") == order_totals(shuffled, rate, "NGN")
