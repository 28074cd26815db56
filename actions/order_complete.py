"""ORDER_COMPLETE: where is my order, and the same again."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.notices import say_status
from actions.picking import say_added
from shop import cart, orders
from shop.service import Shop


class TrackOrder(ShopAction):
    """Says where the latest order stands."""

    def name(self) -> str:
        return "action_track_order"

    async def answer(self, conversation: Conversation) -> None:
        if not conversation.shop.flags.order_tracking:
            conversation.say("utter_ask_staff", business=conversation.shop.policy.business_name)
            return
        order = await conversation.look(orders.track, conversation.understood.words)
        say_status(conversation, order.number, order.status, order.cart.fulfilment)


class SendReceipt(ShopAction):
    """The receipt of the latest order, as text, with the page that prints it."""

    def __init__(self, shop: Shop, public_base_url: str) -> None:
        super().__init__(shop)
        self._base_url = public_base_url

    def name(self) -> str:
        return "action_send_receipt"

    async def answer(self, conversation: Conversation) -> None:
        order = await conversation.look(orders.track, conversation.understood.words)
        policy = conversation.shop.policy
        if order.receipt_token is None:
            conversation.say(f"utter_status_{order.status}", order_number=order.number)
            return
        conversation.say(
            "utter_receipt",
            business=policy.business_name,
            order_number=order.number,
            date=conversation.time(order.created_at),
            link=f"{self._base_url}/receipts/{order.receipt_token}",
            **conversation.values_of(order.cart),
        )


class Reorder(ShopAction):
    """Puts the lines of the last order into the cart, at today's prices."""

    def name(self) -> str:
        return "action_reorder"

    async def answer(self, conversation: Conversation) -> None:
        changed = await conversation.do(cart.CartChange, orders.repeat)
        conversation.leave_form()
        say_added(conversation, changed)
