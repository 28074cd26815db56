"""One call of an action: who asks, what was understood, and how to answer."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ACTION_LISTEN_NAME

from actions.formatting import cart_values, local_time
from actions.understood import Understood
from assist.assistant import Assistant
from db.models import Customer
from shop.cart_view import CartView
from shop.service import Caller, Shop
from shop.work import Work
from whatsapp.choices import read_payload

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Operation = Callable[Concatenate[Work, Customer, Arguments], Result]

SESSION_METADATA_SLOT = "session_started_metadata"
MISUNDERSTOOD_SLOT = "misunderstood"
"""How many messages in a row were not understood."""
FORGOTTEN_SLOT = "session_forgotten"
"""The dialogue plane deletes a session in which it is set: see `dialogue.tracker_store`."""


MOST_MESSAGES_TOLD = 3
"""Of the customer, this one among them: what the language model is told."""
PRODUCT_FORMS = (None, "quantity_form")
UNKNOWN_FORM = "unknown"
# No greeting: in it people say who they are.
ABOUT_ORDERS = frozenset(
    "select_product search_product give_quantity browse_menu modify_item remove_item".split()
)


class Conversation:
    """Ties a shop, a tracker and a dispatcher together for one action."""

    def __init__(
        self,
        action: str,
        shop: Shop,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        assistant: Assistant | None = None,
    ) -> None:
        self._action = action
        self.shop = shop
        self.assistant = assistant
        self._dispatcher = dispatcher
        self.tracker = tracker
        self.understood = Understood.from_message(tracker.latest_message)
        self.events: list[EventType] = []

    @property
    def state(self) -> str:
        """The conversation state, before this action."""
        return str(self.tracker.get_slot("conversation_state") or "GREETING")

    @property
    def text(self) -> str:
        """What the customer typed, without the numbers that were redacted."""
        return str(self.tracker.latest_message.get("text") or "")

    @property
    def language(self) -> str:
        """The code of the customer's language."""
        return str(self.tracker.get_slot("language") or "en")

    @property
    def message_id(self) -> str:
        """The id of the message that is answered."""
        return str(self._metadata.get("message_id") or "")

    @property
    def message_id_before(self) -> str | None:
        """The id of the customer's message before this one; None at the beginning."""
        before = next(iter(self._messages_before()), {})
        return str((before.get("metadata") or {}).get("message_id") or "") if before else None

    @property
    def text_before(self) -> str:
        """What the customer typed before this message."""
        return str(next(iter(self._messages_before()), {}).get("text") or "")

    @property
    def asks_how_many(self) -> bool:
        """Whether the customer is being asked how many of a product."""
        return bool(self.tracker.active_loop.get("name") == "quantity_form")

    @property
    def event_data(self) -> dict[str, Any]:
        """The values of an internal event."""
        return dict(self._metadata.get("event") or {})

    @property
    def is_notice(self) -> bool:
        """Whether the shop itself has something to tell: the customer wrote nothing."""
        return bool(self._metadata.get("notice"))

    @property
    def is_over(self) -> bool:
        """Whether the session is to be forgotten: the customer was erased in this turn, or before."""
        return bool(self.tracker.get_slot(FORGOTTEN_SLOT))

    @property
    def can_be_told_unasked(self) -> bool:
        """Whether the shop's own events reach this customer by themselves; not so in the shell."""
        return bool(self._metadata.get("address"))

    async def do(
        self,
        result_type: type[Result],
        operation: Operation[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Carry out a shop function at most once for this message, off the event loop.

        Raises:
            ShopError: what the shop refuses.
            CustomerGone
        """

        def bound(work: Work, customer: Customer) -> Result:
            return operation(work, customer, *args, **kwargs)

        command = f"{self._action}:{operation.__name__}"
        done = await asyncio.to_thread(self.shop.execute, self._caller(), command, result_type, bound)
        if done.state is not None:
            self.set(conversation_state=done.state)
        return done.result

    async def look(
        self,
        operation: Operation[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Run a shop function that changes nothing.

        Raises:
            ShopError: what the shop refuses.
            CustomerGone
        """
        caller = self._caller()

        def bound(work: Work) -> Result:
            return operation(work, caller.recognised(work), *args, **kwargs)

        return await asyncio.to_thread(self.shop.run, bound, operation.__name__)

    async def call(
        self,
        function: Callable[Concatenate[Shop, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Run a function of the shop that asks others (a payment provider), off the event loop.

        Raises:
            ShopError: what it refuses, or whom it cannot reach.
        """
        call = functools.partial(function, self.shop, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.shop.outside, call)

    def values_of(self, cart: CartView) -> dict[str, Any]:
        """Lines and totals of a cart or order, for a response."""
        return cart_values(cart, self.time)

    def time(self, at: datetime) -> str:
        """A time (UTC) as the customer reads it."""
        return local_time(at, self.shop.policy.timezone, self.tracker.get_slot("language"))

    def say(self, response: str, **values: Any) -> None:
        """Say a response of the domain."""
        self._dispatcher.utter_message(response=response, **values)

    def say_again(self, text: str) -> None:
        """Say a text that a response led to before."""
        self._dispatcher.utter_message(text=text)

    def said_last(self) -> list[str]:
        """What the bot said in the turn before this one."""
        said: list[str] = []
        turns = 0
        for event in reversed(self.tracker.events):
            turns += event.get("event") == "user"
            if turns > 1 and said:
                break
            if turns and event.get("event") == "bot" and event.get("text"):
                said.append(str(event["text"]))
        return said[::-1]

    def answered_before(self) -> frozenset[str]:
        """The names of what was answered in the turn before this one."""
        names: list[str] = []
        messages = 0
        for event in list(self.tracker.events)[::-1]:
            messages += event.get("event") == "user"
            if messages > 1:
                break
            if messages and event.get("event") == "bot":
                names.append(str((event.get("metadata") or {}).get("utter_action")))
        return frozenset(names)

    def turns_before(self) -> tuple[str, ...]:
        """The customer's last messages about an order, and the names of what was answered in between; no
        answer to a question about the person (a form's), and nothing that the bot said in words."""
        turns: list[str] = []
        messages = 0
        answers = self._answers_to_forms()
        for event in list(self.tracker.events)[::-1]:
            if event.get("event") == "bot" and (name := (event.get("metadata") or {}).get("utter_action")):
                turns.append(f"shop: {name}")
            elif event.get("event") == "user":
                messages += 1
                if messages > MOST_MESSAGES_TOLD:
                    break
                if messages > 1 and id(event) not in answers and _intent_of(event) in ABOUT_ORDERS:
                    turns.append(f"customer: {event.get('text')}")
        return tuple(turns[::-1])

    def hear_instead(self, payload: str) -> None:
        """Go on as if the customer had picked a choice with this payload: the rules answer it."""
        intent, entities = read_payload(payload)
        understood = {"intent": {"name": intent, "confidence": 1.0}, "entities": entities, "text": self.text}
        self.events.append(ActionExecuted(ACTION_LISTEN_NAME))
        self.events.append(
            {
                "event": "user",
                "timestamp": None,
                "text": self.text,
                "parse_data": {**understood, "metadata": self._metadata},
                "message_id": self.tracker.latest_message.get("message_id"),
                "metadata": self._metadata,
            }
        )

    def set(self, **slots: Any) -> None:
        """Set slots."""
        self.events.extend(SlotSet(name, value) for name, value in slots.items())

    def leave_form(self) -> None:
        """End the active form: the customer went on to something else."""
        if self.tracker.active_loop.get("name"):
            self.events.append(ActiveLoop(None))
            self.set(requested_slot=None)

    def forget_misunderstandings(self) -> None:
        """Begin to count anew what was not understood, unless this very message was not."""
        counted = any(event.get("name") == MISUNDERSTOOD_SLOT for event in self.events)
        # What a form asks in the same turn is no sign that this message was understood.
        is_question = self._action.startswith(("action_ask_", "validate_"))
        if self.tracker.slots.get(MISUNDERSTOOD_SLOT) and not (counted or is_question or self.is_notice):
            self.set(**{MISUNDERSTOOD_SLOT: 0})

    def forget_session(self) -> None:
        """The dialogue plane deletes the session at the end of this turn; nothing more is said in it."""
        self.set(**{FORGOTTEN_SLOT: True})

    def _answers_to_forms(self) -> frozenset[int]:
        """The events (by identity) in which the customer answered a form that asks who they are."""
        loops = [event.get("name") for event in self.tracker.events if event.get("event") == "active_loop"]
        # Of a history that was cut, the first thing known may be that a form ended.
        loop = self.tracker.active_loop.get("name") if not loops else UNKNOWN_FORM if not loops[0] else None
        answers: list[int] = []
        for event in self.tracker.events:
            if event.get("event") == "active_loop":
                loop = event.get("name")
            elif event.get("event") == "user" and loop not in PRODUCT_FORMS:
                answers.append(id(event))
        return frozenset(answers)

    def _messages_before(self) -> Iterator[Mapping[str, Any]]:
        """What the customer wrote before this message, the latest first."""
        users = [event for event in self.tracker.events if event.get("event") == "user"]
        for event in users[-2::-1]:
            if not (event.get("metadata") or {}).get("notice"):
                yield event

    @property
    def _metadata(self) -> dict[str, Any]:
        if self._action == "action_session_start":
            return dict(self.tracker.get_slot(SESSION_METADATA_SLOT) or {})
        return dict(self.tracker.latest_message.get("metadata") or {})

    def _caller(self) -> Caller:
        metadata = self._metadata
        message_id = metadata.get("message_id") or self.tracker.latest_message.get("message_id")
        return Caller(
            lookup=self.tracker.sender_id,
            message_id=message_id or f"session:{uuid.uuid4()}",
            command_number=self._command_number(),
            address=metadata.get("address"),
            profile_name=metadata.get("profile_name"),
            wrote=not self.is_notice,
        )

    def _command_number(self) -> int:
        """How many actions ran since the message: the same at every repetition of the turn."""
        if self._action == "action_session_start":
            return 0
        number = 1
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                break
            if event.get("event") == "action" and event.get("name") != ACTION_LISTEN_NAME:
                number += 1
        return number


def _intent_of(event: Mapping[str, Any]) -> str:
    understood = event.get("parse_data") or event
    return str((understood.get("intent") or {}).get("name"))
