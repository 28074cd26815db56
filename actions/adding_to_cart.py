"""ADDING_TO_CART: a product is picked, its quantity is known, the cart is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions.base import ShopAction
from actions.changing_the_cart import exchange, note_correction, set_quantities
from actions.conversation import Conversation
from actions.kept_wish import WISH_SLOT
from actions.picking import ask_quantity, go_on, narrowed, pick, recount, say_added, take
from shop import cart, catalogue
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import EmptyCart


class SelectProduct(ShopAction):
    """Takes what the customer picks: a number of the shown list, a name, or whole order lines."""

    is_guessed = True

    def name(self) -> str:
        return "action_select_product"

    async def answer(self, conversation: Conversation) -> None:
        understood = conversation.understood
        lines = narrowed(conversation, understood.lines)
        clear = [line for line in lines if len(line.products) == 1]
        if understood.removed:
            await exchange(conversation, clear)
        elif understood.again is not None and not lines:
            await _add_again(conversation, understood.again)
        elif understood.corrects and not clear and await recount(conversation):
            return
        elif understood.corrects and clear and not conversation.asks_how_many:
            await self._correct(conversation, clear)
        elif answered := _answer_how_many(conversation):
            await take(conversation, [answered, *clear])
        elif not clear or (understood.unsure and len(lines) == 1):
            await pick(conversation)
        else:
            await self._take_lines(conversation, clear)

    async def _correct(self, conversation: Conversation, lines: Sequence[WantedLine]) -> None:
        """ "No, i meant the zobo": it takes the place of what was added last; "actually 1 cola", of colas
        that are there: so many of them."""
        try:
            held = {str(line.product_id) for line in (await conversation.look(cart.current)).lines}
        except EmptyCart:
            held = set()
        await note_correction(conversation)
        line = lines[0]
        if not held:
            await self._take_lines(conversation, lines)
        elif line.products[0] in held and line.quantity is not None:
            await set_quantities(conversation, [line])
        else:
            await exchange(conversation, lines)

    async def _take_lines(self, conversation: Conversation, lines: Sequence[WantedLine]) -> None:
        """Add the lines that name one product; a lone product without a quantity is asked about."""
        understood = conversation.understood
        lone = len(understood.lines) == 1 and not understood.and_checkout
        if lone and lines[0].quantity is None and not lines[0].is_wished:
            selection = await conversation.do(
                catalogue.Selection, catalogue.select, list(lines[0].products), lines[0].name
            )
            assert selection.product is not None
            ask_quantity(conversation, str(selection.product.id))
        elif await take(conversation, lines):
            await go_on(conversation)


def _answer_how_many(conversation: Conversation) -> WantedLine | None:
    """ "2 large ones", where it was asked how many: the product that was asked about, so wished."""
    understood = conversation.understood
    change = next(iter(understood.changes), None)
    if not conversation.asks_how_many or change is None or not (change.quantity or understood.number):
        return None
    product = str(conversation.tracker.get_slot("product"))
    return replace(change, products=(product,), quantity=change.quantity or understood.number)


async def _add_again(conversation: Conversation, line: WantedLine) -> None:
    """ "Another one", "the same again": more of what was added last, or picked from the list."""
    say_added(conversation, await conversation.do(cart.CartChange, cart.add_again, line))
    conversation.leave_form()
    await go_on(conversation)


class AddToCart(ShopAction):
    """Adds what the quantity form collected, and what else the same message asks for."""

    def name(self) -> str:
        return "action_add_to_cart"

    async def answer(self, conversation: Conversation) -> None:
        product, quantity = (conversation.tracker.get_slot(slot) for slot in ("product", "quantity"))
        conversation.set(product=None, quantity=None, **{WISH_SLOT: None})
        asked = WantedLine((str(product),), "", str(quantity))
        others = [line for line in conversation.understood.lines if len(line.products) == 1]
        changed = await conversation.do(cart.CartChange, cart.add_lines, [asked, *others])
        say_added(conversation, changed)
        await go_on(conversation)


class ViewCart(ShopAction):
    """Shows the cart with tax."""

    def name(self) -> str:
        return "action_view_cart"

    async def answer(self, conversation: Conversation) -> None:
        conversation.say("utter_cart", **conversation.values_of(await conversation.look(cart.current)))


class ApplyDiscount(ShopAction):
    """Puts a discount on the cart by its code."""

    def name(self) -> str:
        return "action_apply_discount"

    async def answer(self, conversation: Conversation) -> None:
        words = conversation.understood.words
        discounted = await conversation.do(CartView, cart.apply_discount, words)
        conversation.say("utter_discount_applied", **conversation.values_of(discounted))
