"""A person takes a conversation: called by the customer or come by themselves, and gone again.

While a person is `waiting` to be there, the bot serves the customer as always. While the conversation is
`taken`, the bot is silent and what the customer writes goes into the thread. What a person writes goes
to the customer as every notice does, through the outbox.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.models import Customer, Handoff, HandoffReason, HandoffStatus, MessageKind, ThreadMessage
from shop import fulfilment, outbox
from shop.errors import BadInput, NotThere, WithAnother
from shop.work import Work

MOST_CHARACTERS = 1400
"""Of a message by the staff: with the name before it, it has to fit into one WhatsApp message."""


@dataclass(frozen=True)
class Called:
    """What became of calling a person.

    `already`: somebody had been called before, or is there. `opens_at` (UTC): the shop is closed until
    then; with `is_open` False and no such time, nobody knows until when.
    """

    already: bool
    is_open: bool
    opens_at: datetime | None


@dataclass(frozen=True)
class PassedOn:
    """Whether a person got the customer's message; if not, whether the customer knows that nobody has it."""

    arrived: bool
    end_is_known: bool = True


def call(work: Work, customer: Customer, reason: HandoffReason, text: str) -> Called:
    """Call a person for the customer; once, however often they ask.

    Args:
        text: what the customer said, its numbers masked: the first message of the thread.
    """
    opening = fulfilment.opening(work, customer)
    opens_at = None if opening.is_open else opening.changes_at
    handoff = work.handoffs.find_open(customer.id, lock=True)
    already = handoff is not None
    if handoff is None:
        handoff = _open(work, customer, reason, HandoffStatus.WAITING)
    _note(work, handoff, work.message_id, MessageKind.TEXT, text)
    return Called(already, opening.is_open, opens_at)


def pass_on(work: Work, customer: Customer, kind: MessageKind, text: str) -> PassedOn:
    """Give a customer's message to the person who has the conversation, if anybody still has it."""
    handoff = work.handoffs.find_open(customer.id, lock=True)
    if handoff is None or handoff.status != HandoffStatus.TAKEN:
        latest = work.handoffs.find_latest(customer.id)
        return PassedOn(False, latest is None or not _tell_end(work, latest))
    _note(work, handoff, work.message_id, kind, text)
    return PassedOn(True)


def person_with(work: Work, customer: Customer) -> str | None:
    """The name of the person who has the customer's conversation; None: the bot has it."""
    return work.handoffs.find_person(customer.id)


def is_end_news(work: Work, customer: Customer, handoff_id: str) -> bool:
    """Whether the customer is still to be told that a handoff is over; asked once, it is told."""
    handoff = work.handoffs.find_by_id(handoff_id)
    return handoff is not None and _tell_end(work, handoff)


def start(work: Work, customer_id: uuid.UUID, staff: str) -> uuid.UUID:
    """A member of staff takes a conversation in which nobody was called, or somebody waits; its handoff.

    Raises:
        NotThere: no such customer, or one without a number.
        WithAnother
    """
    customer = work.customers.find_by_id(customer_id)
    if customer is None or customer.phone_number is None:
        raise NotThere("customer")
    handoff = work.handoffs.find_open(customer.id, lock=True)
    if handoff is None:
        handoff = _open(work, customer, HandoffReason.STAFF, HandoffStatus.WAITING)
    return take(work, handoff.id, staff)


def take(work: Work, handoff_id: uuid.UUID, staff: str, *, instead_of: str | None = None) -> uuid.UUID:
    """A member of staff takes a conversation; the bot is silent from now on.

    Args:
        instead_of: who has it now and gives it away; None: nobody.

    Raises:
        NotThere: there is none, or it is over.
        WithAnother: somebody else was first.
    """
    handoff = _locked(work, handoff_id)
    if handoff.taken_by == staff:
        return handoff.id
    if handoff.taken_by not in (None, instead_of):
        raise WithAnother(handoff.taken_by)
    handoff.status, handoff.taken_by = HandoffStatus.TAKEN, staff
    handoff.taken_at = work.now
    _record(work, staff, "took conversation", handoff)
    outbox.write(work, handoff.customer_id, "handoff_taken", {"staff": staff})
    return handoff.id


