"""PAYMENT_CONFIRMATION: the provider says that the money arrived."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.notices import tell_payment_confirmed


class PaymentConfirmed(ShopAction):
    """Tells the customer, and completes the order."""

    def name(self) -> str:
        return "action_payment_confirmed"

    async def answer(self, conversation: Conversation) -> None:
        await tell_payment_confirmed(conversation, conversation.event_data)
