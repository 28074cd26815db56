"""How an order is had and paid, as the customer is asked and told: pickup, delivery, time, way to pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from actions.paying import MAY_BE_CALLED
from actions.reviewing_order import method_named
from actions.server import make_executor
from db.models import Cart, Discount, DiscountKind, Order, Payment, Product
from settings import KNOWN_PAYMENT_PROVIDERS
from shop import order_status
from shop.errors import ProviderUnavailable, UnknownPaymentMethod
from shop.payments.interface import PaymentRequest, StartedPayment
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.payments.sandbox import SandboxProvider
from shop.service import Shop
from tests.actions.test_cart_and_order import fill
from tests.actions.tracker import Answer, Talk, number, order_line
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import Identity

WAYS_TO_PAY = ("sandbox", "bank_transfer", "cash")
ADDRESS = "12 Allen Avenue, Ikeja"
HOURS = "Mo-Sa 09:00-21:00"  # the clock stands on a Sunday


class Silent(SandboxProvider):
    """A provider whose computers are off."""

    def start(self, request: PaymentRequest) -> StartedPayment:
        raise ProviderUnavailable(self.name)


@pytest.fixture
def talk_with(shop, sandbox, clock, settings, menu) -> Callable[..., Talk]:
    """A conversation with a shop of other policies."""
    everything = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}

    def talk_with(providers: dict[str, Any] | None = None, **policy: Any) -> Talk:
        providers = providers or everything
        policy = {
            "payment_providers": tuple(providers),
            "bank_account": "Test Bank 0123456789",
            "delivery_fee": Decimal("750.00"),
            **policy,
        }
        other = Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, providers, clock)
        identity = Identity(settings.privacy)
        return Talk(
            make_executor(other, settings),
            identity.pseudonym(CUSTOMER_NUMBER),
            identity.seal(CUSTOMER_NUMBER),
        )

    return talk_with


async def checking_out(talk: Talk, menu: dict[str, Product]) -> Answer:
    """Two burgers and a big coke, ₦12,577.50 with tax; the checkout begins."""
    await fill(talk, menu)
    answer = await talk.turn("action_checkout", "checkout")
    talk.form = "checkout_form"
    return answer


async def fills(talk: Talk, slot: str, value: Any, entities: Any = (), text: str = "") -> Answer:
    """The customer answers a question of the checkout."""
    talk.hears(text or str(value), entities, intent="answer")
    talk.fills(slot, value)
    return await talk.does("validate_checkout_form")


async def confirms(talk: Talk) -> Answer:
    talk.hears("yes", intent="affirm")
    talk.fills("order_confirmed", True)
    return await talk.does("action_place_order")


def cart_of(sessions) -> Cart:
    with sessions() as session:
        return session.query(Cart).one()


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


class TestPlacingTheOrder:
    async def ordered_by(
        self, talk: Talk, menu: dict[str, Product], method: str, address: str = ""
    ) -> Answer:
        await checking_out(talk, menu)
        await fills(talk, "fulfilment", "delivery" if address else "pickup")
        if address:
            await fills(talk, "delivery_address", address)
        await fills(talk, "payment_method", method)
        asked = await talk.does("action_ask_checkout_form_order_confirmed")
        assert asked.named == ["utter_ask_confirmation"]
        return await confirms(talk)

    async def test_online_the_link_is_sent(self, talk_with, menu, sessions):
        answer = await self.ordered_by(talk_with(), menu, "card")
        assert answer.named == ["utter_pay_here"]
        with sessions() as session:
            reference = session.query(Payment).one().payment_reference
        assert answer.responses[0]["link"] == f"http://127.0.0.1:4000/payments/sandbox/{reference}"
        assert answer.responses[0]["minutes"] == 30

    async def test_by_transfer_the_account_and_the_reference_are_sent(self, talk_with, menu, sessions):
        talk = talk_with(bank_transfer_hours=12)
        answer = await self.ordered_by(talk, menu, "transfer")
        assert answer.named == ["utter_transfer_here"]
        with sessions() as session:
            reference = session.query(Payment).one().payment_reference
        for told in ("Test Bank 0123456789", reference, "12", "₦12,577.50"):
            assert told in answer.text
        assert talk.state == "AWAITING_PAYMENT"

    @pytest.mark.parametrize(
        ("address", "said"), [("", "utter_order_placed"), (ADDRESS, "utter_order_placed_delivery")]
    )
    async def test_in_cash_it_is_placed_and_paid_where_it_is_had(self, talk_with, menu, address, said):
        talk = talk_with()
        assert (await self.ordered_by(talk, menu, "cash", address)).named == [said]
        assert talk.state == "ORDER_COMPLETE"

    async def test_the_delivery_is_shown_before_the_yes_and_after(self, talk_with, menu):
        talk = talk_with()
        answer = await self.ordered_by(talk, menu, "transfer", ADDRESS)
        assert f"🛵 {ADDRESS}" in answer.text
        assert "₦13,327.50" in answer.text

    async def test_a_provider_that_is_away_keeps_the_order(
        self, talk_with, menu, sessions, settings, sandbox
    ):
        silent = Silent("http://127.0.0.1:4000", b"key", sessions)
        talk = talk_with({"sandbox": silent})
        answer = await self.ordered_by(talk, menu, "card")
        assert answer.named == ["utter_payment_service_down"]
        assert talk.state == "AWAITING_PAYMENT"
        talk = talk_with({"sandbox": sandbox})
        again = await talk.turn("action_payment_done", "try again")
        assert again.named == ["utter_payment_not_yet"]
        with sessions() as session:
            assert again.responses[0]["link"].endswith(session.query(Payment).one().payment_reference)

    async def test_too_much_for_cash_is_refused_and_the_cart_stays(self, talk_with, menu, sessions):
        talk = talk_with(cash_limit=Decimal("10000.00"))
        answer = await self.ordered_by(talk, menu, "cash")
        assert answer.named == ["utter_too_much_for_cash"]
        assert "₦10,000.00" in answer.text
        assert talk.state == "ADDING_TO_CART"
        with sessions() as session:
            assert session.query(Order).count() == 0

    async def test_an_order_too_small_to_be_brought_ends_the_question(self, talk_with, menu):
        talk = talk_with(delivery_minimum=Decimal("50000.00"))
        await checking_out(talk, menu)
        await fills(talk, "fulfilment", "delivery")
        await fills(talk, "delivery_address", ADDRESS)
        answer = await talk.does("action_ask_checkout_form_order_confirmed")
        assert answer.named == ["utter_delivery_needs_more"]
        assert "₦50,000.00" in answer.text
        assert answer.left_the_form

    async def test_a_yes_to_nothing_finds_the_cart_empty(self, talk_with):
        assert (await confirms(talk_with())).named == ["utter_cart_empty"]


class TestWhatChangedBeforeTheYes:
    async def reviewed(self, talk: Talk, menu: dict[str, Product]) -> None:
        await checking_out(talk, menu)
        await talk.does("action_ask_checkout_form_order_confirmed")

    async def test_another_price_is_told_and_asked_about(self, talk_with, menu, sessions):
        talk = talk_with()
        await self.reviewed(talk, menu)
        with sessions.begin() as session:
            session.get(Product, menu["burger"].id).price = Decimal("6000.00")
        answer = await confirms(talk)
        assert answer.named == ["utter_changed_price"]
        for told in ("Test Burger", "₦5,500.00", "₦6,000.00"):
            assert told in answer.text
        assert answer.followed_by == ["checkout_form"]
        assert talk.slots["order_confirmed"] is None, "asked again"
        assert (await confirms(talk)).named == ["utter_pay_here"]

    async def test_another_total_is_told(self, talk_with, menu):
        await self.reviewed(talk_with(), menu)
        answer = await confirms(talk_with(tax_rate=Decimal("0.1")))
        assert answer.named == ["utter_changed_total"]
        assert "₦12,577.50" in answer.text
        assert "₦12,870.00" in answer.text

    async def test_what_is_short_and_what_is_gone_is_told(self, talk_with, menu, sessions):
        talk = talk_with()
        await self.reviewed(talk, menu)
        with sessions.begin() as session:
            session.get(Product, menu["burger"].id).stock_quantity = 1
            session.get(Product, menu["big coke"].id).available = False
        answer = await confirms(talk)
        assert sorted(answer.named) == ["utter_changed_gone", "utter_changed_stock"]
        assert "Coke 50cl" in answer.text
        assert answer.followed_by == ["checkout_form"]

    async def test_where_everything_is_gone_nothing_is_asked(self, talk_with, menu, sessions):
        talk = talk_with()
        await self.reviewed(talk, menu)
        with sessions.begin() as session:
            for name in ("burger", "big coke"):
                session.get(Product, menu[name].id).available = False
        answer = await confirms(talk)
        assert answer.named == ["utter_changed_gone", "utter_changed_gone", "utter_cart_empty"]
        assert answer.followed_by == []

    async def test_a_discount_whose_last_use_another_took_is_told(
        self, talk_with, menu, sessions, monkeypatch
    ):
        """The code was there as the price was looked at, and gone as it was counted."""
        from shop import discounts

        with sessions.begin() as session:
            session.add(
                Discount(code="LAST", kind=DiscountKind.AMOUNT, value=Decimal("1000.00"), most_uses=1)
            )
        talk = talk_with()
        await fill(talk, menu)
        await talk.turn("action_apply_discount", "my code is last")
        await self.reviewed(talk, menu)
        use = discounts.use

        def too_late(work: Any, code: str | None) -> None:
            if code:
                with sessions.begin() as other:
                    other.query(Discount).one().uses = 1
            use(work, code)

        monkeypatch.setattr(discounts, "use", too_late)
        answer = await confirms(talk)
        assert answer.named == ["utter_unknown_discount"]
        assert "LAST" in answer.text
        assert answer.followed_by == ["checkout_form"]


class TestPayingLater:
    async def test_how_to_pay_is_said_where_there_is_something_to_pay(self, talk_with, menu):
        talk = talk_with()
        assert (await talk.turn("action_how_to_pay", "how do i pay")).named == ["utter_payment_methods"]
        await checking_out(talk, menu)
        await fills(talk, "payment_method", "card")
        link = (await confirms(talk)).responses[0]["link"]
        answer = await talk.turn("action_how_to_pay", "how do i pay")
        assert answer.named == ["utter_payment_not_yet"]
        assert answer.responses[0]["link"] == link

    async def test_of_a_transfer_the_account_is_said_again_until_the_staff_saw_the_money(
        self, talk_with, menu, shop, clock, sessions
    ):
        talk = talk_with()
        await checking_out(talk, menu)
        await fills(talk, "payment_method", "transfer")
        await confirms(talk)
        for action in ("action_payment_done", "action_how_to_pay"):
            answer = await talk.turn(action, "I have sent it")
            assert answer.named == ["utter_transfer_not_yet"]
            assert "Test Bank 0123456789" in answer.text
        with sessions() as session:
            payment = session.query(Payment).one()
        staff = Shop(sessions, shop.policy, shop.flags, {"bank_transfer": BankTransfer()}, clock)
        assert (
            staff.run(
                lambda work: order_status.confirm_transfer(
                    work, payment.payment_reference, payment.amount, "Ada"
                )
            )
            == "verified"
        )
        assert (await talk.turn("action_payment_done", "I have sent it")).named == ["utter_status_paid"]

    async def test_of_cash_there_is_nothing_to_send(self, talk_with, menu):
        talk = talk_with()
        await checking_out(talk, menu)
        await fills(talk, "payment_method", "cash")
        await confirms(talk)
        assert (await talk.turn("action_payment_done", "paid")).named == ["utter_status_placed"]
        assert (await talk.turn("action_how_to_pay", "how do i pay")).named == ["utter_payment_methods"]


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
        await confirms(talk)
        assert talk.state == "AWAITING_PAYMENT"
        await talk.turn("action_inform_contact", ADDRESS)
        assert (await talk.turn("action_payment_done", "paid")).named == ["utter_nothing_to_pay"]
        assert talk.state == "ADDING_TO_CART"

    async def test_a_line_is_ordered_with_what_was_said_in_one_message(self, talk_with, menu):
        talk = talk_with()
        await talk.turn("action_select_product", "a coke", [order_line(menu["coke"], quantity="1")])
        assert "1 × Coke 35cl · ₦500.00" in (await talk.turn("action_view_cart", "cart")).text
