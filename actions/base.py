"""What all actions share: the shop's refusals become responses, and pending notices are told."""

from __future__ import annotations

import logging
from abc import abstractmethod

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict
from sqlalchemy.exc import SQLAlchemyError

from actions import proposing
from actions.conversation import Conversation
from actions.formatting import readable
from actions.notices import TELL
from assist.assistant import Assistant
from shop import errors, outbox
from shop.errors import CustomerGone, ShopError, describe
from shop.service import Shop

logger = logging.getLogger(__name__)

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
    errors.UnknownOption: "utter_unknown_option",
    errors.TooManyOptions: "utter_too_many_options",
    errors.NothingToUndo: "utter_nothing_to_undo",
    errors.NoDiscountCode: "utter_no_discount_code",
    errors.UnknownDiscount: "utter_unknown_discount",
    errors.DiscountNeedsMore: "utter_discount_needs_more",
    errors.ShopClosed: "utter_shop_closed",
    errors.ClosedForGood: "utter_closed_for_good",
    errors.TimeNotUnderstood: "utter_time_not_understood",
    errors.NoDelivery: "utter_no_delivery",
    errors.AddressTooShort: "utter_address_too_short",
    errors.DeliveryNeedsMore: "utter_delivery_needs_more",
    errors.UnknownPaymentMethod: "utter_unknown_payment_method",
    errors.TooMuchForCash: "utter_too_much_for_cash",
    errors.ProviderUnavailable: "utter_payment_service_down",
    errors.NothingToPay: "utter_nothing_to_pay",
    errors.NoOrder: "utter_no_order",
    errors.CannotCancel: "utter_cannot_cancel",
    errors.OrderUnderWay: "utter_order_under_way",
}
QUANTITY_REFUSALS = (
    errors.QuantityNotANumber,
    errors.QuantityNotWhole,
    errors.QuantityTooSmall,
    errors.QuantityTooLarge,
    errors.NotEnoughStock,
)


class ActionFailed(Exception):
    """The system's fault; the log has its one line already."""


class ShopAction(Action):
    """An action that works with the shop."""

    is_guessed = False
    """Whether it runs because of an intent that was guessed from words, so that the customer can be asked."""

    def __init__(self, shop: Shop, assistant: Assistant | None = None) -> None:
        self._shop = shop
        self._assistant = assistant

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
        conversation = Conversation(self.name(), self._shop, dispatcher, tracker, self._assistant)
        if conversation.is_over:
            return []
        try:
            await self._answer(conversation)
        except SQLAlchemyError as error:
            # Its own text would quote values; Rasa serves the message again, or apologises.
            logger.error("%s failed: %s", self.name(), describe(error))
            self._shop.observer.failed(error)
            raise ActionFailed(self.name()) from None
        except CustomerGone:
            conversation.forget_session()
            if not conversation.is_notice:  # the very message that erased the customer, once more
                conversation.say("utter_data_erased")
        except Exception as error:
            # A bug: the server logs it, and somebody has to hear of it.
            self._shop.observer.failed(error)
            raise
        return conversation.events

    async def _answer(self, conversation: Conversation) -> None:
        if not conversation.can_be_told_unasked:
            for notice in await conversation.do(list[outbox.Notice], outbox.take_pending):
                await TELL[notice.event](conversation, notice.data)
        await proposing.notice_button(conversation)
        try:
            doubted = self.is_guessed and proposing.is_unsure(conversation)
            if not (doubted and await proposing.offer(conversation)):
                await self.answer(conversation)
        except ShopError as refusal:
            refuse(conversation, refusal)
        conversation.forget_misunderstandings()


def refuse(conversation: Conversation, refusal: ShopError) -> None:
    """Tell a customer why the shop refuses, and what to do instead."""
    conversation.shop.observer.failed(refusal)
    values = readable(refusal.values, conversation.time)
    kind = next(kind for kind in type(refusal).__mro__ if kind in REFUSALS)
    conversation.say(REFUSALS[kind], **values)
