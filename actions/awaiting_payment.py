"""AWAITING_PAYMENT: the customer asks about, claims, or gives up a payment; the provider says no."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.paying import find_awaited, say_not_paid_yet
from shop import orders
from shop.payments import flow


class PaymentDone(ShopAction):
    """A customer says that the money is sent: only the provider knows."""

    def name(self) -> str:
        return "action_payment_done"

    async def answer(self, conversation: Conversation) -> None:
        payment = await conversation.look(orders.payment_state)
        if payment.reference is None:
            conversation.say(f"utter_status_{payment.status}", order_number=payment.number)
        elif await conversation.call(flow.check, payment.reference) == "verified":
            conversation.say("utter_payment_found")  # the shop's own event tells the rest
        else:
            await say_not_paid_yet(conversation, payment)


class HowToPay(ShopAction):
    """How can I pay: where there is something to pay, right here; else, how it will be."""

    def name(self) -> str:
        return "action_how_to_pay"

    async def answer(self, conversation: Conversation) -> None:
        payment = await find_awaited(conversation)
        if payment is None:
            conversation.say("utter_payment_methods")
        else:
            await say_not_paid_yet(conversation, payment)


class CancelOrder(ShopAction):
    """Cancels an unpaid order; the cart stays."""

    def name(self) -> str:
        return "action_cancel_order"

    async def answer(self, conversation: Conversation) -> None:
        if conversation.tracker.active_loop.get("name"):
            # In the middle of a question, "cancel" answers the question.
            conversation.leave_form()
            conversation.set(product=None, quantity=None, order_confirmed=None)
            conversation.say("utter_question_dropped")
            return
        cancelled = await conversation.do(orders.CancelledOrder, orders.cancel)
        if cancelled.cart_kept:
            conversation.say("utter_order_cancelled", order_number=cancelled.number)
        else:
            conversation.say("utter_status_cancelled", order_number=cancelled.number)
