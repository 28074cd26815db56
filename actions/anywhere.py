"""What a customer can say in every state, and comes back to where they were."""

from __future__ import annotations

from rasa_sdk.events import UserUtteranceReverted

from actions import proposing
from actions.base import ShopAction
from actions.conversation import Conversation
from db.models import MisunderstandingKind
from shop import customers


class SayWhatNext(ShopAction):
    """Answers a yes, a no or a thank-you that no question waits for: what can be done now."""

    def name(self) -> str:
        return "action_say_what_next"

    async def answer(self, conversation: Conversation) -> None:
        is_yes = conversation.understood.intent == "affirm"
        if not (is_yes and await proposing.take_up(conversation)):
            say_what_next(conversation)


class DropQuestion(ShopAction):
    """A no to the question that is being asked: leave it."""

    def name(self) -> str:
        return "action_deny"

    async def answer(self, conversation: Conversation) -> None:
        if await proposing.was_declined(conversation):
            say_not_understood(conversation)
        elif conversation.tracker.active_loop.get("name"):
            conversation.leave_form()
            conversation.set(product=None, quantity=None)
            conversation.say("utter_question_dropped")
        else:
            say_what_next(conversation)


class NotUnderstood(ShopAction):
    """Says so, and what can be done now; never twice in the same words, the third time with choices."""

    def name(self) -> str:
        return "action_not_understood"

    async def answer(self, conversation: Conversation) -> None:
        if not await proposing.offer(conversation):
            await proposing.note(conversation, MisunderstandingKind.FALLBACK)
            say_not_understood(conversation)


class NoRule(ShopAction):
    """No rule knows what to do: say so and forget the message, or it would be tried again."""

    def name(self) -> str:
        return "action_default_fallback"

    async def answer(self, conversation: Conversation) -> None:
        await proposing.note(conversation, MisunderstandingKind.FALLBACK)
        say_not_understood(conversation)
        conversation.events.append(UserUtteranceReverted())


class Repeat(ShopAction):
    """Says once more what the bot said last."""

    def name(self) -> str:
        return "action_repeat"

    async def answer(self, conversation: Conversation) -> None:
        said = conversation.said_last()
        if not said:
            conversation.say("utter_nothing_to_repeat")
        for text in said:
            conversation.say_again(text)


class ChangeLanguage(ShopAction):
    """Goes on in the language that was asked for, where the shop offers several."""

    def name(self) -> str:
        return "action_change_language"

    async def answer(self, conversation: Conversation) -> None:
        asked = str(conversation.tracker.latest_message.get("text") or "")
        if not conversation.shop.flags.multi_language:
            conversation.say("utter_english_only")
            return
        chosen = await conversation.do(customers.LanguageChoice, customers.choose_language, asked)
        if chosen.language is None:
            conversation.say("utter_languages")
            return
        conversation.set(language=chosen.language)
        # Its words are looked up before the slot is set, so each language has a response of its own.
        conversation.say(f"utter_language_changed_{chosen.language}")


class StopMessages(ShopAction):
    """No more notices that the customer did not ask for."""

    def name(self) -> str:
        return "action_stop_messages"

    async def answer(self, conversation: Conversation) -> None:
        await conversation.do(type(None), customers.stop_notices)
        conversation.say("utter_messages_stopped")


def say_what_next(conversation: Conversation) -> None:
    """What can be done in the state the customer is in."""
    conversation.say(f"utter_next_{conversation.state.lower()}")


def say_not_understood(conversation: Conversation) -> None:
    """Say it in other words each time in a row; what can be done now, or whom to ask."""
    before = int(conversation.tracker.get_slot("misunderstood") or 0)
    conversation.set(misunderstood=before + 1)
    if before == 0:
        conversation.say("utter_not_understood")
        if not conversation.tracker.active_loop.get("name"):
            say_what_next(conversation)
    elif before == 1:
        conversation.say("utter_not_understood_again")
    else:
        conversation.say("utter_not_understood_third")
