"""Pickup or delivery, where to and when: asked in the checkout, and said at any time before."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from shop import fulfilment
from shop.cart_view import CartView


class ChoosePickup(ShopAction):
    """The customer comes for the order."""

    def name(self) -> str:
        return "action_choose_pickup"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.do(CartView, fulfilment.choose_pickup)
        conversation.say("utter_pickup_chosen")


class ChooseDelivery(ShopAction):
    """The order is to be brought; the checkout asks for the address."""

    def name(self) -> str:
        return "action_choose_delivery"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.do(CartView, fulfilment.choose_delivery)
        conversation.say("utter_delivery_chosen")


class InformContact(ShopAction):
    """An address that was typed outside of the checkout is kept for it, where the shop delivers."""

    def name(self) -> str:
        return "action_inform_contact"

    async def answer(self, conversation: Conversation) -> None:
        if conversation.shop.policy.delivery_fee is None:
            conversation.say("utter_no_contact_needed")
            return
        typed = str(conversation.tracker.latest_message.get("text") or "")
        chosen = await conversation.do(CartView, fulfilment.choose_delivery, typed)
        conversation.say("utter_address_kept", address=chosen.delivery_address)


class ShareLocation(ShopAction):
    """A location pin: where to bring the order."""

    def name(self) -> str:
        return "action_share_location"

    async def answer(self, conversation: Conversation) -> None:
        pin = conversation.event_data
        address = fulfilment.pin_address(
            pin["latitude"], pin["longitude"], pin.get("address"), pin.get("label")
        )
        await conversation.do(CartView, fulfilment.choose_delivery, address)
        conversation.set(fulfilment="delivery", delivery_address=address)
        if conversation.tracker.active_loop.get("name"):
            conversation.say("utter_address_noted", address=address)  # the checkout goes on by itself
        else:
            conversation.say("utter_address_kept", address=address)


class TellOpeningHours(ShopAction):
    """Whether the shop is open, and until or from when."""

    def name(self) -> str:
        return "action_opening_hours"

    async def answer(self, conversation: Conversation) -> None:
        opening = await conversation.look(fulfilment.opening)
        if opening.changes_at is None:
            if opening.is_open:
                conversation.say("utter_always_open")
            else:
                conversation.say("utter_closed_for_good")
            return
        at = conversation.time(opening.changes_at)
        if opening.is_open:
            conversation.say("utter_open_until", closes_at=at)
        else:
            conversation.say("utter_shop_closed", opens_at=at)


class OrderAhead(ShopAction):
    """The order is for later: for the time that was said, or for when the shop opens."""

    def name(self) -> str:
        return "action_order_ahead"

    async def answer(self, conversation: Conversation) -> None:
        typed = str(conversation.tracker.latest_message.get("text") or "")
        ahead = await conversation.do(CartView, fulfilment.order_ahead, typed)
        assert ahead.scheduled_for is not None
        at = conversation.time(ahead.scheduled_for)
        conversation.say("utter_ordered_ahead", at=at)
