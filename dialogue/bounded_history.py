"""A conversation's history, cut so that its five-hundredth turn costs what its tenth does.

What policies, forms and actions look at is the last turns and the state; the truth about cart and order is in
PostgreSQL. So older turns are replaced by the state that they led to.
"""

from __future__ import annotations

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    ConversationPaused,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

MOST_TURNS = 5
KEPT_TURNS = 3
"""So many turns are kept when there are more than MOST_TURNS: cutting is not paid for in each turn."""


def bounded(events: list[Event], domain: Domain) -> list[Event]:
    """The same events, or the state before the last `KEPT_TURNS` and the events since then.

    Replayed, they lead to the same slots, form and latest message.
    """
    turns = [position for position, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(turns) <= MOST_TURNS:
        return events
    cut = turns[-KEPT_TURNS]
    return [*_state_after(events[:cut], events[cut].timestamp, domain), *events[cut:]]


def _state_after(events: list[Event], at: float, domain: Domain) -> list[Event]:
    """The shortest conversation that leads to where these events lead, all of it at one time."""
    before = DialogueStateTracker.from_events("", events, domain.slots)
    state: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME, timestamp=at),
        SessionStarted(timestamp=at),
    ]
    for slot in domain.slots:
        value = before.slots[slot.name].value
        if value != slot.initial_value:
            state.append(SlotSet(slot.name, value, timestamp=at))
    if before.active_loop_name is not None:
        state.append(ActionExecuted(before.active_loop_name, timestamp=at))
        state.append(ActiveLoop(before.active_loop_name, timestamp=at))
    if before.is_paused():
        state.append(ConversationPaused(timestamp=at))
    return [*state, ActionExecuted(ACTION_LISTEN_NAME, timestamp=at)]
