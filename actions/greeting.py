"""GREETING: a session starts, a customer says hello or begins anew."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecuted, EventType, SessionStarted
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction
from actions.conversation import Conversation
from shop import cart
from shop import conversation as states


class StartSession(ShopAction):
    """Begins a session where PostgreSQL says the customer stands."""

    def name(self) -> str:
        return "action_session_start"

    async def answer(self, conversation: Conversation) -> None:
        told = conversation.is_notice
        session = await conversation.do(states.Session, states.start_session, to_be_told=told)
        conversation.set(
            customer_name=session.name,
            language=session.language,
            cart_items=session.cart_items,
            with_person=session.person,
        )

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """As every action, inside the events that Rasa expects of a session's start."""
        events = await super().run(dispatcher, tracker, domain)
        return [SessionStarted(), *events, ActionExecuted("action_listen")]


class Greet(ShopAction):
    """Answers a greeting; who left something in the cart is told so."""

    def name(self) -> str:
        return "action_greet"

    async def answer(self, conversation: Conversation) -> None:
        slots = conversation.tracker.slots
        business = conversation.shop.policy.business_name
        left = int(slots.get("cart_items") or 0)
        if left and conversation.state == states.ConversationState.ADDING_TO_CART:
            conversation.say("utter_welcome_back", business=business, cart_items=left)
            conversation.set(cart_items=0)
        elif slots.get("customer_name"):
            conversation.say("utter_greet_by_name", business=business, customer_name=slots["customer_name"])
        else:
            conversation.say("utter_greet", business=business)


class StartOver(ShopAction):
    """Empties the cart and greets anew."""

    def name(self) -> str:
        return "action_start_over"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.do(type(None), cart.start_over)
        conversation.leave_form()
        conversation.set(choices=None, product=None, quantity=None, cart_items=0)
        conversation.say("utter_started_over", business=conversation.shop.policy.business_name)
