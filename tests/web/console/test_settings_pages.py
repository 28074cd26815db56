"""Opening hours and discount codes, as the owner sets them and customers find them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from db.models import Discount
from shop import cart, checkout, discount_desk, discounts, fulfilment, opening_hours
from shop.errors import ClosedForGood, ShopClosed, UnknownDiscount
from shop.service import Shop


@pytest.fixture
def opening(shop, customer):
    """Whether the shop is open, as a customer is told."""
    return lambda: shop.run(lambda work: fulfilment.opening(work, customer))


class TestHours:
    def test_hours_that_are_set_hold_for_the_next_customer(
        self, signed_in, shop, customer, test_burger, clock, opening
    ):
        browser = signed_in("owner", "Boss")
        assert opening().is_open, "the setting: always"
        browser.told(browser.post("/hours", notation="Mo-Sa 09:00-11:00"))
        clock.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 1))
        assert not opening().is_open
        with pytest.raises(ShopClosed) as refused:
            shop.run(lambda work: checkout.place(work, customer, "sandbox"))
        assert refused.value.values["opens_at"] == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
        assert "Mo-Sa 09:00-11:00" in browser.get("/hours").text
        assert "opening hours set" in browser.get("/record").text
        browser.told(browser.post("/hours", notation="", key="2"))
        assert opening().is_open, "empty: always, whatever the setting says"

    def test_closed_today_is_over_at_midnight(self, shop, opening, clock):
        shop.run(lambda work: opening_hours.close_today(work, "Ada", True))
        told = opening()
        assert (told.is_open, told.changes_at) == (False, datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
        clock.pass_minutes(11 * 60 + 1)
        assert opening().is_open

    def test_closed_today_can_be_taken_back(self, signed_in, opening, clock):
        clock.now = datetime.now(UTC)
        browser = signed_in("owner")
        assert browser.told(browser.post("/hours/today", closed="yes", key="1")) == "Closed for today."
        assert not opening().is_open
        assert "Nobody can order for today" in browser.get("/hours").text
        browser.told(browser.post("/hours/today", closed="no", key="2"))
        assert opening().is_open

    def test_closed_today_holds_with_hours_of_the_setting_too(self, shop, customer, clock):
        policy = replace(shop.policy, opening_hours="Mo-Su 09:00-21:00")
        set_shop = Shop(shop.sessions, policy, shop.flags, shop.providers, clock)
        set_shop.run(lambda work: opening_hours.close_today(work, "Ada", True))
        told = set_shop.run(lambda work: fulfilment.opening(work, customer))
        assert (told.is_open, told.changes_at) == (False, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
        current = set_shop.run(opening_hours.current)
        assert current.notation == "Mo-Su 09:00-21:00" and current.from_setting and current.closed_today

    def test_a_week_is_set_day_by_day(self, signed_in):
        browser = signed_in("owner")
        week = dict.fromkeys(("Mo", "Tu", "We", "Th", "Fr"), "9:00-17:00")
        browser.told(browser.post("/hours/week", **week, Sa="10:00-2:00", key="1"))
        page = browser.get("/hours").text
        assert "Mo-Fr 09:00-17:00; Sa 10:00-02:00" in page and 'name="Sa" value="10:00-02:00"' in page
        assert "Monday: write hours" in browser.told(browser.post("/hours/week", Mo="nine", key="2"))
        assert "Every day is empty" in browser.told(browser.post("/hours/week", key="3"))
        browser.told(browser.post("/hours", notation="Mo-Fr 09:00-17:00; Dec 25 off", key="4"))
        assert "/hours/week" not in browser.get("/hours").text, "it would lose that day"

    @pytest.mark.parametrize("notation", ["whenever", "Mo-Fr 25:00-26:99", "<script>", "Mo " * 200])
    def test_what_cannot_be_read_is_refused(self, signed_in, opening, notation):
        browser = signed_in("owner")
        assert "cannot be read" in browser.told(browser.post("/hours", notation=notation))
        assert opening().is_open

    def test_never_open_is_possible(self, signed_in, shop, customer, test_burger):
        browser = signed_in("owner")
        browser.told(browser.post("/hours", notation="off"))
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 1))
        with pytest.raises(ClosedForGood):
            shop.run(lambda work: checkout.place(work, customer, "sandbox"))


class TestDiscounts:
    def test_a_code_is_made_used_and_ended(self, signed_in, shop, customer, test_burger):
        browser = signed_in("owner", "Boss")
        fields = {"code": "welcome10", "kind": "percent", "value": "10"}
        assert browser.told(browser.post("/discounts", **fields)) == "WELCOME10 can be used."
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 2))
        found = shop.run(lambda work: discounts.named_in(work, ["welcome10"]))
        page = browser.get("/discounts").text
        assert "WELCOME10" in page and "10 %" in page and "over" not in page
        said = browser.told(browser.post(f"/discounts/{found.id}/end", key="2"))
        assert said == "WELCOME10 cannot be used any more."
        assert ">over<" in browser.get("/discounts").text
        assert {"discount made", "discount ended"} <= set(
            re.findall(r"<td>(discount \w+)</td>", browser.get("/record").text)
        )
        assert "not there" in browser.told(browser.post("/discounts/none/end", key="3"))

    def test_an_ended_code_is_unknown_to_customers(self, shop, clock):
        terms = discount_desk.NewDiscount("TENOFF", "amount", Decimal("1000"))
        shop.run(lambda work: discount_desk.add(work, "Boss", terms))
        row = shop.run(lambda work: discounts.named_in(work, ["tenoff"]))
        shop.run(lambda work: discount_desk.end(work, "Boss", str(row.id)))
        with pytest.raises(UnknownDiscount):
            shop.run(lambda work: discounts.named_in(work, ["tenoff"]))

    def test_the_last_day_is_whole_where_the_shop_is(self, shop, sessions, clock):
        terms = discount_desk.NewDiscount("LAST", "percent", Decimal("5"), last_day="2026-11-22")
        shop.run(lambda work: discount_desk.add(work, "Boss", terms))
        with sessions() as session:
            assert session.query(Discount).one().ends_at == datetime(2026, 11, 22, 23, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"code": "x"}, "3 to 32 letters"),
            ({"code": "12345"}, "a letter among them"),
            ({"code": "<b>abc</b>"}, "3 to 32 letters"),
            ({"value": "0"}, "more than nothing"),
            ({"value": "101"}, "between 0 and 100"),
            ({"value": "ten"}, "write an amount"),
            ({"kind": "gift"}, "Choose a share"),
            ({"most_uses": "0"}, "nobody can use"),
            ({"last_day": "tomorrow"}, "Write the last day"),
            ({"last_day": "2020-01-01"}, "That day is over"),
            ({"last_day": "9999-12-31"}, "too far away"),
        ],
    )
    def test_what_is_refused(self, signed_in, sessions, changed, reason):
        browser = signed_in("owner")
        fields = {"code": "SAVE10", "kind": "percent", "value": "10", **changed}
        assert reason in browser.told(browser.post("/discounts", **fields))
        with sessions() as session:
            assert session.query(Discount).count() == 0

    def test_a_code_is_there_once_in_whatever_case(self, signed_in):
        browser = signed_in("owner")
        fields = {
            "kind": "amount",
            "value": "1,000.00",
            "last_day": str((datetime.now(UTC) + timedelta(9)).date()),
        }
        browser.told(browser.post("/discounts", code="SAVE", key="1", **fields))
        assert "There is a code SAVE" in browser.told(
            browser.post("/discounts", code="save", key="2", **fields)
        )
