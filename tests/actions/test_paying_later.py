"""An order that is to be paid: how, and what is said until the money is there."""

from __future__ import annotations

from db.models import Payment
from shop import order_status
from shop.payments.offline import BankTransfer
from shop.service import Shop
from tests.actions.checking_out import checking_out, confirms, fills


class TestPayingLater:
    async def test_how_to_pay_is_said_where_there_is_something_to_pay(self, talk_with, menu):
        talk = talk_with()
        assert (await talk.turn("action_how_to_pay", "how do i pay")).named == ["utter_payment_methods"]
        await checking_out(talk, menu)
        await fills(talk, "payment_method", "card")
        await talk.does("action_ask_checkout_form_order_confirmed")
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
        await talk.does("action_ask_checkout_form_order_confirmed")
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
        await talk.does("action_ask_checkout_form_order_confirmed")
        await confirms(talk)
        assert (await talk.turn("action_payment_done", "paid")).named == ["utter_status_placed"]
        assert (await talk.turn("action_how_to_pay", "how do i pay")).named == ["utter_payment_methods"]
