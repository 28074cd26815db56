"""ADDING_TO_CART, what is in the cart already: how many of it, how it is wanted, what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rasa_sdk.events import FollowupAction

from actions import proposing
from actions.base import ShopAction
from actions.browsing_products import show
from actions.conversation import Conversation
from actions.kept_wish import WISH_SLOT, KeptWish
from actions.picking import go_on, place_of, recount, say_added, take
from db.models import MisunderstandingKind
from shop import cart, catalogue
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import EmptyCart

BOTH = 2
ADDED = "utter_added"


class ModifyItem(ShopAction):
    """Changes how many of something are in the cart, or how it is wanted."""

    is_guessed = True

    def name(self) -> str:
        return "action_modify_item"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        line = understood.lines[0] if understood.lines else None
        change = line if line and line.is_wished else next(iter(understood.changes), None)
        if change is None and await recount(conversation):
            return
        if change is not None:
            await _change_options_or_ask_which(conversation, change)
            return
        counted = [one for one in understood.lines if one.quantity is not None]
        if not counted:
            counted = await self._counted(conversation, line)
        if not counted:
            conversation.say("utter_what_can_be_changed")
            return
        await set_quantities(conversation, counted)

    async def _counted(self, conversation: Conversation, line: WantedLine | None) -> list[WantedLine]:
        """The line that a number is said for apart from its name: "make it 3", "the second one, 2"."""
        understood = conversation.understood
        if line is None and understood.kind:
            line = WantedLine(understood.kind, str(understood.category), understood.category_quantity)
        quantity = (line.quantity if line else None) or understood.number
        if quantity is None:
            return []
        if line is None:
            await _note_change_of_what_was_just_added(conversation)
        return [replace(line or await _by_place(conversation), quantity=quantity)]


class RemoveItem(ShopAction):
    """Takes something out of the cart."""

    is_guessed = True

    def name(self) -> str:
        return "action_remove_item"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        line = understood.lines[0] if understood.lines else None
        change = line if line and (line.removals or line.without) else next(iter(understood.changes), None)
        if change is not None and (change.removals or change.without):
            await _change_options(conversation, change)
        elif understood.removed or understood.lines or understood.category:
            await exchange(conversation, [])
        elif understood.for_all:
            await self._remove_both(conversation)
        else:
            named = understood.asked if understood.named else ""
            if not named:
                await _note_change_of_what_was_just_added(conversation)
            meant = replace(await _by_place(conversation), name=named)
            await _say_exchanged(
                conversation, await conversation.do(cart.Exchanged, cart.exchange, [meant], [])
            )

    async def _remove_both(self, conversation: Conversation) -> None:
        """ "Remove both": where there are more, it has to be asked which."""
        if len((await conversation.look(cart.current)).lines) > BOTH:
            conversation.say("utter_what_can_be_changed")
        else:
            await _clear(conversation, [])


class ClearCart(ShopAction):
    """Empties the cart, and takes what is ordered in the same message."""

    def name(self) -> str:
        return "action_clear_cart"

    async def answer(self, conversation: Conversation) -> None:
        await _clear(
            conversation, [line for line in conversation.understood.lines if len(line.products) == 1]
        )


class UndoChange(ShopAction):
    """Takes back the last change of the cart."""

    def name(self) -> str:
        return "action_undo"

    async def answer(self, conversation: Conversation) -> None:
        restored = await conversation.do(CartView, cart.undo)
        await note_correction(conversation)
        conversation.leave_form()
        if restored.lines:
            conversation.say("utter_undone", **conversation.values_of(restored))
        else:
            conversation.say("utter_undone_to_empty")


async def note_correction(conversation: Conversation) -> None:
    """What was typed before was taken for something else than it was meant as."""
    kind = MisunderstandingKind.CORRECTION
    await proposing.note(conversation, kind, conversation.text_before, {"then": conversation.text})


async def _note_change_of_what_was_just_added(conversation: Conversation) -> None:
    """ "Make it 3", "remove it", straight after something was added: perhaps not what had been meant."""
    if ADDED in conversation.answered_before():
        await note_correction(conversation)


async def set_quantities(conversation: Conversation, lines: Sequence[WantedLine]) -> None:
    """Set how many of lines that are in the cart; none of something takes it out."""
    changed = await conversation.do(cart.Exchanged, cart.set_quantities, lines)
    conversation.leave_form()
    if changed.removed:
        _say_removed(conversation, changed.removed, changed.cart)
    if changed.added:
        values = conversation.values_of(changed.cart)
        conversation.say("utter_quantity_changed", changed=changed.added, **values)


async def exchange(conversation: Conversation, added: Sequence[WantedLine]) -> None:
    """Take out what is to go, put in what is to come, and go on with the rest of the message."""
    understood = conversation.understood
    removed = list(understood.removed)
    if not removed and understood.corrects:
        removed = [WantedLine((), "", None)]  # what was added last
    elif not removed and understood.category:
        removed = [WantedLine(understood.kind, understood.category, understood.category_quantity)]
    elif not removed:
        removed = list(understood.lines)
    elif not added:
        added = [line for line in understood.lines if len(line.products) == 1]
    exchanged = await conversation.do(cart.Exchanged, cart.exchange, removed, added)
    await _say_exchanged(conversation, exchanged)
    if added:
        await go_on(conversation)
    elif understood.and_checkout and exchanged.cart.lines:
        conversation.events.append(FollowupAction("action_checkout"))


async def _say_exchanged(conversation: Conversation, exchanged: cart.Exchanged) -> None:
    """Say what went and what came; the question how many of something else stays open."""
    if exchanged.added or not conversation.asks_how_many or await _asked_for_went(conversation):
        conversation.leave_form()
        conversation.set(product=None, quantity=None)
    if not exchanged.added:
        _say_removed(conversation, exchanged.removed, exchanged.cart)
    elif exchanged.removed:
        values = conversation.values_of(exchanged.cart)
        conversation.say("utter_exchanged", removed=exchanged.removed, added=exchanged.added, **values)
    else:
        values = conversation.values_of(exchanged.cart)
        conversation.say("utter_added", added=exchanged.added, **values)


async def _asked_for_went(conversation: Conversation) -> bool:
    """Whether the very product that the customer is asked about is what was taken out."""
    asked_about = conversation.tracker.get_slot("product")
    gone = (product for line in conversation.understood.removed for product in line.products)
    return asked_about in gone


def _say_removed(conversation: Conversation, removed: str, view: CartView) -> None:
    if view.lines:
        conversation.say("utter_removed", product_name=removed, **conversation.values_of(view))
    else:
        conversation.say("utter_removed_last", product_name=removed)


async def _clear(conversation: Conversation, instead: Sequence[WantedLine]) -> None:
    changed = await conversation.do(cart.CartChange, cart.clear, instead)
    conversation.leave_form()
    conversation.set(product=None, quantity=None, **{WISH_SLOT: None})
    if instead:
        say_added(conversation, changed)
        await go_on(conversation)
    else:
        conversation.say("utter_cart_cleared")


async def _by_place(conversation: Conversation) -> WantedLine:
    """The line that "the second one" of the cart is; the newest where no place was said."""
    understood = conversation.understood
    newest = WantedLine((), "", None)
    if understood.ordinal is None:
        return newest
    lines = (await conversation.look(cart.current)).lines
    place = int(place_of(understood, len(lines)))
    return replace(newest, products=(str(lines[place - 1].product_id),)) if place <= len(lines) else newest


async def _change_options_or_ask_which(conversation: Conversation, change: WantedLine) -> None:
    understood = conversation.understood
    try:
        await _change_options(conversation, change)
    except EmptyCart:
        if understood.category is None:
            # "3 chicken burgers, all without mayo", with nothing in the cart yet: they are ordered.
            if len(change.products) != 1:
                raise
            await take(conversation, [change])
            return
        # "a large burger": which one?
        shown = await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category)
        show(conversation, shown, KeptWish.of(understood))


async def _change_options(conversation: Conversation, change: WantedLine) -> None:
    understood = conversation.understood
    if not change.products:
        change = replace(change, products=understood.kind or (await _by_place(conversation)).products)
    everywhere = understood.for_all
    changed = await conversation.do(cart.CartChange, cart.change_options, change, everywhere=everywhere)
    conversation.leave_form()
    conversation.say(
        "utter_options_changed", product_name=changed.product, **conversation.values_of(changed.cart)
    )
