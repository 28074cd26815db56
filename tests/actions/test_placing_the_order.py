"""The yes of the checkout: what is said as the order is placed, or as something changed before it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from db.models import Cart, Discount, DiscountKind, Order, Payment, Product
from shop.errors import ProviderUnavailable
from shop.payments.interface import PaymentRequest, StartedPayment
from shop.payments.sandbox import SandboxProvider
from tests.actions.checking_out import ADDRESS, checking_out, confirms, fill, fills
from tests.actions.tracker import Answer, Talk


class Silent(SandboxProvider):
    """A provider whose computers are off."""

    def start(self, request: PaymentRequest) -> StartedPayment:
        raise ProviderUnavailable(self.name)


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

    async def test_a_time_that_passed_is_told(self, talk_with, menu, sessions):
        talk = talk_with()
        await self.reviewed(talk, menu)
        with sessions.begin() as session:
            # As it is an hour after the time that was shown.
            basket = session.query(Cart).one()
            basket.reviewed = {**basket.reviewed, "scheduled_for": "2026-01-01T18:00:00+00:00"}
        answer = await confirms(talk)
        assert answer.named == ["utter_changed_time"]
        assert answer.followed_by == ["checkout_form"]

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
