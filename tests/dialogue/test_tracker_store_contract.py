"""Where sessions are kept is a tracker store like Rasa's own: what is saved is found again."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator

import pytest
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.tracker_store import SessionTrackerStore
from whatsapp.redis import SESSION_KEY_PREFIX

OURS = "ours"
DOMAIN = Domain.from_dict(
    {
        "intents": ["add_to_cart"],
        "entities": ["quantity"],
        "slots": {
            "product": {"type": "text", "mappings": [{"type": "custom"}]},
            "quantity": {"type": "any", "mappings": [{"type": "custom"}]},
        },
        "forms": {"address_form": {"required_slots": ["product"]}},
    }
)
MENU = {"text": "What would you like?", "data": {"buttons": [{"title": "Menu", "payload": "/menu"}]}}


@pytest.fixture
async def ours(environment: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SessionTrackerStore]:
    """Our store on a real Redis."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if not port:
        pytest.skip("needs a Redis: CHATCART_TEST_REDIS_PORT is not set")
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", port)
    monkeypatch.setenv("REDIS_PASSWORD", os.environ.get("CHATCART_TEST_REDIS_PASSWORD", ""))
    store = SessionTrackerStore(DOMAIN)
    yield store
    await store._redis.close()


@pytest.fixture(params=[OURS, "Rasa's"])
def store(request: pytest.FixtureRequest) -> TrackerStore:
    """Each store that the contract holds for."""
    return request.getfixturevalue("ours") if request.param == OURS else InMemoryTrackerStore(DOMAIN)


@pytest.fixture
async def sender(store: TrackerStore) -> AsyncIterator[str]:
    """A customer whom nobody else has; nothing of them is kept afterwards."""
    sender = uuid.uuid4().hex
    yield sender
    if isinstance(store, SessionTrackerStore):
        await store._redis.delete(SESSION_KEY_PREFIX + sender)


def said() -> list[Event]:
    """A short conversation."""
    parsed = {
        "intent": {"name": "add_to_cart", "confidence": 0.97},
        "entities": [{"entity": "quantity", "value": 2, "start": 0, "end": 1}],
    }
    return [
        ActionExecuted("action_session_start"),
        SessionStarted(),
        ActionExecuted("action_listen"),
        UserUttered("2 burgers, s'il vous plaît 🍔", parse_data=parsed, message_id="SM1"),
        BotUttered(**MENU),
        ActionExecuted("action_listen"),
    ]


def tracker(sender: str, *more: Event) -> DialogueStateTracker:
    """A conversation, and what happened in it besides."""
    return DialogueStateTracker.from_events(sender, [*said(), *more], DOMAIN.slots, domain=DOMAIN)


async def found(store: TrackerStore, sender: str) -> DialogueStateTracker:
    """The tracker that is kept."""
    kept = await store.retrieve(sender)
    assert kept is not None
    return kept


def as_dicts(tracker: DialogueStateTracker) -> list[dict]:
    """Events with all that they hold; as objects they are compared without their times."""
    return [event.as_dict() for event in tracker.events]


async def test_what_is_saved_is_found_event_for_event(store, sender):
    saved = tracker(sender)
    await store.save(saved)
    kept = await found(store, sender)
    assert kept.sender_id == sender
    assert as_dicts(kept) == as_dicts(saved)
    assert len(kept.events) == 6


async def test_the_latest_message_is_found_as_it_was_understood(store, sender):
    await store.save(tracker(sender))
    latest = (await found(store, sender)).latest_message
    assert latest is not None
    assert (latest.text, latest.intent_name) == ("2 burgers, s'il vous plaît 🍔", "add_to_cart")
    assert latest.entities[0]["value"] == 2


async def test_of_somebody_unknown_nothing_is_found(store, sender):
    assert await store.retrieve(sender) is None


async def test_the_keys_are_those_who_have_a_conversation(store, sender):
    assert sender not in list(await store.keys())
    await store.save(tracker(sender))
    assert list(await store.keys()).count(sender) == 1


async def test_saving_again_replaces_what_was_there(store, sender):
    await store.save(tracker(sender, SlotSet("product", "Jollof rice")))
    again = tracker(sender, SlotSet("product", "Suya"))
    await store.save(again)
    assert as_dicts(await found(store, sender)) == as_dicts(again)


async def test_a_conversation_that_goes_on_is_found_whole(store, sender):
    await store.save(tracker(sender))
    going_on = await found(store, sender)
    going_on.update_with_events([UserUttered("and a coke"), ActionExecuted("action_listen")], DOMAIN)
    await store.save(going_on)
    kept = await found(store, sender)
    assert as_dicts(kept) == as_dicts(going_on)
    assert len(kept.events) == 8


async def test_one_customer_does_not_find_the_words_of_another(store, sender):
    await store.save(tracker(sender))
    assert await store.retrieve(sender + "0") is None
    assert await store.retrieve(sender[:-1]) is None


async def test_slots_keep_their_values(store, sender):
    order = {"items": [{"sku": "SKU-1", "count": 2}], "note": None}
    await store.save(tracker(sender, SlotSet("product", "Suya"), SlotSet("quantity", order)))
    kept = await found(store, sender)
    assert (kept.get_slot("product"), kept.get_slot("quantity")) == ("Suya", order)


async def test_a_slot_that_was_emptied_stays_empty(store, sender):
    await store.save(tracker(sender, SlotSet("product", "Suya"), SlotSet("product", None)))
    assert (await found(store, sender)).get_slot("product") is None


async def test_a_form_goes_on_where_it_was(store, sender):
    await store.save(
        tracker(
            sender,
            ActionExecuted("address_form"),
            ActiveLoop("address_form"),
            SlotSet("requested_slot", "product"),
        )
    )
    kept = await found(store, sender)
    assert kept.active_loop_name == "address_form"
    assert kept.get_slot("requested_slot") == "product"
    assert kept.latest_action_name == "address_form"


async def test_a_form_that_ended_is_not_active_again(store, sender):
    await store.save(
        tracker(sender, ActionExecuted("address_form"), ActiveLoop("address_form"), ActiveLoop(None))
    )
    assert (await found(store, sender)).active_loop_name is None
