"""What the checkout asks: pickup or delivery, where to, and how it is paid."""

from __future__ import annotations

import pytest

from actions.paying import MAY_BE_CALLED
from actions.reviewing_order import method_named
from settings import KNOWN_PAYMENT_PROVIDERS
from shop.errors import UnknownPaymentMethod
from tests.actions.checking_out import ADDRESS, HOURS, WAYS_TO_PAY, cart_of, checking_out, fill, fills
from tests.actions.tracker import number


class TestTheQuestionsOfTheCheckout:
    async def test_a_shop_with_one_way_of_everything_asks_for_the_yes_alone(self, talk_with, sandbox, menu):
        talk = talk_with({"sandbox": sandbox}, delivery_fee=None)
        answer = await checking_out(talk, menu)
        assert answer.slots | {"conversation_state": None} == {
            "conversation_state": None,
            "fulfilment": "pickup",
            "delivery_address": "",
            "payment_method": "sandbox",
            "order_confirmed": None,
            "product": None,
            "quantity": None,
        }
        assert answer.followed_by == ["checkout_form"]

    async def test_a_shop_with_choices_asks_for_them(self, talk_with, menu):
        answer = await checking_out(talk_with(), menu)
        asked = ("fulfilment", "delivery_address", "payment_method")
        assert [answer.slots[slot] for slot in asked] == [None] * 3

    async def test_where_payments_are_off_no_way_to_pay_is_asked_for(self, make_talk, menu):
        answer = await checking_out(make_talk(payment_processing=False), menu)
        assert answer.slots["payment_method"] == "sandbox"

    async def test_what_was_said_before_is_not_asked_again(self, talk_with, menu):
        talk = talk_with()
        await fill(talk, menu)
        await talk.turn("action_inform_contact", ADDRESS)
        answer = await talk.turn("action_checkout", "checkout")
        assert (answer.slots["fulfilment"], answer.slots["delivery_address"]) == ("delivery", ADDRESS)

    async def test_pickup_needs_no_address(self, talk_with, menu, sessions):
        talk = talk_with()
        await checking_out(talk, menu)
        answer = await fills(talk, "fulfilment", "pickup")
        assert answer.slots == {"fulfilment": "pickup", "delivery_address": ""}
        assert cart_of(sessions).fulfilment == "pickup"

    async def test_delivery_asks_where_to(self, talk_with, menu, sessions):
        talk = talk_with()
        await checking_out(talk, menu)
        answer = await fills(talk, "fulfilment", "delivery")
        assert answer.slots == {"fulfilment": "delivery", "delivery_address": None}
        answer = await fills(talk, "delivery_address", ADDRESS)
        assert answer.slots == {"delivery_address": ADDRESS}
        cart = cart_of(sessions)
        assert (cart.fulfilment, cart.delivery_address) == ("delivery", ADDRESS)

    async def test_an_address_that_nobody_could_be_found_with_is_asked_for_again(self, talk_with, menu):
        talk = talk_with()
        await checking_out(talk, menu)
        await fills(talk, "fulfilment", "delivery")
        answer = await fills(talk, "delivery_address", "home")
        assert answer.slots == {"delivery_address": None}
        assert answer.named == ["utter_address_too_short"]

    async def test_no_address_where_none_is_asked_for_is_left_alone(self, talk_with, menu, sessions):
        talk = talk_with()
        await checking_out(talk, menu)
        assert (await fills(talk, "delivery_address", "")).slots == {"delivery_address": ""}
        assert cart_of(sessions).fulfilment == "pickup"

    async def test_delivery_of_a_shop_that_stopped_delivering_is_refused(self, talk_with, menu):
        talk = talk_with(delivery_fee=None)
        await checking_out(talk, menu)
        answer = await fills(talk, "fulfilment", "delivery")
        assert answer.named == ["utter_no_delivery"]
        assert answer.slots == {"fulfilment": None}

    async def test_the_ways_to_pay_are_numbered(self, talk_with, menu):
        talk = talk_with()
        await checking_out(talk, menu)
        answer = await talk.asks("action_ask_checkout_form_payment_method")
        assert answer.named == ["utter_ask_payment_method", *(f"utter_pay_by_{way}" for way in WAYS_TO_PAY)]
        for place, line in enumerate(answer.said[1:], start=1):
            assert str(place) in line

    @pytest.mark.parametrize(
        ("typed", "entities", "method"),
        [
            ("2", [number("2")], "bank_transfer"),
            ("cash", [], "cash"),
            ("with my card please", [], "sandbox"),
            ("sandbox", [], "sandbox"),
        ],
    )
    async def test_a_way_to_pay_is_taken(self, talk_with, menu, typed, entities, method):
        talk = talk_with()
        await checking_out(talk, menu)
        answer = await fills(talk, "payment_method", typed, entities)
        assert (answer.named, answer.slots) == ([], {"payment_method": method})

    @pytest.mark.parametrize(
        ("typed", "entities"), [("cowries", []), ("4", [number("4")]), ("0", [number("0")])]
    )
    async def test_an_unknown_way_to_pay_is_asked_for_again(self, talk_with, menu, typed, entities):
        talk = talk_with()
        await checking_out(talk, menu)
        answer = await fills(talk, "payment_method", typed, entities)
        assert (answer.named, answer.slots) == (["utter_unknown_payment_method"], {"payment_method": None})

    async def test_a_closed_shop_ends_the_checkout_before_it_begins(self, talk_with, menu):
        talk = talk_with(opening_hours=HOURS)
        await fill(talk, menu)
        talk.form = "checkout_form"
        answer = await talk.turn("action_checkout", "checkout")
        assert answer.named == ["utter_shop_closed"]
        assert "Mon 23 Nov, 09:00" in answer.text
        assert answer.left_the_form
        assert answer.followed_by == []
        assert (await talk_with(opening_hours="off").turn("action_checkout", "checkout")).named == [
            "utter_closed_for_good"
        ]


