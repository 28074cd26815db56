"""`delete my data`: what is deleted and what stays is said first, and only a clear yes deletes."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.reviewing_order import CLEARLY
from shop import privacy


class DeleteMyData(ShopAction):
    """Asks for the yes, unless an order is under way."""

    def name(self) -> str:
        return "action_delete_my_data"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.look(privacy.require_erasable)
        conversation.set(erasure_confirmed=None, order_confirmed=None, product=None, quantity=None)
        conversation.events.append(FollowupAction("erasure_form"))


class ValidateErasure(ShopAction):
    """It cannot be undone: an unclear yes is none."""

    def name(self) -> str:
        return "validate_erasure_form"

    async def answer(self, conversation: Conversation) -> None:
        said = conversation.tracker.slots_to_validate().get("erasure_confirmed")
        if said is None:
            return  # nothing was said of it: the form steps back, and a rule answers
        clear = conversation.understood.confidence >= CLEARLY
        conversation.set(erasure_confirmed=None if said and not clear else said)


class EraseData(ShopAction):
    """Erases, or leaves all as it is, as the customer said."""

    def name(self) -> str:
        return "action_erase_data"

    async def answer(self, conversation: Conversation) -> None:
        confirmed = conversation.tracker.get_slot("erasure_confirmed")
        conversation.set(erasure_confirmed=None)
        if not confirmed:
            conversation.say("utter_data_kept")
            return
        erased = await conversation.do(privacy.Erasure, privacy.erase)
        conversation.forget_session()
        if erased.orders_kept:
            conversation.say("utter_data_erased_but_orders", orders=erased.orders_kept)
        else:
            conversation.say("utter_data_erased")
