"""Where sessions are kept: in a turn nothing is written, and one that is to be forgotten is deleted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from dialogue.tracker_store import FORGOTTEN_SLOT, PROPOSAL_SLOT, SessionTrackerStore
from dialogue.turn import Turn, current_turn
from whatsapp.redis import SESSION_KEY_PREFIX

ROOT = Path(__file__).parents[2]
DOMAIN = Domain.from_dict(
    {
        "slots": {
            FORGOTTEN_SLOT: {"type": "bool", "mappings": [{"type": "custom"}]},
            PROPOSAL_SLOT: {"type": "any", "mappings": [{"type": "custom"}]},
        },
        "intents": ["deny"],
    }
)
KEY = SESSION_KEY_PREFIX + "ada"


class Redis:
    """Stands where Redis is: a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {KEY: "what was there before"}

    async def get(self, key: str) -> str | None:
        """What is kept."""
        return self.kept.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        """Store for a while."""
        assert ex == 1800
        self.kept[key] = value

    async def delete(self, key: str) -> None:
        """Remove."""
        self.kept.pop(key, None)


@pytest.fixture
def store(settings) -> SessionTrackerStore:
    """A store on a Redis of its own."""
    store = SessionTrackerStore(DOMAIN)
    store._redis = Redis()
    return store


@pytest.fixture
def turn() -> Iterator[Turn]:
    """A turn of the consumer."""
    turn = Turn()
    context = current_turn.set(turn)
    yield turn
    current_turn.reset(context)


def tracker(*events: SlotSet) -> DialogueStateTracker:
    """A short conversation."""
    said = [ActionExecuted("action_listen"), UserUttered("my canary text"), *events]
    return DialogueStateTracker.from_events("ada", said, DOMAIN.slots, domain=DOMAIN)


async def test_in_a_turn_a_session_is_left_to_the_commit(store, turn):
    await store.save(tracker())
    assert turn.tracker is not None
    assert (turn.tracker.key, turn.tracker.seconds_to_live) == (KEY, 1800)
    assert "my canary text" in turn.tracker.value
    assert store._redis.kept == {KEY: "what was there before"}


async def test_in_a_turn_a_forgotten_session_leaves_nothing_to_store(store, turn):
    await store.save(tracker(SlotSet(FORGOTTEN_SLOT, True)))
    assert turn.tracker is not None
    assert (turn.tracker.key, turn.tracker.value) == (KEY, None)


async def test_outside_a_turn_a_session_is_stored_or_forgotten_at_once(store):
    await store.save(tracker())
    assert "my canary text" in store._redis.kept[KEY]
    await store.save(tracker(SlotSet(FORGOTTEN_SLOT, True)))
    assert store._redis.kept == {}


async def test_where_a_domain_has_no_such_slot_everything_is_kept(store, turn):
    await store.save(DialogueStateTracker.from_events("ada", [ActionExecuted("action_listen")]))
    assert turn.tracker is not None
    assert turn.tracker.value is not None


@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        (("m1",), True),
        (("m1", "a notice"), True),
        (("m1", "m2"), False),
    ],
)
async def test_a_situation_tells_whether_a_proposal_was_just_made(store, turn, messages, asked):
    heard = [
        UserUttered("hi", metadata={"message_id": each, "notice": each == "a notice"}) for each in messages
    ]
    proposal = SlotSet(PROPOSAL_SLOT, {"payload": "/checkout", "asked_after": "m1"})
    talk = DialogueStateTracker.from_events("ada", [*heard, proposal], DOMAIN.slots, domain=DOMAIN)
    store._redis.kept[KEY] = store.serialise_tracker(talk)
    await store.retrieve("ada")
    assert turn.situation.proposal_asked is asked


def test_both_planes_and_the_domain_mean_the_same_slot():
    source = ast.parse((ROOT / "actions" / "conversation.py").read_text(encoding="utf-8"))
    named = {
        target.id: ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant)
    }
    assert named["FORGOTTEN_SLOT"] == FORGOTTEN_SLOT
    assert f"\n  {FORGOTTEN_SLOT}:" in (ROOT / "domain.yml").read_text(encoding="utf-8")