class TestMethodNamed:
    @pytest.mark.parametrize(
        ("words", "said_number", "method"),
        [
            ("cash", None, "cash"),
            ("bank_transfer", None, "bank_transfer"),
            ("1", "1", "sandbox"),
            ("number 3", "3", "cash"),
            ("I will TRANSFER it", None, "bank_transfer"),
            ("pay online", None, "sandbox"),
            ("when you reach my house", None, "cash"),
            ("by bank", None, "bank_transfer"),
        ],
    )
    def test_numbers_names_and_words(self, words, said_number, method):
        assert method_named(words, said_number, WAYS_TO_PAY) == method

    @pytest.mark.parametrize(
        ("words", "said_number"),
        [("", None), ("cowries", None), ("4", "4"), ("0", "0"), ("1.5", "1.5"), ("-1", "-1")],
    )
    def test_anything_else_is_unknown(self, words, said_number):
        with pytest.raises(UnknownPaymentMethod):
            method_named(words, said_number, WAYS_TO_PAY)

    def test_only_what_is_offered_can_be_named(self):
        with pytest.raises(UnknownPaymentMethod):
            method_named("cash", None, ("sandbox",))
        with pytest.raises(UnknownPaymentMethod):
            method_named("2", "2", ("sandbox",))
        assert method_named("cash on delivery", None, ("cash", "sandbox")) == "cash"

    def test_every_way_to_pay_has_words_and_every_word_names_it(self):
        assert set(MAY_BE_CALLED) == set(KNOWN_PAYMENT_PROVIDERS)
        for method, words in MAY_BE_CALLED.items():
            for word in words:
                assert method_named(f"I pay by {word.upper()}", None, (method,)) == method

    @pytest.mark.parametrize(
        ("words", "method"),
        [("deposit into your bank", "bank_transfer"), ("is it possible to transfer", "bank_transfer")],
    )
    def test_a_word_inside_another_names_nothing(self, words, method):
        """`deposit` and `possible` hold `pos`, and are no card reader at the door."""
        assert method_named(words, None, ("cash", "bank_transfer")) == method
