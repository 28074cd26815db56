"""A product is picked: by a number of the list that was shown, by a name, or with whole order lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rasa_sdk.events import FollowupAction

from actions import proposing
from actions.base import QUANTITY_REFUSALS, refuse
from actions.browsing_products import show
from actions.conversation import Conversation
from actions.formatting import shown_choices
from actions.kept_wish import WISH_SLOT, KeptWish
from actions.understood import Understood
from db.models import MisunderstandingKind
from shop import cart, catalogue
from shop.cart_lines import WantedLine
from shop.conversation import ConversationState
from shop.errors import UnknownOption, UnknownProduct

MOST_AT_ONCE = 3
"""A longer list is not taken as a whole: "all" may be said of something else."""


def kept_wish(conversation: Conversation) -> KeptWish:
    """What was said along with the list that was shown."""
    return KeptWish.from_slot(conversation.tracker.get_slot(WISH_SLOT))


def shown_list(conversation: Conversation) -> list[catalogue.Choice]:
    """The numbered list that was shown last."""
    return shown_choices(conversation.tracker.get_slot("choices"))


def narrowed(conversation: Conversation, lines: Sequence[WantedLine]) -> list[WantedLine]:
    """Lines as they are meant while a list is on the screen: of several products the one that stands in it,
    and what was said along with the list goes for it."""
    if conversation.state != ConversationState.BROWSING_PRODUCTS:
        return list(lines)
    listed = {choice.id for choice in shown_list(conversation)}
    kept = kept_wish(conversation)
    result = []
    for line in lines:
        there = [product for product in line.products if product in listed]
        if len(there) == 1:
            name = line.name if len(line.products) == 1 else _name_of(conversation, there[0])
            result += kept.lines_of(replace(line, products=(there[0],), name=name))
        else:
            result.append(line)
    return result


def _name_of(conversation: Conversation, product: str) -> str:
    return next(choice.name for choice in shown_list(conversation) if choice.id == product)


def place_of(understood: Understood, length: int) -> str:
    """The number in a list that "2", "the second" or "the last" means."""
    if understood.ordinal is None:
        return str(understood.number)
    return str(length if understood.ordinal < 0 else understood.ordinal)


async def pick(conversation: Conversation) -> None:
    """A number of the list, several of them, a category, or words that may name a product."""
    understood = conversation.understood
    kept = KeptWish.of(understood, next(iter(understood.lines), None))
    try:
        if understood.category and not understood.lines:
            shown = await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category)
            selection = catalogue.Selection(choices=shown)
        elif understood.picks_from_list:
            several = _several_places(understood, shown_list(conversation))
            if several:
                await take(conversation, [kept_wish(conversation).apply_to(line) for line in several])
                return
            selection, kept = await _choose(conversation)
        else:
            selection = await conversation.do(
                catalogue.Selection, catalogue.select, understood.product_ids, understood.asked
            )
    except UnknownProduct as refusal:
        if await proposing.offer(conversation):
            return
        await proposing.note(conversation, MisunderstandingKind.FALLBACK)
        refuse(conversation, refusal)
        conversation.leave_form()
        show(conversation, await conversation.do(catalogue.Choices, catalogue.show_menu))
        return
    await picked(conversation, selection, kept)


async def recount(conversation: Conversation) -> bool:
    """ "Wait, make that three", of what is still to be picked from the list on the screen: the list again;
    False where nothing was counted that is still to be picked."""
    understood, kept, shown = conversation.understood, kept_wish(conversation), shown_list(conversation)
    several = [line for line in understood.lines if len(line.products) > 1] or understood.of_kind
    quantity = several[0].quantity if several else None if understood.lines else understood.number
    open_list = conversation.state == ConversationState.BROWSING_PRODUCTS and kept.quantity is not None
    if not (open_list and quantity) or any(choice.kind != "product" for choice in shown):
        return False
    asked = (several[0].name or understood.category or "") if several else ""
    selection = await conversation.do(
        catalogue.Selection, catalogue.select, [choice.id for choice in shown], asked
    )
    await picked(conversation, selection, kept.counted(quantity))
    return True


async def _choose(conversation: Conversation) -> tuple[catalogue.Selection, KeptWish]:
    """What stands at one place of the list that was shown, and what was said along with it."""
    understood, shown = conversation.understood, shown_list(conversation)
    kept = kept_wish(conversation)
    if understood.ordinal is not None and understood.number is not None:
        kept = replace(kept, quantity=understood.number)  # "2 of the third one"
    number = place_of(understood, len(shown))
    return await conversation.do(catalogue.Selection, catalogue.choose_number, number, shown), kept


def _several_places(understood: Understood, shown: Sequence[catalogue.Choice]) -> list[WantedLine]:
    """The lines of "1 and 3", or of "both" where two products were shown; none where one is picked."""
    if not all(choice.kind == "product" for choice in shown):
        return []
    numbers = understood.free_numbers
    if understood.for_all and len(shown) <= MOST_AT_ONCE:
        meant = list(shown)
    elif len(numbers) > 1 and all(_is_place(one, len(shown)) for one in numbers):
        meant = [shown[int(one) - 1] for one in numbers]
    else:
        return []
    quantity = understood.number if understood.for_all else None
    return [WantedLine((one.id,), one.name, quantity) for one in meant]


def _is_place(number: str, length: int) -> bool:
    return number.isdigit() and 1 <= int(number) <= length


async def picked(conversation: Conversation, selection: catalogue.Selection, kept: KeptWish) -> None:
    """Go on from a selection: a shorter list, the cart, or the question how many."""
    if selection.choices is not None:
        conversation.leave_form()
        show(conversation, selection.choices, kept)
        return
    assert selection.product is not None
    lines = kept.lines_of(WantedLine((str(selection.product.id),), selection.product.name, None))
    if lines[0].quantity is None:
        ask_quantity(conversation, lines[0].products[0])
    elif await take(conversation, lines) and kept.checks_out:
        conversation.events.append(FollowupAction("action_checkout"))


async def take(conversation: Conversation, lines: Sequence[WantedLine]) -> bool:
    """Add lines; whether they could be. Of a lone one that could not, ask how many."""
    try:
        changed = await conversation.do(cart.CartChange, cart.add_lines, lines)
    except UnknownOption as refusal:
        if all(line.options == () == line.removals for line in lines):
            raise
        refuse(conversation, refusal)
        return await take(conversation, [replace(line, options=(), removals=()) for line in lines])
    except QUANTITY_REFUSALS as refusal:
        refuse(conversation, refusal)
        if len(lines) == 1:
            ask_quantity(conversation, lines[0].products[0])
        return False
    conversation.leave_form()
    conversation.set(product=None, quantity=None, **{WISH_SLOT: None})
    say_added(conversation, changed)
    return True


def say_added(conversation: Conversation, changed: cart.CartChange) -> None:
    """Say what went into the cart, and what is in it now."""
    conversation.say("utter_added", added=changed.product, **conversation.values_of(changed.cart))


def ask_quantity(conversation: Conversation, product: str) -> None:
    """Ask how many of a product."""
    conversation.set(product=product, quantity=None, **{WISH_SLOT: None})
    conversation.events.append(FollowupAction("quantity_form"))


async def go_on(conversation: Conversation) -> None:
    """What else the message asked for: something that is on no menu, one of several, to pay."""
    understood = conversation.understood
    for option, product in understood.refused:
        conversation.say("utter_unknown_option", asked=option, product=product)
    if understood.unknown:
        if await proposing.offer(conversation, understood.product_ids):
            return
        await proposing.note(conversation, MisunderstandingKind.FALLBACK)
    for asked in understood.unknown:
        conversation.say("utter_not_on_menu", asked=asked)
    several = next((one for one in narrowed(conversation, understood.lines) if len(one.products) > 1), None)
    if several is not None:
        selection = await conversation.do(
            catalogue.Selection, catalogue.select, list(several.products), several.name
        )
        await picked(conversation, selection, KeptWish.of(understood, several))
    elif understood.category and understood.lines:
        shown = await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category)
        show(conversation, shown, KeptWish.of(understood))
    elif understood.and_checkout and not understood.unknown:
        conversation.events.append(FollowupAction("action_checkout"))
