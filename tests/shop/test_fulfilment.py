"""Pickup or delivery, now or ahead: what is possible, what it costs, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.models import Fulfilment, Order
from shop import cart, checkout, fulfilment
from shop.cart_view import CartView
from shop.errors import (
    AddressTooShort,
    ClosedForGood,
    DeliveryNeedsMore,
    NoDelivery,
    ShopClosed,
    TimeNotUnderstood,
)
from shop.service import Shop

ADDRESS = "12 Allen Avenue, Ikeja"
HOURS = "Mo-Sa 09:00-21:00"

Ask = Callable[..., Any]


@pytest.fixture
def asking(shop, clock, customer) -> Callable[..., Ask]:
    """Asks a shop of other policies as `Test Customer`."""

    def asking(**policy: Any) -> Ask:
        other = Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, shop.providers, clock)
        return lambda operation, *args: other.run(lambda work: operation(work, customer, *args))

    return asking


@pytest.fixture
def delivering(asking) -> Ask:
    """A shop that delivers from 5000.00 on, for 750.00."""
    return asking(delivery_fee=Decimal("750.00"), delivery_minimum=Decimal("5000.00"))


@pytest.fixture
def burger(test_burger) -> str:
    return str(test_burger.id)


def reaches(view: CartView) -> tuple[str, str | None]:
    return view.fulfilment, view.delivery_address


class TestPickupAndDelivery:
    def test_an_order_is_picked_up_unless_it_is_to_be_brought(self, delivering, burger):
        shown = delivering(cart.add, burger, 2).cart
        assert reaches(shown) == ("pickup", None)
        assert (shown.totals.delivery_fee, shown.totals.total) == (0, Decimal("11825.00"))

    def test_the_fee_is_added_after_the_tax(self, delivering, burger, sessions):
        delivering(cart.add, burger, 2)
        shown = delivering(fulfilment.choose_delivery, ADDRESS)
        assert reaches(shown) == ("delivery", ADDRESS)
        assert (shown.totals.tax, shown.totals.delivery_fee, shown.totals.total) == (
            Decimal("825.00"),
            Decimal("750.00"),
            Decimal("12575.00"),
        )
        assert delivering(checkout.review) == shown
        placed = delivering(checkout.place)
        assert placed.cart == shown
        with sessions() as session:
            order = session.query(Order).one()
            assert (order.fulfilment, order.delivery_address) == (Fulfilment.DELIVERY, ADDRESS)
            assert (order.delivery_fee, order.total_amount) == (Decimal("750.00"), Decimal("12575.00"))

    def test_who_comes_after_all_pays_no_fee_and_need_not_repeat_the_address(self, delivering, burger):
        delivering(cart.add, burger, 2)
        delivering(fulfilment.choose_delivery, ADDRESS)
        picked_up = delivering(fulfilment.choose_pickup)
        assert reaches(picked_up) == ("pickup", None)
        assert picked_up.totals.total == Decimal("11825.00")
        assert reaches(delivering(fulfilment.choose_delivery)) == ("delivery", ADDRESS)

    def test_the_address_may_come_before_anything_is_in_the_cart(self, delivering, burger):
        delivering(fulfilment.choose_delivery, ADDRESS)
        assert reaches(delivering(cart.add, burger, 1).cart) == ("delivery", ADDRESS)

    def test_a_free_delivery_is_one(self, asking, burger):
        ask = asking(delivery_fee=Decimal(0))
        ask(cart.add, burger, 1)
        shown = ask(fulfilment.choose_delivery, ADDRESS)
        assert (shown.fulfilment, shown.totals.delivery_fee) == ("delivery", 0)
        assert ask(checkout.place).cart.fulfilment == "delivery"

    def test_a_shop_without_delivery_brings_nothing(self, ask, burger):
        ask(cart.add, burger, 2)
        before = ask(cart.current)
        for address in (None, ADDRESS, "?"):
            with pytest.raises(NoDelivery):
                ask(fulfilment.choose_delivery, address)
        assert ask(cart.current) == before

    def test_a_shop_that_stops_delivering_says_so_before_it_is_ordered(self, delivering, ask, burger):
        delivering(cart.add, burger, 2)
        delivering(fulfilment.choose_delivery, ADDRESS)
        assert ask(cart.current).totals.delivery_fee == 0
        for step in (checkout.review, checkout.place, checkout.confirm):
            with pytest.raises(NoDelivery):
                ask(step)
        ask(fulfilment.choose_pickup)
        assert ask(checkout.place).cart.fulfilment == "pickup"

    def test_small_orders_are_not_brought(self, asking, burger, make_product):
        water = str(make_product(name="Water", price=Decimal("500.00")).id)
        ask = asking(delivery_fee=Decimal("750.00"), delivery_minimum=Decimal("5500.01"))
        ask(cart.add, burger, 1)
        ask(fulfilment.choose_delivery, ADDRESS)
        for step in (checkout.review, checkout.place, checkout.confirm):
            with pytest.raises(DeliveryNeedsMore) as refusal:
                ask(step)
            assert refusal.value.values == {"minimum": Decimal("5500.01"), "currency": "NGN"}
        assert ask(checkout.begin).fulfilment == "delivery", "the checkout may begin; a pickup is possible"
        ask(cart.add, water, 1)
        assert ask(checkout.review).totals.items == Decimal("6000.00")

    def test_where_to_is_asked_before_it_is_ordered(self, delivering, burger):
        delivering(cart.add, burger, 2)
        assert reaches(delivering(fulfilment.choose_delivery)) == ("delivery", None)
        for step in (checkout.review, checkout.place):
            with pytest.raises(AddressTooShort):
                delivering(step)


class TestAddresses:
    @pytest.mark.parametrize(
        ("typed", "address"),
        [
            (ADDRESS, ADDRESS),
            ("  12  Allen\tAvenue\n\nIkeja ", "12 Allen Avenue Ikeja"),
            ("Block A", "Block A"),
            ("北京市朝阳区建国路", "北京市朝阳区建国路"),
            ("12 Ọ̀ṣun", "12 Ọ̀ṣun"),
            ("x" * 400, "x" * 300),
            ("Flat 3" + " " * 500 + "Yaba", "Flat 3 Yaba"),
        ],
    )
    def test_an_address_is_kept_on_one_line(self, delivering, typed, address):
        assert fulfilment.as_address(typed) == address
        assert delivering(fulfilment.choose_delivery, typed).delivery_address == address

    @pytest.mark.parametrize(
        "typed", ["", "   ", "home", "12345", "1234567890", "+234 803 123 4567", "🏠🏠🏠🏠🏠🏠", "a b c"]
    )
    def test_where_nobody_could_be_found_is_no_address(self, delivering, burger, typed):
        delivering(fulfilment.choose_delivery, ADDRESS)
        with pytest.raises(AddressTooShort):
            delivering(fulfilment.choose_delivery, typed)
        assert delivering(cart.add, burger, 1).cart.delivery_address == ADDRESS, "the one before is kept"

    @pytest.mark.parametrize(
        ("address", "label", "shown"),
        [
            (None, None, "https://maps.google.com/?q=6.601838,3.351486"),
            ("", "", "https://maps.google.com/?q=6.601838,3.351486"),
            ("Allen Avenue", None, "Allen Avenue (https://maps.google.com/?q=6.601838,3.351486)"),
            (None, "Ikeja Mall", "Ikeja Mall (https://maps.google.com/?q=6.601838,3.351486)"),
            (
                "Obafemi Awolowo Way",
                "Ikeja Mall",
                "Ikeja Mall, Obafemi Awolowo Way (https://maps.google.com/?q=6.601838,3.351486)",
            ),
        ],
    )
    def test_a_location_pin_is_an_address_that_a_rider_can_follow(self, delivering, address, label, shown):
        pin = fulfilment.pin_address("6.601838", "3.351486", address, label)
        assert pin == shown
        assert delivering(fulfilment.choose_delivery, pin).delivery_address == shown

    def test_the_place_of_a_pin_is_never_cut_off(self, delivering):
        """What is too long is the label, not the place."""
        pin = fulfilment.pin_address("6.601838", "3.351486", "Obafemi Awolowo Way " * 10, "Ikeja Mall " * 15)
        kept = delivering(fulfilment.choose_delivery, pin).delivery_address
        assert "https://maps.google.com/?q=6.601838,3.351486" in kept


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in Lagos in November 2026, as UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


class TestOrderingAhead:
    @pytest.mark.parametrize(
        ("typed", "at"),
        [
            ("tomorrow 6pm", local(23, 18)),
            ("for tomorrow at 6 pm please", local(23, 18)),
            ("tomorrow by 2pm", local(23, 14)),
            ("13:30", local(22, 13, 30)),
            ("11:30", local(23, 11, 30)),  # past today
            ("schedule it for 13h30", local(22, 13, 30)),
            ("6pm", local(22, 18)),
            ("can you do it for 8pm", local(22, 20)),
            ("in 2 hours", local(22, 15)),
            ("dans 2 heures", local(22, 15)),
            ("décalez à 20h", local(22, 20)),
            ("date: 29/11 à 9h", local(29, 9)),
            ("demain à 18h", local(23, 18)),
            ("next friday 10am", local(27, 10)),
            ("Please schedule it for Thursday at 1pm.", local(26, 13)),
            ("i will need it at noon tomorrow", local(23, 12)),
            ("tomorrow", local(23, 13)),
            ("in 7 days", local(29, 13)),
            ("rice a la carte for tomorrow 6pm", local(23, 18)),
            ("en 2 horas", local(22, 15)),
            ("mañana a las 18:00", local(23, 18)),
            ("para mañana a la 1 pm", local(23, 13)),
            ("el sábado a la 1 pm", local(28, 13)),
            ("mañana al mediodía", local(23, 12)),
            ("mañana a las 12 del mediodía", local(23, 12)),
            ("hoy a las 8 de la noche", local(22, 20)),
            ("mañana a las 20 horas", local(23, 20)),
            ("pasado mañana a las 18:00", local(24, 18)),
            ("el próximo viernes a las 13:30", local(27, 13, 30)),
            ("daqui a 2 horas", local(22, 15)),
            ("amanhã às 18h", local(23, 18)),
            ("para amanhã às 19h30", local(23, 19, 30)),
            ("hoje às 20 horas", local(22, 20)),
            ("amanhã ao meio-dia", local(23, 12)),
            ("hoje às 8 da noite", local(22, 20)),
            ("depois de amanhã às 18h", local(24, 18)),
            ("segunda-feira às 13h", local(23, 13)),
        ],
    )
    def test_a_time_is_meant_where_the_shop_is(self, ask, burger, typed, at):
        ask(cart.add, burger, 1)
        assert ask(fulfilment.order_ahead, typed).scheduled_for == at
        assert ask(cart.current).scheduled_for == at

    @pytest.mark.parametrize("zone", ["UTC", "Africa/Lagos", "America/New_York", "Asia/Tokyo"])
    @pytest.mark.parametrize("minutes", [-30, 30, 90])
    def test_a_time_of_day_is_the_next_one_in_every_zone(self, asking, clock, zone, minutes):
        wanted = clock.now + timedelta(minutes=minutes)
        typed = wanted.astimezone(ZoneInfo(zone)).strftime("%H:%M")
        at = asking(timezone=zone)(fulfilment.order_ahead, typed).scheduled_for
        assert at == (wanted if minutes > 0 else wanted + timedelta(days=1))

    @pytest.mark.parametrize(
        ("typed", "at"),
        [
            ("tomorrow by 10", local(23, 10)),
            ("bring it tomorrow by 10", local(23, 10)),
            ("tomorrow at 10", local(23, 10)),
            ("for dinner tonight at 8", local(22, 20)),
            ("this evening by 6", local(22, 18)),
            ("pour demain 18h", local(23, 18)),
            ("tomorrow 6pm, 12 Allen Avenue", local(23, 18)),
            ("mañana 13h", local(23, 13)),
            ("mañana a las ocho", local(23, 20)),
            ("mañana a las 8 y media", local(23, 20, 30)),
            ("sábado por la mañana", local(28, 9)),
            ("mañana en la tarde", local(23, 17)),
            ("el martes que viene, sobre las dos", local(24, 14)),
            ("la semana que viene a las 13:00", local(30, 13)),
            ("el día 25 a las 13:00", local(25, 13)),
            ("amanhã às oito", local(23, 20)),
            ("amanhã à noite", local(23, 20)),
            ("amanhã à meia-noite", local(24, 0)),
        ],
    )
    def test_an_hour_that_was_said_is_never_another_hour(self, ask, burger, typed, at):
        """Better to ask again than to have dinner ready at lunch."""
        ask(cart.add, burger, 1)
        try:
            understood = ask(fulfilment.order_ahead, typed).scheduled_for
        except TimeNotUnderstood:
            return
        assert understood == at

    @pytest.mark.parametrize(
        "typed",
        [
            "not now, for later",
            "can i order now and get it later",
            "later today",
            "ahora no, más tarde",
            "agora não",
            "pas maintenant",
        ],
    )
    def test_later_is_not_now(self, ask, burger, clock, typed):
        ask(cart.add, burger, 1)
        try:
            understood = ask(fulfilment.order_ahead, typed).scheduled_for
        except TimeNotUnderstood:
            return
        assert understood > clock.now

    @pytest.mark.parametrize(
        "typed",
        [
            "yesterday",
            "two hours ago",
            "in 8 days",
            "25 december 10:00",
            "in a month",
            "order ahead",
            "later",
            "",
            "🍔",
        ],
    )
    def test_a_time_that_is_past_far_off_or_none_is_asked_for_again(self, ask, burger, typed):
        ask(cart.add, burger, 1)
        with pytest.raises(TimeNotUnderstood):
            ask(fulfilment.order_ahead, typed)
        assert ask(cart.current).scheduled_for is None

    def test_a_week_ahead_and_no_more(self, ask, clock):
        assert ask(fulfilment.order_ahead, "in 7 days").scheduled_for == clock.now + timedelta(days=7)
        with pytest.raises(TimeNotUnderstood):
            ask(fulfilment.order_ahead, "in 169 hours")

    @pytest.mark.parametrize("typed", ["later", "when you open", "yes order ahead"])
    def test_later_is_when_a_closed_shop_opens(self, asking, burger, typed):
        ask = asking(opening_hours=HOURS)
        ask(cart.add, burger, 1)
        assert ask(fulfilment.order_ahead, typed).scheduled_for == local(23, 9)
        assert ask(checkout.place).cart.scheduled_for == local(23, 9)

    def test_later_in_a_shop_that_is_open_is_no_time(self, asking, burger, clock):
        clock.now = local(23, 12)
        with pytest.raises(TimeNotUnderstood):
            asking(opening_hours=HOURS)(fulfilment.order_ahead, "later")

    def test_later_in_a_shop_that_opens_no_more_is_no_time(self, asking):
        with pytest.raises(TimeNotUnderstood):
            asking(opening_hours="off")(fulfilment.order_ahead, "later")

    def test_a_closed_hour_is_refused_with_the_next_opening(self, asking, burger):
        ask = asking(opening_hours=HOURS)
        ask(cart.add, burger, 1)
        for typed in ("tomorrow 8am", "tonight at 11pm"):
            with pytest.raises(ShopClosed) as refusal:
                ask(fulfilment.order_ahead, typed)
            assert refusal.value.values == {"opens_at": local(23, 9)}
        with pytest.raises(ClosedForGood):
            asking(opening_hours="off")(fulfilment.order_ahead, "tomorrow 6pm")
        assert ask(cart.current).scheduled_for is None

    def test_the_zone_decides_what_tomorrow_is(self, asking, clock):
        """At 23:30 UTC on the 22nd it is the 23rd in Lagos already."""
        clock.now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
        for zone, at in (
            ("Africa/Lagos", datetime(2026, 11, 24, 17, tzinfo=UTC)),
            ("UTC", datetime(2026, 11, 23, 18, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ):
            assert asking(timezone=zone)(fulfilment.order_ahead, "tomorrow 6pm").scheduled_for == at

    def test_another_time_replaces_the_one_before(self, ask, burger):
        ask(cart.add, burger, 1)
        ask(fulfilment.order_ahead, "tomorrow 6pm")
        assert ask(fulfilment.order_ahead, "tomorrow 7pm").scheduled_for == local(23, 19)


class TestOpeningHours:
    def test_whether_it_is_open_and_until_when(self, asking, ask, clock):
        assert ask(fulfilment.opening) == fulfilment.Opening(True, None)
        assert asking(opening_hours=HOURS)(fulfilment.opening) == fulfilment.Opening(False, local(23, 9))
        clock.now = local(23, 9)
        assert asking(opening_hours=HOURS)(fulfilment.opening) == fulfilment.Opening(True, local(23, 21))
        assert asking(opening_hours="off")(fulfilment.opening) == fulfilment.Opening(False, None)

    def test_while_the_shop_is_closed_nothing_is_ordered_and_the_cart_stays(self, asking, burger):
        ask = asking(opening_hours=HOURS)
        before = ask(cart.add, burger, 1).cart
        for step in (checkout.begin, checkout.review, checkout.place, checkout.confirm):
            with pytest.raises(ShopClosed) as refusal:
                ask(step)
            assert refusal.value.values == {"opens_at": local(23, 9)}
            with pytest.raises(ClosedForGood):
                asking(opening_hours="off")(step)
        assert ask(cart.current) == before

    def test_a_closed_shop_takes_orders_for_when_it_is_open(self, asking, burger, sessions):
        ask = asking(opening_hours=HOURS)
        ask(cart.add, burger, 1)
        ask(fulfilment.order_ahead, "tomorrow 6pm")
        assert ask(checkout.begin).scheduled_for == local(23, 18)
        assert ask(checkout.review).scheduled_for == local(23, 18)
        ask(checkout.place)
        with sessions() as session:
            assert session.query(Order).one().scheduled_for == local(23, 18)

    def test_hours_that_changed_meanwhile_count(self, asking, burger):
        asking(opening_hours=HOURS)(cart.add, burger, 1)
        asking(opening_hours=HOURS)(fulfilment.order_ahead, "tomorrow 6pm")
        with pytest.raises(ShopClosed) as refusal:
            asking(opening_hours="Mo-Sa 09:00-17:00")(checkout.review)
        assert refusal.value.values == {"opens_at": local(24, 9)}

    @pytest.mark.parametrize("step", [checkout.begin, checkout.review])
    def test_a_time_that_passed_by_is_forgotten_and_not_shown(self, ask, burger, clock, step):
        ask(cart.add, burger, 1)
        ask(fulfilment.order_ahead, "in 2 hours")
        clock.pass_minutes(120)
        assert ask(step).scheduled_for == clock.now, "just in time"
        clock.pass_minutes(1)
        assert ask(step).scheduled_for is None
        assert ask(cart.current).scheduled_for is None
        assert ask(checkout.place).cart.scheduled_for is None

    def test_a_time_that_passed_by_opens_no_closed_shop(self, asking, burger, clock):
        ask = asking(opening_hours=HOURS)
        clock.now = local(23, 20)
        ask(cart.add, burger, 1)
        ask(fulfilment.order_ahead, "in 30 minutes")
        clock.pass_minutes(90)
        with pytest.raises(ShopClosed):
            ask(checkout.place)
