"""What all actions share: the shop's refusals become responses, and pending notices are told."""

from __future__ import annotations

from abc import abstractmethod

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.conversation import Conversation
from actions.notices import TELL
from shop import errors, outbox
from shop.errors import ShopError
from shop.service import Shop

REFUSALS: dict[type[ShopError], str] = {
    errors.QuantityNotANumber: "utter_quantity_not_a_number",
    errors.QuantityNotWhole: "utter_quantity_not_whole",
    errors.QuantityTooSmall: "utter_quantity_too_small",
    errors.QuantityTooLarge: "utter_quantity_too_large",
    errors.NotEnoughStock: "utter_not_enough_stock",
    errors.SoldOut: "utter_sold_out",
    errors.ProductGone: "utter_product_gone",
    errors.UnknownProduct: "utter_unknown_product",
    errors.NumberNotOnList: "utter_number_not_on_list",
    errors.NothingToChooseFrom: "utter_nothing_to_choose_from",
    errors.EmptyCart: "utter_cart_empty",
    errors.NotInCart: "utter_not_in_cart",
    errors.NothingToPay: "utter_nothing_to_pay",
    errors.NoOrder: "utter_no_order",
    errors.CannotCancel: "utter_cannot_cancel",
}
QUANTITY_REFUSALS = (
    errors.QuantityNotANumber,
    errors.QuantityNotWhole,
    errors.QuantityTooSmall,
    errors.QuantityTooLarge,
    errors.NotEnoughStock,
)


class ShopAction(Action):
    """An action that works with the shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @abstractmethod
    def name(self) -> str:
        """The name in the domain."""

    @abstractmethod
    async def answer(self, conversation: Conversation) -> None:
        """Answer the customer. A `ShopError` that is raised is told as its response."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Called by the action server."""
        conversation = Conversation(self.name(), self._shop, dispatcher, tracker)
        if not conversation.can_be_told_unasked:
            for notice in await conversation.do(list[outbox.Notice], outbox.take_pending):
                await TELL[notice.event](conversation, notice.data)
        try:
            await self.answer(conversation)
        except ShopError as refusal:
            refuse(conversation, refusal)
        return conversation.events


def refuse(conversation: Conversation, refusal: ShopError) -> None:
    """Tell a customer why the shop refuses, and what to do instead."""
    conversation.say(REFUSALS[type(refusal)], **refusal.values)
