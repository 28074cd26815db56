"""How an order is had, as it is said at any time: pickup, delivery, where to and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.checking_out import ADDRESS, HOURS, cart_of, checking_out, confirms, fill
from tests.actions.tracker import order_line


class TestSaidAtAnyTime:
    async def test_pickup_and_delivery_are_kept_for_the_checkout(self, talk_with, menu, sessions):
        talk = talk_with()
        await fill(talk, menu)
        assert (await talk.turn("action_choose_delivery", "deliver it")).named == ["utter_delivery_chosen"]
        assert cart_of(sessions).fulfilment == "delivery"
        assert (await talk.turn("action_choose_pickup", "i come for it")).named == ["utter_pickup_chosen"]
        assert cart_of(sessions).fulfilment == "pickup"

    async def test_where_to_is_not_shown_before_it_is_known(self, talk_with, menu):
        talk = talk_with()
        await fill(talk, menu)
        await talk.turn("action_choose_delivery", "deliver it")
        answer = await talk.turn("action_view_cart", "cart")
        assert "+₦750.00" in answer.text
        assert "None" not in answer.text

    async def test_a_shop_without_delivery_says_so(self, talk_with, menu):
        talk = talk_with(delivery_fee=None)
        await fill(talk, menu)
        assert (await talk.turn("action_choose_delivery", "deliver it")).named == ["utter_no_delivery"]
        assert (await talk.turn("action_inform_contact", ADDRESS)).named == ["utter_no_contact_needed"]
        talk.hears(event={"latitude": "6.6", "longitude": "3.3"}, intent="share_location")
        assert (await talk.does("action_share_location")).named == ["utter_no_delivery"]

    async def test_an_address_is_kept_for_the_checkout(self, talk_with, menu, sessions):
        talk = talk_with()
        answer = await talk.turn("action_inform_contact", f"  {ADDRESS}\n")
        assert answer.named == ["utter_address_kept"]
        assert ADDRESS in answer.text
        assert cart_of(sessions).delivery_address == ADDRESS
        assert (await talk.turn("action_inform_contact", "12")).named == ["utter_address_too_short"]

    @pytest.mark.parametrize(
        ("form", "said"), [(None, "utter_address_kept"), ("checkout_form", "utter_address_noted")]
    )
    async def test_a_location_pin_is_an_address(self, talk_with, menu, sessions, form, said):
        talk = talk_with()
        await fill(talk, menu)
        talk.form = form
        pin = {"latitude": "6.601838", "longitude": "3.351486", "address": None, "label": "Ikeja Mall"}
        talk.hears(event=pin, intent="share_location")
        answer = await talk.does("action_share_location")
        assert answer.named == [said]
        shown = "Ikeja Mall (https://maps.google.com/?q=6.601838,3.351486)"
        assert answer.slots == {"fulfilment": "delivery", "delivery_address": shown}
        assert cart_of(sessions).delivery_address == shown

    @pytest.mark.parametrize(
        ("hours", "at", "said", "time"),
        [
            (None, None, "utter_always_open", ""),
            (HOURS, None, "utter_shop_closed", "Mon 23 Nov, 09:00"),
            (HOURS, datetime(2026, 11, 23, 12, tzinfo=UTC), "utter_open_until", "Mon 23 Nov, 21:00"),
            ("off", None, "utter_closed_for_good", ""),
        ],
    )
    async def test_the_opening_hours_are_told_in_local_time(self, talk_with, clock, hours, at, said, time):
        clock.now = at or clock.now
        answer = await talk_with(opening_hours=hours).turn("action_opening_hours", "are you open")
        assert answer.named == [said]
        assert time in answer.text

    async def test_an_order_for_later_is_told_in_local_time_and_shown_in_the_cart(self, talk_with, menu):
        talk = talk_with(opening_hours=HOURS)
        await fill(talk, menu)
        answer = await talk.turn("action_order_ahead", "for tomorrow 6pm")
        assert answer.named == ["utter_ordered_ahead"]
        assert "Mon 23 Nov, 18:00" in answer.text
        shown = await talk.turn("action_view_cart", "cart")
        assert "⏰ Mon 23 Nov, 18:00" in shown.text
        assert (await talk.turn("action_checkout", "checkout")).followed_by == ["checkout_form"]

    async def test_a_time_that_cannot_be_is_told(self, talk_with, menu, clock):
        talk = talk_with(opening_hours=HOURS)
        closed = await talk.turn("action_order_ahead", "tomorrow 11pm")
        assert closed.named == ["utter_shop_closed"]
        assert "Tue 24 Nov, 09:00" in closed.text
        assert (await talk.turn("action_order_ahead", "yesterday")).named == ["utter_time_not_understood"]
        clock.now += timedelta(days=1)
        assert (await talk.turn("action_order_ahead", "for later")).named == ["utter_time_not_understood"]

    async def test_who_has_a_link_to_pay_and_changes_the_delivery_is_back_at_the_cart(self, talk_with, menu):
        """The unpaid order is given up for it: the conversation is not left waiting for its payment."""
        talk = talk_with()
        await checking_out(talk, menu)
        await talk.does("action_ask_checkout_form_order_confirmed")
        await confirms(talk)
        assert talk.state == "AWAITING_PAYMENT"
        await talk.turn("action_inform_contact", ADDRESS)
        assert (await talk.turn("action_payment_done", "paid")).named == ["utter_nothing_to_pay"]
        assert talk.state == "ADDING_TO_CART"

    async def test_a_line_is_ordered_with_what_was_said_in_one_message(self, talk_with, menu):
        talk = talk_with()
        await talk.turn("action_select_product", "a coke", [order_line(menu["coke"], quantity="1")])
        assert "1 × Coke 35cl · ₦500.00" in (await talk.turn("action_view_cart", "cart")).text
