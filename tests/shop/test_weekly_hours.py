"""A week of opening hours, from a form to the notation and back."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours, validate

from shop import weekly_hours
from shop.errors import BadInput
from shop.weekly_hours import DAYS

SPANS = st.sampled_from(["", "09:00-21:00", "09:00-12:00, 14:00-20:00", "18:00-02:00", "00:00-24:00"])
WEEKDAYS = dict.fromkeys(("Mo", "Tu", "We", "Th", "Fr"), "9:00-17:00")


@pytest.mark.parametrize(
    ("week", "notation"),
    [
        (WEEKDAYS, "Mo-Fr 09:00-17:00"),
        ({**WEEKDAYS, "Sa": "10.00 – 14.00"}, "Mo-Fr 09:00-17:00; Sa 10:00-14:00"),
        ({**WEEKDAYS, "We": ""}, "Mo-Tu 09:00-17:00; Th-Fr 09:00-17:00"),
        ({"Fr": "9:00-12:00,14:00-20:00"}, "Fr 09:00-12:00,14:00-20:00"),
        ({"Fr": "18:00-2:00"}, "Fr 18:00-02:00"),
        ({}, "off"),
    ],
)
def test_a_week_is_written(week, notation):
    assert weekly_hours.written(week) == notation and validate(notation)


@given(st.fixed_dictionaries(dict.fromkeys(DAYS, SPANS)))
def test_what_is_written_is_read_again_and_means_the_same(week):
    notation = weekly_hours.written(week)
    assert weekly_hours.read(notation) == week
    hours = OpeningHours(notation, timezone=ZoneInfo("UTC"))
    for number, day in enumerate(DAYS):
        noon = datetime(2026, 11, 23 + number, 11, 0, tzinfo=ZoneInfo("UTC"))
        assert hours.is_open(noon) is (week[day][:2] in ("09", "00"))


@pytest.mark.parametrize(
    "typed", ["nine to five", "9-17", "25:00-26:00", "9:00-24:30", "9:00", "<b>", "9:00-17:00 14:00"]
)
def test_what_are_no_hours(typed):
    with pytest.raises(BadInput) as refused:
        weekly_hours.written({"Tu": typed})
    assert refused.value.values["reason"].startswith("Tuesday: write hours")


@pytest.mark.parametrize(
    "notation",
    [
        "",
        "Mo-Fr 09:00-17:00; Dec 25 off",
        "24/7",
        "Fr-Mo 09:00-17:00",
        "PH off",
        "Xx 09:00-17:00",
        "week 1 off",
    ],
)
def test_what_says_more_than_a_week_is_left_to_the_notation(notation):
    assert weekly_hours.read(notation) is None
