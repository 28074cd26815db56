"""ORDER_COMPLETE: where is my order, and the same again."""

from __future__ import annotations

from actions.adding_to_cart import say_added
from actions.base import ShopAction
from actions.conversation import Conversation
from shop import cart, orders


class TrackOrder(ShopAction):
    """Says where the latest order stands."""

    def name(self) -> str:
        return "action_track_order"

    async def answer(self, conversation: Conversation) -> None:
        if not conversation.shop.flags.order_tracking:
            conversation.say("utter_ask_staff", business=conversation.shop.policy.business_name)
            return
        order = await conversation.look(orders.latest)
        conversation.say(f"utter_status_{order.status}", order_number=order.number)


class Reorder(ShopAction):
    """Puts the lines of the last order into the cart, at today's prices."""

    def name(self) -> str:
        return "action_reorder"

    async def answer(self, conversation: Conversation) -> None:
        changed = await conversation.do(cart.CartChange, orders.repeat)
        conversation.leave_form()
        say_added(conversation, changed)
