"""ADDING_TO_CART: a product is picked, the cart is looked at and changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from rasa_sdk.events import FollowupAction

from actions import proposing
from actions.base import QUANTITY_REFUSALS, ShopAction, refuse
from actions.browsing_products import show
from actions.conversation import Conversation
from actions.formatting import shown_choices
from actions.understood import Understood
from db.models import MisunderstandingKind
from shop import cart, catalogue
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import EmptyCart, UnknownProduct


class SelectProduct(ShopAction):
    """Takes what the customer picks: a number of the shown list, a name, or whole order lines."""

    is_guessed = True

    def name(self) -> str:
        return "action_select_product"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        clear = [line for line in understood.lines if len(line.products) == 1]
        if understood.removed:
            await _exchange(conversation, clear)
        elif understood.corrects and clear and not conversation.tracker.active_loop.get("name"):
            await self._correct(conversation, clear)
        elif not clear or (understood.unsure and len(understood.lines) == 1):
            await self._pick(conversation)
        else:
            await self._take_lines(conversation, clear)

    async def _correct(self, conversation: Conversation, lines: Sequence[WantedLine]) -> None:
        """ "No, i meant the zobo": it takes the place of what was added last; "actually 1 cola", of colas
        that are there: so many of them."""
        try:
            held = {str(line.product_id) for line in (await conversation.look(cart.current)).lines}
        except EmptyCart:
            held = set()
        await _note_correction(conversation)
        line = lines[0]
        if not held:
            await self._take_lines(conversation, lines)
        elif line.products[0] in held and line.quantity is not None:
            await _set_quantity(conversation, line.products[0], line.name, line.quantity)
        else:
            await _exchange(conversation, lines)

    async def _take_lines(self, conversation: Conversation, lines: Sequence[WantedLine]) -> None:
        """Add the lines that name one product; a lone product without a quantity is asked about."""
        understood = conversation.understood
        lone = len(understood.lines) == 1 and not understood.and_checkout
        if lone and lines[0].quantity is None and not _is_wished(lines[0]):
            selection = await conversation.do(
                catalogue.Selection, catalogue.select, list(lines[0].products), lines[0].name
            )
            await _picked(conversation, selection, _kept_quantity(conversation, lines[0].products[0]))
            return
        try:
            changed = await conversation.do(cart.CartChange, cart.add_lines, lines)
        except QUANTITY_REFUSALS as refusal:
            refuse(conversation, refusal)
            if len(lines) == 1:
                _ask_quantity(conversation, lines[0].products[0])
            return
        conversation.leave_form()
        conversation.set(product=None, quantity=None)
        say_added(conversation, changed)
        await _go_on(conversation)

    async def _pick(self, conversation: Conversation) -> None:
        """A number of the list, a category, or words that may name a product."""
        understood = conversation.understood
        said = understood.lines[0].quantity if understood.lines else None
        quantity = said or understood.category_quantity or conversation.tracker.get_slot("quantity")
        try:
            if understood.category and not understood.lines:
                shown = await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category)
                selection = catalogue.Selection(choices=shown)
            elif understood.picks_from_list:
                shown_before = shown_choices(conversation.tracker.get_slot("choices"))
                number = _place(understood, len(shown_before))
                if understood.ordinal is not None:
                    quantity = understood.number or quantity
                selection = await conversation.do(
                    catalogue.Selection, catalogue.choose_number, number, shown_before
                )
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
        await _picked(conversation, selection, quantity)


class AddToCart(ShopAction):
    """Adds what the quantity form collected."""

    def name(self) -> str:
        return "action_add_to_cart"

    async def answer(self, conversation: Conversation) -> None:
        product, quantity = (conversation.tracker.get_slot(slot) for slot in ("product", "quantity"))
        conversation.set(product=None, quantity=None)
        changed = await conversation.do(cart.CartChange, cart.add, product, quantity)
        say_added(conversation, changed)


class ViewCart(ShopAction):
    """Shows the cart with tax."""

    def name(self) -> str:
        return "action_view_cart"

    async def answer(self, conversation: Conversation) -> None:
        conversation.say("utter_cart", **conversation.values_of(await conversation.look(cart.current)))


class ModifyItem(ShopAction):
    """Changes how many of something are in the cart."""

    is_guessed = True

    def name(self) -> str:
        return "action_modify_item"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        line = understood.lines[0] if understood.lines else None
        change = line if line and _is_wished(line) else next(iter(understood.changes), None)
        if change is not None:
            try:
                await _change_options(conversation, change)
            except EmptyCart:
                if understood.category is None:
                    raise
                # "a large burger", with nothing in the cart yet: which one?
                show(
                    conversation,
                    await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category),
                )
            return
        if line is None and understood.kind:
            line = WantedLine(understood.kind, str(understood.category), understood.category_quantity)
        quantity = (line.quantity if line else None) or understood.number
        if quantity is None:
            conversation.say("utter_what_can_be_changed")
            return
        product = await _in_cart(conversation, line) if line else await _by_place(conversation)
        asked = line.name if line else ""
        await _set_quantity(conversation, product, asked, quantity)


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
            return
        if understood.removed or understood.lines or understood.category:
            await _exchange(conversation, [])
            return
        product = await _by_place(conversation)
        asked = understood.asked if understood.named else ""
        changed = await conversation.do(cart.CartChange, cart.remove, product, asked)
        conversation.leave_form()
        _say_removed(conversation, changed.product, changed.cart)


class ClearCart(ShopAction):
    """Empties the cart."""

    def name(self) -> str:
        return "action_clear_cart"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.do(int, cart.clear)
        conversation.leave_form()
        conversation.say("utter_cart_cleared")


class UndoChange(ShopAction):
    """Takes back the last change of the cart."""

    def name(self) -> str:
        return "action_undo"

    async def answer(self, conversation: Conversation) -> None:
        restored = await conversation.do(CartView, cart.undo)
        await _note_correction(conversation)
        conversation.leave_form()
        if restored.lines:
            conversation.say("utter_undone", **conversation.values_of(restored))
        else:
            conversation.say("utter_undone_to_empty")


class ApplyDiscount(ShopAction):
    """Puts a discount on the cart by its code."""

    def name(self) -> str:
        return "action_apply_discount"

    async def answer(self, conversation: Conversation) -> None:
        words = conversation.understood.words
        discounted = await conversation.do(CartView, cart.apply_discount, words)
        conversation.say("utter_discount_applied", **conversation.values_of(discounted))


async def _note_correction(conversation: Conversation) -> None:
    """What was typed before was taken for something else than it was meant as."""
    kind = MisunderstandingKind.CORRECTION
    await proposing.note(conversation, kind, conversation.text_before, {"then": conversation.text})


def say_added(conversation: Conversation, changed: cart.CartChange) -> None:
    """Say what went into the cart, and what is in it now."""
    conversation.say("utter_added", added=changed.product, **conversation.values_of(changed.cart))


def _kept_quantity(conversation: Conversation, product: str) -> str | None:
    """How many were asked for when the list was shown that this product stands in."""
    shown = shown_choices(conversation.tracker.get_slot("choices"))
    listed = any(choice.id == product for choice in shown)
    return conversation.tracker.get_slot("quantity") if listed else None


async def _set_quantity(conversation: Conversation, product: str | None, asked: str, quantity: str) -> None:
    changed = await conversation.do(cart.CartChange, cart.set_quantity, product, asked, quantity)
    conversation.leave_form()
    conversation.say(
        "utter_quantity_changed",
        product_name=changed.product,
        quantity=changed.quantity,
        **conversation.values_of(changed.cart),
    )


async def _exchange(conversation: Conversation, added: Sequence[WantedLine]) -> None:
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
    if added:
        await _go_on(conversation)
    elif understood.and_checkout and exchanged.cart.lines:
        conversation.events.append(FollowupAction("action_checkout"))


async def _go_on(conversation: Conversation) -> None:
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
    several = next((line for line in understood.lines if len(line.products) > 1), None)
    if several is not None:
        selection = await conversation.do(
            catalogue.Selection, catalogue.select, list(several.products), several.name
        )
        await _picked(conversation, selection, several.quantity)
    elif understood.category and understood.lines:
        conversation.set(quantity=understood.category_quantity)
        show(conversation, await conversation.do(catalogue.Choices, catalogue.show_menu, understood.category))
    elif understood.and_checkout and not understood.unknown:
        conversation.events.append(FollowupAction("action_checkout"))


def _say_removed(conversation: Conversation, removed: str, view: CartView) -> None:
    if view.lines:
        conversation.say("utter_removed", product_name=removed, **conversation.values_of(view))
    else:
        conversation.say("utter_removed_last", product_name=removed)


def _place(understood: Understood, length: int) -> str:
    """The number in a list that "2", "the second" or "the last" means."""
    if understood.ordinal is None:
        return str(understood.number)
    return str(length if understood.ordinal < 0 else understood.ordinal)


async def _by_place(conversation: Conversation) -> str | None:
    """The product that "the second one" of the cart is; None where no place was said."""
    understood = conversation.understood
    if understood.ordinal is None:
        return None
    lines = (await conversation.look(cart.current)).lines
    place = int(_place(understood, len(lines)))
    return str(lines[place - 1].product_id) if 1 <= place <= len(lines) else None


async def _change_options(conversation: Conversation, change: WantedLine) -> None:
    if not change.products and (product := await _by_place(conversation)) is not None:
        change = replace(change, products=(product,))
    if change.products:
        change = replace(change, products=(await _in_cart(conversation, change),))
    changed = await conversation.do(cart.CartChange, cart.change_options, change)
    conversation.leave_form()
    conversation.say(
        "utter_options_changed", product_name=changed.product, **conversation.values_of(changed.cart)
    )


def _is_wished(line: WantedLine) -> bool:
    return bool(line.options or line.removals)


async def _in_cart(conversation: Conversation, line: WantedLine) -> str:
    """Of several products that share the name, the one that is in the cart."""
    if len(line.products) > 1:
        with contextlib.suppress(EmptyCart):
            held = {str(one.product_id) for one in (await conversation.look(cart.current)).lines}
            return next((product for product in line.products if product in held), line.products[0])
    return line.products[0]


async def _picked(conversation: Conversation, selection: catalogue.Selection, quantity: str | None) -> None:
    """Go on from a selection: a shorter list, the cart, or the question how many."""
    if selection.choices is not None:
        conversation.leave_form()
        conversation.set(quantity=quantity)
        show(conversation, selection.choices)
        return
    assert selection.product is not None
    product = str(selection.product.id)
    if quantity is None:
        _ask_quantity(conversation, product)
        return
    conversation.set(quantity=None)
    try:
        changed = await conversation.do(cart.CartChange, cart.add, product, quantity)
    except QUANTITY_REFUSALS as refusal:
        refuse(conversation, refusal)
        _ask_quantity(conversation, product)
        return
    say_added(conversation, changed)


def _ask_quantity(conversation: Conversation, product: str) -> None:
    conversation.set(product=product, quantity=None)
    conversation.events.append(FollowupAction("quantity_form"))
