"""Whole numbers for providers: nothing is lost, and nothing else than was asked is charged."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.payments.minor_units import from_minor_units, to_minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "number"),
    [
        ("19.99", "NGN", 1999),
        ("11825.00", "NGN", 1182500),
        ("0.07", "usd", 7),
        ("500", "JPY", 500),
        ("5000", "XOF", 5000),
        ("5", "ISK", 500),
        ("5", "UGX", 500),
        ("5.120", "KWD", 5120),
        ("1200", "RSD", 120000),
        ("89500", "LBP", 8950000),
        ("10.5", "HUF", 1050),
        ("800", "TWD", 80000),
        ("0", "NGN", 0),
    ],
)
def test_amounts_as_stripe_documents_them(amount, currency, number):
    assert to_minor_units(Decimal(amount), currency) == number
    assert from_minor_units(number, currency) == Decimal(amount)


@pytest.mark.parametrize(("amount", "number"), [("5.124", 5120), ("5.125", 5130), ("5.126", 5130)])
def test_three_decimals_are_rounded_to_tens(amount, number):
    assert to_minor_units(Decimal(amount), "KWD") == number


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("19.999", "NGN"),
        ("0.5", "JPY"),
        ("5.5", "ISK"),
        ("5.01", "UGX"),
        ("5.1234", "KWD"),
        ("-1", "NGN"),
        ("NaN", "NGN"),
        ("Infinity", "NGN"),
    ],
)
def test_what_the_currency_cannot_pay_is_never_charged(amount, currency):
    with pytest.raises(ValueError):
        to_minor_units(Decimal(amount), currency)


@given(
    st.integers(0, 10**12), st.sampled_from("NGN USD GHS JPY XOF KRW ISK UGX KWD BHD TND RSD HUF MGA".split())
)
def test_there_and_back_again_loses_nothing(units, currency):
    step = {"ISK": 100, "UGX": 100, "KWD": 10, "BHD": 10, "TND": 10}.get(currency, 1)
    amount = from_minor_units(units * step, currency)
    assert isinstance(amount, Decimal)
    assert to_minor_units(amount, currency) == units * step
