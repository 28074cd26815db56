"""BROWSING_PRODUCTS: categories, products, search."""

from __future__ import annotations

from actions import proposing
from actions.base import ShopAction, refuse
from actions.conversation import Conversation
from actions.formatting import choice_buttons, choice_list, choice_slot
from actions.kept_wish import WISH_SLOT, KeptWish
from db.models import MisunderstandingKind
from shop import catalogue
from shop.errors import UnknownProduct


class ShowMenu(ShopAction):
    """Shows the categories, or the products of the one that was named."""

    is_guessed = True

    def name(self) -> str:
        return "action_show_menu"

    async def answer(self, conversation: Conversation) -> None:
        category = conversation.understood.category
        shown = await conversation.do(catalogue.Choices, catalogue.show_menu, category)
        conversation.leave_form()
        conversation.set(product=None, quantity=None)
        show(conversation, shown)


class SearchProduct(ShopAction):
    """Says whether there is such a product, and what it costs."""

    is_guessed = True

    def name(self) -> str:
        return "action_search_product"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        try:
            if understood.category and not understood.lines:
                shown = await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category)
            else:
                shown = await conversation.do(
                    catalogue.Choices, catalogue.search, understood.product_ids, understood.asked
                )
        except UnknownProduct as refusal:
            if await proposing.offer(conversation):
                return
            await proposing.note(conversation, MisunderstandingKind.FALLBACK)
            refuse(conversation, refusal)
            shown = await conversation.do(catalogue.Choices, catalogue.show_menu)
        conversation.leave_form()
        conversation.set(product=None, quantity=None)
        show(conversation, shown)


def show(conversation: Conversation, shown: catalogue.Choices, kept: KeptWish | None = None) -> None:
    """Say a numbered list and remember it, so that its numbers are understood.

    Args:
        kept: what was said along with the name that led to the list; it goes for what is picked.
    """
    listed = choice_list(shown, conversation.shop.policy.currency)
    conversation.set(choices=choice_slot(shown), **{WISH_SLOT: (kept or KeptWish()).as_slot()})
    # The shell would ask for one of them and nothing else.
    buttons = choice_buttons(shown) if conversation.can_be_told_unasked else []
    if not shown.choices:
        conversation.say("utter_menu_empty")
    elif shown.category:
        conversation.say("utter_products", category=shown.category, choices=listed, buttons=buttons)
    elif shown.asked:
        conversation.say("utter_suggestions", asked=shown.asked, choices=listed, buttons=buttons)
    else:
        conversation.say("utter_categories", choices=listed, buttons=buttons)
