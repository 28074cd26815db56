"""Rasa's tracker store on Redis (ConversationSessionService): a session lives as long as it is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.conversation import Dialogue
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from redis.exceptions import RedisError

from dialogue.as_json import as_json
from dialogue.bounded_history import bounded
from dialogue.rasa_patch import event_types
from dialogue.turn import Outcome, Situation, StoredTracker, TurnAborted, current_turn
from settings import read_settings
from whatsapp.redis import SESSION_KEY_PREFIX, connect

STATE_SLOT = "conversation_state"
MISUNDERSTOOD_SLOT = "misunderstood"
PROPOSAL_SLOT = "proposal"
"""Set by the actions: what was proposed, and the message that it answered (`asked_after`)."""
FORGOTTEN_SLOT = "session_forgotten"
"""Set by the actions when a customer was erased: nothing of the session is kept."""


def _state_of(tracker: DialogueStateTracker) -> str | None:
    return tracker.get_slot(STATE_SLOT) if STATE_SLOT in tracker.slots else None


def _misunderstood_in(tracker: DialogueStateTracker) -> int:
    return int(tracker.get_slot(MISUNDERSTOOD_SLOT) or 0) if MISUNDERSTOOD_SLOT in tracker.slots else 0


def _proposal_asked_in(tracker: DialogueStateTracker) -> bool:
    """Whether what was proposed was asked in answer to the customer's last message."""
    proposal = tracker.get_slot(PROPOSAL_SLOT) if PROPOSAL_SLOT in tracker.slots else None
    if not proposal:
        return False
    spoken = (event.metadata for event in reversed(tracker.events) if isinstance(event, UserUttered))
    last = next((metadata for metadata in spoken if not metadata.get("notice")), {})
    return bool(proposal["asked_after"] == last.get("message_id"))


def _intent_of(tracker: DialogueStateTracker) -> str | None:
    """What the last message was taken for, also where Rasa has forgotten that message since."""
    spoken = (event for event in reversed(tracker.events) if isinstance(event, UserUttered))
    return next((event.intent_name for event in spoken), None)


class SessionTrackerStore(TrackerStore, SerializedTrackerAsText):
    """Keeps trackers in Redis under the customer's pseudonym, for `SESSION_MINUTES` after each turn.

    In a turn of the WhatsApp consumer it reads once and writes nothing itself: the consumer commits
    tracker, replies and acknowledgement together. Elsewhere (shell, REST) it writes at once. Of a long
    conversation the last turns are kept, and the state before them.
    """

    def __init__(self, domain: Domain, event_broker: EventBroker | None = None, **kwargs: Any) -> None:
        settings = read_settings()
        self._redis = connect(settings.redis)
        self._seconds_to_live = settings.session_minutes * 60
        super().__init__(domain, event_broker)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store a tracker, or leave it to the turn's commit; one that is to be forgotten is deleted."""
        await self.stream_events(tracker)
        forgotten = FORGOTTEN_SLOT in tracker.slots and tracker.get_slot(FORGOTTEN_SLOT)
        value = None if forgotten else self._as_text(tracker)
        stored = StoredTracker(SESSION_KEY_PREFIX + tracker.sender_id, value, self._seconds_to_live)
        turn = current_turn.get()
        if turn is not None:
            turn.tracker = stored
            turn.outcome = Outcome(_state_of(tracker), _intent_of(tracker), _misunderstood_in(tracker))
            return
        if stored.value is None:
            await self._redis.delete(stored.key)
        else:
            await self._redis.set(stored.key, stored.value, ex=stored.seconds_to_live)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of a conversation; None if it has no session.

        Raises:
            TurnAborted: if Redis does not answer within a turn; an invented new conversation would
                lose what the customer said before.
        """
        try:
            stored = await self._redis.get(SESSION_KEY_PREFIX + sender_id)
        except (RedisError, OSError) as error:
            if current_turn.get() is None:
                raise
            raise TurnAborted(f"session not readable: {type(error).__name__}") from error
        if not stored:
            return None
        tracker = self.deserialise_tracker(sender_id, stored)
        turn = current_turn.get()
        if turn is not None:
            turn.session_found = True
            turn.situation = Situation(
                _state_of(tracker),
                tracker.active_loop_name,
                _misunderstood_in(tracker),
                _proposal_asked_in(tracker),
            )
        return tracker

    def deserialise_tracker(self, sender_id: str, serialised_tracker: str | bytes) -> DialogueStateTracker:
        """The tracker that was stored, as Rasa's own method gives it."""
        types = event_types()
        tracker = self.init_tracker(sender_id)
        stored = orjson.loads(serialised_tracker)["events"]
        events = [types[event["event"]]._from_parameters(event) for event in stored]
        tracker.recreate_from_dialogue(Dialogue(sender_id, events))
        return tracker

    def _as_text(self, tracker: DialogueStateTracker) -> str:
        events = bounded(list(tracker.events), self.domain)
        return as_json(Dialogue(tracker.sender_id, events).as_dict()).decode()

    async def keys(self) -> Iterable[str]:
        """The conversations that have a session."""
        keys = [key async for key in self._redis.scan_iter(match=SESSION_KEY_PREFIX + "*")]
        return [key.removeprefix(SESSION_KEY_PREFIX) for key in keys]
