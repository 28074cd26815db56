"""COLLECTING_QUANTITY: how many of the picked product."""

from __future__ import annotations

from actions import proposing
from actions.base import ShopAction, refuse
from actions.conversation import Conversation
from actions.formatting import amount, product_choices
from db.models import MisunderstandingKind
from shop import cart, catalogue
from shop.errors import ShopError
from shop.service import Shop


class AskQuantity(ShopAction):
    """Shows the picked product with its picture and asks how many."""

    def __init__(self, shop: Shop, public_base_url: str) -> None:
        super().__init__(shop)
        self._pictures = f"{public_base_url}/pictures"

    def name(self) -> str:
        return "action_ask_quantity_form_quantity"

    async def answer(self, conversation: Conversation) -> None:
        picked = conversation.tracker.get_slot("product")
        picked_product = await conversation.do(catalogue.ProductDetails, cart.ask_quantity, picked)
        product, currency = picked_product.product, conversation.shop.policy.currency
        values = {
            "product_name": product.name,
            "description": product.description,
            "price": amount(product.price, currency),
            "choices": product_choices(picked_product, currency),
        }
        # The picture is shown once; asked again, the question alone is enough.
        asked_before = conversation.tracker.get_slot("requested_slot") == "quantity"
        if product.picture and not asked_before:
            conversation.say("utter_ask_quantity", image=f"{self._pictures}/{product.picture}", **values)
        elif asked_before:
            conversation.say("utter_ask_quantity_again", **values)
        else:
            conversation.say("utter_ask_quantity", **values)


class ValidateQuantity(ShopAction):
    """Accepts a quantity that the shop can sell; says what is wrong with any other."""

    def name(self) -> str:
        return "validate_quantity_form"

    async def answer(self, conversation: Conversation) -> None:
        given = conversation.tracker.slots_to_validate().get("quantity")
        if given is None:
            return
        product = conversation.tracker.get_slot("product")
        try:
            quantity: int | None = await conversation.look(cart.check_quantity, product, str(given))
        except ShopError as refusal:
            refuse(conversation, refusal)
            await proposing.note(conversation, MisunderstandingKind.FALLBACK)
            quantity = None
        conversation.set(quantity=quantity)
