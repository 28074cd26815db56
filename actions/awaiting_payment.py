"""AWAITING_PAYMENT: the customer asks about, claims, or gives up a payment; the provider says no."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.notices import tell_payment_expired, tell_payment_failed, tell_payment_in_review
from shop import orders


class PaymentDone(ShopAction):
    """A customer says that the money is sent: only the provider knows."""

    def name(self) -> str:
        return "action_payment_done"

    async def answer(self, conversation: Conversation) -> None:
        payment = await conversation.look(orders.payment_state)
        if payment.pay_url is None:
            conversation.say(f"utter_status_{payment.status}", order_number=payment.number)
        else:
            conversation.say("utter_payment_not_yet", order_number=payment.number, link=payment.pay_url)


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
        cancelled = await conversation.do(orders.OrderState, orders.cancel)
        conversation.say("utter_order_cancelled", order_number=cancelled.number)


class PaymentFailed(ShopAction):
    """The provider says that a payment failed."""

    def name(self) -> str:
        return "action_payment_failed"

    async def answer(self, conversation: Conversation) -> None:
        await tell_payment_failed(conversation, conversation.event_data)


class PaymentExpired(ShopAction):
    """The time to pay is over."""

    def name(self) -> str:
        return "action_payment_expired"

    async def answer(self, conversation: Conversation) -> None:
        await tell_payment_expired(conversation, conversation.event_data)


class PaymentInReview(ShopAction):
    """A payment does not fit its order."""

    def name(self) -> str:
        return "action_payment_in_review"

    async def answer(self, conversation: Conversation) -> None:
        await tell_payment_in_review(conversation, conversation.event_data)
