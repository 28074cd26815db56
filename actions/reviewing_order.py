"""REVIEWING_ORDER: how the order is to be had and paid, what it would be, and the customer's yes or no."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk.events import FollowupAction

from actions.base import ShopAction, refuse
from actions.conversation import Conversation
from actions.paying import MAY_BE_CALLED, find_awaited, say_how_to_pay, say_not_paid_yet
from db.models import Fulfilment
from shop import checkout, fulfilment
from shop.cart_view import CartView
from shop.errors import LineChange, ShopError, UnknownPaymentMethod
from shop.money import format_money

# More likely than everything else together.
CLEARLY = 0.5
NOT_ASKED = ""
"""A slot of the form that needs no question."""


class Checkout(ShopAction):
    """Starts the checkout form where there is something to check out; or tells how the order is paid that is
    made already."""

    def name(self) -> str:
        return "action_checkout"

    async def answer(self, conversation: Conversation) -> None:
        awaited = await find_awaited(conversation)
        if awaited is not None:  # nothing was changed since the order was made
            await say_not_paid_yet(conversation, awaited)
            return
        try:
            handover = await conversation.do(checkout.Handover, checkout.begin)
        except ShopError as refusal:
            conversation.leave_form()
            refuse(conversation, refusal)
            return
        conversation.set(
            order_confirmed=None, product=None, quantity=None, **self._known(conversation, handover)
        )
        conversation.events.append(FollowupAction("checkout_form"))

    def _known(self, conversation: Conversation, handover: checkout.Handover) -> dict[str, str | None]:
        """The answers that the form need not ask for."""
        policy = conversation.shop.policy
        known: dict[str, str | None] = {"fulfilment": None, "delivery_address": None, "payment_method": None}
        if policy.delivery_fee is None:
            known |= {"fulfilment": Fulfilment.PICKUP.value, "delivery_address": NOT_ASKED}
        elif handover.delivery_address:
            known |= {
                "fulfilment": handover.fulfilment,
                "delivery_address": handover.delivery_address,
            }
        if len(policy.payment_providers) == 1 or not conversation.shop.flags.payment_processing:
            known["payment_method"] = policy.payment_providers[0]
        return known


class AskPaymentMethod(ShopAction):
    """Lists the ways to pay that the shop takes."""

    def name(self) -> str:
        return "action_ask_checkout_form_payment_method"

    async def answer(self, conversation: Conversation) -> None:
        conversation.say("utter_ask_payment_method")
        for number, method in enumerate(conversation.shop.policy.payment_providers, start=1):
            conversation.say(f"utter_pay_by_{method}", number=number)


class AskConfirmation(ShopAction):
    """Shows the order with tax and asks for the yes."""

    def name(self) -> str:
        return "action_ask_checkout_form_order_confirmed"

    async def answer(self, conversation: Conversation) -> None:
        try:
            reviewed = await conversation.do(CartView, checkout.review)
        except ShopError as refusal:
            conversation.leave_form()
            refuse(conversation, refusal)
            return
        conversation.say("utter_ask_confirmation", **conversation.values_of(reviewed))


class ValidateCheckout(ShopAction):
    """Takes pickup or delivery, an address, a way to pay, and only a clear yes for a yes."""

    def name(self) -> str:
        return "validate_checkout_form"

    async def answer(self, conversation: Conversation) -> None:
        given = conversation.tracker.slots_to_validate()
        checks = {
            "fulfilment": self._fulfilment,
            "delivery_address": self._address,
            "payment_method": self._payment_method,
            "order_confirmed": self._confirmed,
        }
        for slot, check in checks.items():
            if given.get(slot) is None:
                continue  # nothing was said of it: the form steps back, and a rule answers
            try:
                await check(conversation, given[slot])
            except ShopError as refusal:
                refuse(conversation, refusal)
                conversation.set(**{slot: None})

    async def _fulfilment(self, conversation: Conversation, value: str) -> None:
        if value == Fulfilment.PICKUP.value:
            await conversation.do(CartView, fulfilment.choose_pickup)
            conversation.set(fulfilment=value, delivery_address=NOT_ASKED)
        else:
            await conversation.do(CartView, fulfilment.choose_delivery)
            conversation.set(fulfilment=value, delivery_address=None)

    async def _address(self, conversation: Conversation, value: str) -> None:
        if value != NOT_ASKED:
            await conversation.do(CartView, fulfilment.choose_delivery, value)
        conversation.set(delivery_address=value)

    async def _payment_method(self, conversation: Conversation, value: Any) -> None:
        offered = conversation.shop.policy.payment_providers
        conversation.set(payment_method=method_named(str(value), conversation.understood.number, offered))

    async def _confirmed(self, conversation: Conversation, value: bool) -> None:
        """It costs money: an unclear yes is none."""
        clear = conversation.understood.confidence >= CLEARLY
        conversation.set(order_confirmed=None if value and not clear else value)


class PlaceOrder(ShopAction):
    """Makes the order, or keeps the cart, as the customer said."""

    def name(self) -> str:
        return "action_place_order"

    async def answer(self, conversation: Conversation) -> None:
        confirmed = conversation.tracker.get_slot("order_confirmed")
        conversation.set(order_confirmed=None, choices=None)
        if not confirmed:
            kept = await conversation.do(CartView, checkout.decline)
            conversation.say("utter_not_ordered", **conversation.values_of(kept))
            return
        method = conversation.tracker.get_slot("payment_method") or None
        try:
            outcome = await conversation.do(checkout.Confirmation, checkout.confirm, method)
        except ShopError as refusal:
            await conversation.do(CartView, checkout.decline)
            refuse(conversation, refusal)
            return
        if outcome.placed is None:
            _ask_again(conversation, outcome)
        else:
            await say_how_to_pay(conversation, outcome.placed)


def method_named(words: str, number: str | None, offered: tuple[str, ...]) -> str:
    """The way to pay that a number of the list or words name.

    Raises:
        UnknownPaymentMethod
    """
    if words in offered:
        return words
    if number is not None and number in map(str, range(1, len(offered) + 1)):
        return offered[int(number) - 1]
    said = set(re.findall(r"\w+", words.lower()))
    for method in offered:
        if said & MAY_BE_CALLED[method]:
            return method
    raise UnknownPaymentMethod()


def _ask_again(conversation: Conversation, outcome: checkout.Confirmation) -> None:
    """Prices or stock changed since the customer saw the order: say exactly what, and ask again."""
    for change in outcome.changes:
        _say_change(conversation, change)
    if outcome.lost_code:
        conversation.say("utter_unknown_discount", code=outcome.lost_code)
    if outcome.cart is None:
        conversation.say("utter_cart_empty")
    else:
        conversation.events.append(FollowupAction("checkout_form"))


def _say_change(conversation: Conversation, change: LineChange) -> None:
    currency = conversation.shop.policy.currency
    if change.kind in ("price", "total"):
        before, after = (format_money(value, currency) for value in (change.before, change.after))
        conversation.say(
            f"utter_changed_{change.kind}", product_name=change.product, before=before, after=after
        )
    elif change.kind == "time":
        conversation.say("utter_changed_time")
    elif change.after > 0:
        conversation.say("utter_changed_stock", product_name=change.product, left=int(change.after))
    else:
        conversation.say("utter_changed_gone", product_name=change.product)
