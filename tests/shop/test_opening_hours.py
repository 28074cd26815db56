"""Opening hours: read where the shop is, whatever the time is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from settings import Settings, ShopSettings
from shop import opening_hours
from shop.errors import ClosedForGood, ShopClosed


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A time of 2026; 22 November is a Sunday."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def hours(settings: Settings) -> Callable[..., ShopSettings]:
    """A shop with these hours, in Lagos (UTC+1) unless told otherwise."""

    def hours(notation: str | None, timezone: str = "Africa/Lagos") -> ShopSettings:
        return replace(settings.shop, opening_hours=notation, timezone=timezone)

    return hours


@pytest.mark.parametrize("notation", [None, "24/7", "Mo-Su 00:00-24:00"])
def test_a_shop_that_is_always_open_never_changes(hours, notation):
    policy = hours(notation)
    for at in (utc(22, 12), utc(22, 23, 30), utc(25, 3, month=12)):
        assert opening_hours.is_open(policy, at)
        assert opening_hours.next_change(policy, at) is None
        opening_hours.require_open(policy, at)


@pytest.mark.parametrize(
    ("at", "is_open", "changes_at"),
    [
        (utc(23, 7, 59), False, utc(23, 8)),  # 08:59 in Lagos
        (utc(23, 8), True, utc(23, 20)),
        (utc(23, 19, 59), True, utc(23, 20)),
        (utc(23, 20), False, utc(24, 8)),
        (utc(27, 21), False, utc(30, 8)),  # Friday evening until Monday morning
        (utc(22, 12), False, utc(23, 8)),  # Sunday
        (utc(22, 23, 30), False, utc(23, 8)),  # Monday already in Lagos
    ],
)
def test_hours_are_read_in_the_shops_own_time_zone(hours, at, is_open, changes_at):
    policy = hours("Mo-Fr 09:00-21:00")
    assert opening_hours.is_open(policy, at) is is_open
    assert opening_hours.next_change(policy, at) == changes_at
    if is_open:
        opening_hours.require_open(policy, at)
    else:
        with pytest.raises(ShopClosed) as refusal:
            opening_hours.require_open(policy, at)
        assert refusal.value.values == {"opens_at": changes_at}
        assert refusal.value.values["opens_at"].tzinfo == UTC


def test_the_day_changes_at_the_shops_midnight_and_not_at_that_of_utc(hours):
    """Open on Mondays only. In Lagos, Monday begins an hour before it does in UTC."""
    lagos, utc_shop = hours("Mo 00:00-24:00"), hours("Mo 00:00-24:00", "UTC")
    for at, in_lagos, in_utc in (
        (utc(22, 22, 59), False, False),
        (utc(22, 23), True, False),
        (utc(23, 0), True, True),
        (utc(23, 22, 59), True, True),
        (utc(23, 23), False, True),
        (utc(24, 0), False, False),
    ):
        assert opening_hours.is_open(lagos, at) is in_lagos
        assert opening_hours.is_open(utc_shop, at) is in_utc


def test_any_utc_time_may_be_asked_about_in_any_zone(hours):
    policy = hours("Mo-Fr 09:00-21:00")
    at = datetime.fromisoformat("2026-11-23T17:00:00+09:00")  # 08:00 UTC
    assert opening_hours.is_open(policy, at)
    assert opening_hours.next_change(policy, at) == utc(23, 20)


@pytest.mark.parametrize(
    ("at", "is_open", "changes_at"),
    [
        (utc(27, 16, 59), False, utc(27, 17)),  # Friday, 17:59 in Lagos
        (utc(27, 17), True, utc(28, 1)),
        (utc(27, 23, 30), True, utc(28, 1)),  # 00:30 on Saturday
        (utc(28, 1), False, utc(28, 17)),  # 02:00 on Saturday
        (utc(29, 0, 30), True, utc(29, 1)),  # 01:30 on Sunday, of Saturday's night
        (utc(29, 17), False, utc(27 + 7 - 30, 17, month=12)),  # no Sunday night
    ],
)
def test_a_night_belongs_to_the_day_it_began_on(hours, at, is_open, changes_at):
    policy = hours("Fr-Sa 18:00-02:00")
    assert opening_hours.is_open(policy, at) is is_open
    assert opening_hours.next_change(policy, at) == changes_at


@pytest.mark.parametrize("notation", ["off", "2020 Jan 01 10:00-12:00"])
def test_a_shop_that_never_opens_again_says_so(hours, notation):
    policy = hours(notation)
    assert not opening_hours.is_open(policy, utc(23, 12))
    assert opening_hours.next_change(policy, utc(23, 12)) is None
    with pytest.raises(ClosedForGood):
        opening_hours.require_open(policy, utc(23, 12))


def test_a_holiday_is_closed(hours):
    policy = hours("Mo-Su 09:00-21:00; Dec 25 off")
    assert opening_hours.is_open(policy, utc(24, 12, month=12))
    assert not opening_hours.is_open(policy, utc(25, 12, month=12))
    assert opening_hours.next_change(policy, utc(24, 20, month=12)) == utc(26, 8, month=12)


def test_summer_time_moves_the_hours(hours):
    """Clocks in Paris go back in the night to 25 October: 09:00 is 07:00 UTC before, 08:00 UTC after."""
    policy = hours("Mo-Su 09:00-21:00", "Europe/Paris")
    assert opening_hours.next_change(policy, utc(24, 0, month=10)) == utc(24, 7, month=10)
    assert opening_hours.next_change(policy, utc(25, 0, month=10)) == utc(25, 8, month=10)
    assert not opening_hours.is_open(policy, utc(25, 7, 30, month=10))
