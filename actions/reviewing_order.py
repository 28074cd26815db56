"""REVIEWING_ORDER: the order as it would be, and the customer's yes or no."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction

from actions.base import ShopAction, refuse
from actions.conversation import Conversation
from actions.formatting import cart_values
from shop import orders
from shop.cart import CartView
from shop.errors import EmptyCart, NotEnoughStock, SoldOut

# More likely than everything else together.
CLEARLY = 0.5


class Checkout(ShopAction):
    """Starts the checkout form where there is something to check out."""

    def name(self) -> str:
        return "action_checkout"

    async def answer(self, conversation: Conversation) -> None:
        try:
            await conversation.do(CartView, orders.review)
        except EmptyCart as refusal:
            conversation.leave_form()
            refuse(conversation, refusal)
            return
        conversation.set(order_confirmed=None, product=None, quantity=None)
        conversation.events.append(FollowupAction("checkout_form"))


class AskConfirmation(ShopAction):
    """Shows the order with tax and asks for the yes."""

    def name(self) -> str:
        return "action_ask_checkout_form_order_confirmed"

    async def answer(self, conversation: Conversation) -> None:
        reviewed = await conversation.do(CartView, orders.review)
        conversation.say("utter_ask_confirmation", **cart_values(reviewed))


class ValidateConfirmation(ShopAction):
    """Takes only a clear yes for a yes: it costs money."""

    def name(self) -> str:
        return "validate_checkout_form"

    async def answer(self, conversation: Conversation) -> None:
        given = conversation.tracker.slots_to_validate()
        if "order_confirmed" not in given:
            return  # neither a yes nor a no: the form steps back, and a rule answers
        clear = conversation.understood.confidence >= CLEARLY
        unclear_yes = given["order_confirmed"] and not clear
        conversation.set(order_confirmed=None if unclear_yes else given["order_confirmed"])


class PlaceOrder(ShopAction):
    """Makes the order, or keeps the cart, as the customer said."""

    def name(self) -> str:
        return "action_place_order"

    async def answer(self, conversation: Conversation) -> None:
        confirmed = conversation.tracker.get_slot("order_confirmed")
        conversation.set(order_confirmed=None, choices=None)
        if not confirmed:
            kept = await conversation.do(CartView, orders.decline)
            conversation.say("utter_not_ordered", **cart_values(kept))
            return
        try:
            placed = await conversation.do(orders.PlacedOrder, orders.place)
        except (SoldOut, NotEnoughStock) as refusal:
            # Somebody else was faster: say what, and leave the cart as it is.
            await conversation.do(CartView, orders.decline)
            refuse(conversation, refusal)
            return
        values = {"order_number": placed.number, **cart_values(placed.cart)}
        if placed.pay_url is None:
            conversation.say("utter_order_placed", **values)
        else:
            minutes = placed.minutes_to_pay
            conversation.say("utter_pay_here", link=placed.pay_url, minutes=minutes, **values)