def write(work: Work, handoff_id: uuid.UUID, staff: str, text: str, message_id: str) -> None:
    """The person who has the conversation writes to the customer.

    Args:
        text: its numbers masked; it is kept in the thread and goes out as it is.
        message_id: the same again writes nothing.

    Raises:
        NotThere, WithAnother
        BadInput: nothing, or more than fits.
    """
    text = text.strip()
    if not text:
        raise BadInput("text", "Write something to the customer first.")
    if len(text) > MOST_CHARACTERS:
        raise BadInput("text", f"WhatsApp takes {MOST_CHARACTERS} characters at once, not {len(text)}.")
    handoff = _locked(work, handoff_id)
    _require_with(handoff, staff)
    message = _note(work, handoff, message_id, MessageKind.TEXT, text, staff)
    if message is not None:
        data = {"staff": staff, "text": text}
        outbox.write(work, handoff.customer_id, "staff_message", data, message.id)


def note_undelivered(work: Work, event_id: str, code: str) -> bool:
    """What was told with this event did not reach the customer; whether it was a message of the staff's.

    Args:
        code: why, as Twilio says it; empty: it was given up.
    """
    message = work.thread_messages.find_by_id(event_id)
    if message is None:
        return False
    if message.undelivered_at is None:
        message.undelivered_at, message.undelivered_code = work.now, code[:16]
    return True


def hand_back(work: Work, handoff_id: uuid.UUID, staff: str) -> None:
    """The person gives the conversation back to the bot, or ends a call that needs nobody any more.

    Raises:
        NotThere, WithAnother
    """
    handoff = _locked(work, handoff_id)
    if handoff.status == HandoffStatus.TAKEN:
        _require_with(handoff, staff)
    _record(work, staff, "handed conversation back", handoff)
    _close(work, handoff)


def close_silent(work: Work, limit: int = 100) -> int:
    """Give conversations back in which nobody wrote for HANDOFF_IDLE_MINUTES; safe with several replicas.
    Returns how many. Customers who wait for a person are not given up."""
    since = work.now - timedelta(minutes=work.policy.handoff_idle_minutes)
    handoffs = work.handoffs.lock_silent(since, limit)
    for handoff in handoffs:
        _close(work, handoff)
    return len(handoffs)


def _open(work: Work, customer: Customer, reason: HandoffReason, status: HandoffStatus) -> Handoff:
    return work.handoffs.create(
        customer_id=customer.id,
        reason=reason,
        state=work.state_changes.find_latest_state(customer.id),
        status=status,
        requested_at=work.now,
    )


def _close(work: Work, handoff: Handoff) -> None:
    """The customer is told, unless nobody was ever there."""
    was_taken = handoff.status == HandoffStatus.TAKEN
    handoff.status, handoff.closed_at = HandoffStatus.CLOSED, work.now
    if was_taken:
        data = {"handoff": str(handoff.id), "staff": handoff.taken_by}
        outbox.write(work, handoff.customer_id, "handoff_closed", data)


def _tell_end(work: Work, handoff: Handoff) -> bool:
    """Whether it was to be told and is told now."""
    over = handoff.status == HandoffStatus.CLOSED and handoff.taken_at is not None
    if not over or handoff.end_told_at is not None:
        return False
    handoff.end_told_at = work.now
    return True


def _note(
    work: Work, handoff: Handoff, message_id: str, kind: MessageKind, text: str, staff: str | None = None
) -> ThreadMessage | None:
    """Put a message into the thread; None: it was there already."""
    if work.thread_messages.find_by_message(message_id) is not None:
        return None
    return work.thread_messages.create(
        handoff_id=handoff.id,
        customer_id=handoff.customer_id,
        staff=staff,
        kind=kind,
        text=text,
        message_id=message_id,
        created_at=work.now,
    )


def _locked(work: Work, handoff_id: uuid.UUID) -> Handoff:
    handoff = work.handoffs.lock(handoff_id)
    if handoff is None or handoff.status == HandoffStatus.CLOSED:
        raise NotThere("conversation")
    return handoff


def _require_with(handoff: Handoff, staff: str) -> None:
    if handoff.taken_by != staff:
        raise WithAnother(handoff.taken_by)


def _record(work: Work, staff: str, action: str, handoff: Handoff) -> None:
    work.staff_actions.create(staff=staff, action=action, details={"handoff": str(handoff.id)})
