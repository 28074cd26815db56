"""ADDING_TO_CART: a product is picked, the cart is looked at and changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from rasa_sdk.events import FollowupAction

from actions.base import QUANTITY_REFUSALS, ShopAction, refuse
from actions.browsing_products import show
from actions.conversation import Conversation
from actions.formatting import shown_choices
from shop import cart, catalogue
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import EmptyCart, UnknownProduct


class SelectProduct(ShopAction):
    """Takes what the customer picks: a number of the shown list, a name, or whole order lines."""

    def name(self) -> str:
        return "action_select_product"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        clear = [line for line in understood.lines if len(line.products) == 1]
        if understood.removed:
            await _remove_lines(conversation)
        if not clear or (understood.unsure and len(understood.lines) == 1):
            if understood.lines or not understood.removed:
                await self._pick(conversation)
            return
        await self._take_lines(conversation, clear)

    async def _take_lines(self, conversation: Conversation, lines: Sequence[WantedLine]) -> None:
        """Add the lines that name one product; a lone product without a quantity is asked about."""
        understood = conversation.understood
        lone = len(understood.lines) == 1 and not understood.removed and not understood.and_checkout
        if lone and lines[0].quantity is None and not _is_wished(lines[0]):
            selection = await conversation.do(
                catalogue.Selection, catalogue.select, list(lines[0].products), lines[0].name
            )
            await _picked(conversation, selection, quantity=None)
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
        await self._go_on(conversation)

    async def _go_on(self, conversation: Conversation) -> None:
        """What else the message asked for: something that is on no menu, one of several, to pay."""
        understood = conversation.understood
        for option, product in understood.refused:
            conversation.say("utter_unknown_option", asked=option, product=product)
        for asked in understood.unknown:
            conversation.say("utter_not_on_menu", asked=asked)
        several = next((line for line in understood.lines if len(line.products) > 1), None)
        if several is not None:
            selection = await conversation.do(
                catalogue.Selection, catalogue.select, list(several.products), several.name
            )
            await _picked(conversation, selection, several.quantity)
        elif understood.and_checkout and not understood.unknown:
            conversation.events.append(FollowupAction("action_checkout"))

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
                number = understood.number or _place(understood.ordinal, len(shown_before))
                selection = await conversation.do(
                    catalogue.Selection, catalogue.choose_number, number, shown_before
                )
            else:
                selection = await conversation.do(
                    catalogue.Selection, catalogue.select, understood.product_ids, understood.asked
                )
        except UnknownProduct as refusal:
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
        quantity = (line.quantity if line else None) or understood.number
        if quantity is None:
            conversation.say("utter_what_can_be_changed")
            return
        product = await _in_cart(conversation, line) if line else await _by_place(conversation)
        asked = line.name if line else ""
        changed = await conversation.do(cart.CartChange, cart.set_quantity, product, asked, quantity)
        conversation.leave_form()
        conversation.say(
            "utter_quantity_changed",
            product_name=changed.product,
            quantity=changed.quantity,
            **conversation.values_of(changed.cart),
        )


class RemoveItem(ShopAction):
    """Takes something out of the cart."""

    def name(self) -> str:
        return "action_remove_item"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        line = understood.lines[0] if understood.lines else None
        change = line if line and line.removals else next(iter(understood.changes), None)
        if change is not None and change.removals:
            await _change_options(conversation, change)
            return
        if understood.removed:
            await _remove_lines(conversation)
            return
        product = await _in_cart(conversation, line) if line else await _by_place(conversation)
        asked = line.name if line else understood.asked if understood.named else ""
        changed = await conversation.do(cart.CartChange, cart.remove, product, asked)
        conversation.leave_form()
        _say_removed(conversation, changed)


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


def say_added(conversation: Conversation, changed: cart.CartChange) -> None:
    """Say what went into the cart, and what is in it now."""
    conversation.say("utter_added", added=changed.product, **conversation.values_of(changed.cart))


async def _remove_lines(conversation: Conversation) -> None:
    """Take the lines that were named out of the cart, each told by itself."""
    for line in conversation.understood.removed:
        product = await _in_cart(conversation, line)
        changed = await conversation.do(cart.CartChange, cart.remove, product, line.name)
        conversation.leave_form()
        _say_removed(conversation, changed)


def _say_removed(conversation: Conversation, changed: cart.CartChange) -> None:
    if changed.cart.lines:
        values = conversation.values_of(changed.cart)
        conversation.say("utter_removed", product_name=changed.product, **values)
    else:
        conversation.say("utter_removed_last", product_name=changed.product)


def _place(ordinal: int | None, length: int) -> str:
    """The number in a list that "the second" or "the last" (-1) means."""
    return str(length if ordinal is None or ordinal < 0 else ordinal)


async def _by_place(conversation: Conversation) -> str | None:
    """The product that "the second one" of the cart is; None where no place was said."""
    ordinal = conversation.understood.ordinal
    if ordinal is None:
        return None
    lines = (await conversation.look(cart.current)).lines
    place = int(_place(ordinal, len(lines)))
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
