"""What is kept while it is asked which product is meant."""

from __future__ import annotations

import pytest

from actions.kept_wish import KeptWish
from shop.cart_lines import WantedLine

PICKED = WantedLine(("burger",), "Burger", None)
TWO = KeptWish("1", others=(KeptWish("1", removals=("onions",)),))


@pytest.mark.parametrize("wish", [KeptWish(), KeptWish("2", ("Size:large",), ("onions",), True), TWO])
def test_its_slot_holds_all_of_it(wish: KeptWish) -> None:
    assert KeptWish.from_slot(wish.as_slot()) == wish


def test_what_was_kept_before_others_could_be_is_read_too() -> None:
    slot = {"quantity": "2", "options": [], "removals": [], "checks_out": False}
    assert KeptWish.from_slot(slot) == KeptWish("2")


def test_units_that_are_wanted_otherwise_are_lines_of_their_own() -> None:
    plain, without = TWO.lines_of(PICKED)
    assert (plain.quantity, plain.removals) == ("1", ())
    assert (without.quantity, without.removals) == ("1", ("onions",))


def test_who_says_how_many_while_picking_means_no_others() -> None:
    (line,) = TWO.lines_of(WantedLine(("burger",), "Burger", "4"))
    assert (line.quantity, line.removals) == ("4", ())


@pytest.mark.parametrize(("count", "plain"), [("3", "2"), ("1", "1"), ("2", "1")])
def test_a_new_count_is_for_all_of_them(count: str, plain: str) -> None:
    assert TWO.counted(count).quantity == plain
    assert TWO.counted(count).others == TWO.others
