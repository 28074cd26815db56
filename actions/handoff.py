"""A person, please: somebody is called, and what the customer writes is passed on to them."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.notices import end_with_person
from db.models import HandoffReason, MessageKind
from shop import handoffs

OFFERED_AFTER = 3
"""So many messages in a row that were not understood: then the bot itself offers a person."""
KINDS = {
    "send_media": MessageKind.MEDIA,
    "send_too_many": MessageKind.TOO_MANY,
    "share_location": MessageKind.LOCATION,
}
"""Messages without words, by the intent that the dialogue plane gives them."""


class CallPerson(ShopAction):
    """Calls a person."""

    def name(self) -> str:
        return "action_call_person"

    async def answer(self, conversation: Conversation) -> None:
        lost = int(conversation.tracker.get_slot("misunderstood") or 0) >= OFFERED_AFTER
        await _call(conversation, HandoffReason.NOT_UNDERSTOOD if lost else HandoffReason.ASKED)


class Complaint(ShopAction):
    """Is sorry, and calls a person."""

    def name(self) -> str:
        return "action_complaint"

    async def answer(self, conversation: Conversation) -> None:
        conversation.say("utter_complaint")
        await _call(conversation, HandoffReason.COMPLAINT)


class PassToPerson(ShopAction):
    """Gives what the customer wrote to the person who has the conversation; says nothing if that worked."""

    def name(self) -> str:
        return "action_pass_to_person"

    async def answer(self, conversation: Conversation) -> None:
        conversation.leave_form()
        intent = str(conversation.tracker.latest_message.get("intent", {}).get("name"))
        kind = KINDS.get(intent, MessageKind.TEXT)
        text = _place(conversation) if kind == MessageKind.LOCATION else _said(conversation)
        passed = await conversation.do(handoffs.PassedOn, handoffs.pass_on, kind, text)
        if passed.arrived:
            return
        conversation.set(with_person=None)
        if not passed.end_is_known:
            end_with_person(conversation)
        conversation.say("utter_send_that_again")


async def _call(conversation: Conversation, reason: HandoffReason) -> None:
    called = await conversation.do(handoffs.Called, handoffs.call, reason, _said(conversation))
    if called.already:
        conversation.say("utter_person_already_called")
    elif called.opens_at is not None:
        conversation.say("utter_person_called_while_closed", opens_at=conversation.time(called.opens_at))
    else:
        conversation.say("utter_person_called")


def _said(conversation: Conversation) -> str:
    return str(conversation.tracker.latest_message.get("text") or "")


def _place(conversation: Conversation) -> str:
    """Where a pin is, in words that a map understands, too."""
    pin = conversation.event_data
    words = [str(pin.get(name) or "") for name in ("label", "address")]
    return ", ".join([f"{pin.get('latitude')},{pin.get('longitude')}", *filter(None, words)])
