"""What was not understood is put to the language model, and what it makes of it to the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from actions.conversation import Conversation
from actions.formatting import choice_payload, shown_choices, wish_text
from assist.prompt import without_private
from assist.situation import Proposal, ProposedLine, Situation
from db.models import MisunderstandingKind
from shop import candidates, misunderstandings
from whatsapp.choices import read_payload

PROPOSAL_SLOT = "proposal"
"""What was proposed: its payload, and the message after which it was asked about."""
ASKING_FORMS = frozenset(("checkout_form", "erasure_form"))
"""Their questions take a yes; no other question comes between."""
UNSURE = 0.30
"""Under this, more than every fourth guess of an intent is wrong; over it, every thirteenth
(docs/benchmarks.md, "A language model")."""
NO_QUESTION_OF_OURS = "other"


def is_unsure(conversation: Conversation) -> bool:
    """Whether the pipeline only guesses what this message is meant as."""
    return 0 < conversation.understood.confidence < UNSURE


async def offer(conversation: Conversation, besides: Iterable[str] = ()) -> bool:
    """Ask the customer what the language model makes of the message; False where it makes nothing of it,
    or there is none: then the action answers as it does without.

    Args:
        besides: ids of the products that were understood.
    """
    assistant = conversation.assistant
    if assistant is None or not _may_ask(conversation):
        return False
    if not await assistant.may_ask(conversation.tracker.sender_id):
        return False
    proposal = await assistant.propose(await _situation(conversation))
    if proposal is None:
        return False
    known = frozenset(besides)
    if proposal.lines:
        proposal = replace(proposal, lines=tuple(x for x in proposal.lines if x.product_id not in known))
    return await _ask(conversation, proposal)


async def take_up(conversation: Conversation) -> bool:
    """A yes to the proposal that was just made: the customer has said it, and the rules go on from there."""
    payload = _proposed(conversation)
    if payload is None:
        return False
    await conversation.do(type(None), misunderstandings.answer_proposal, accepted=True)
    conversation.leave_form()
    conversation.set(**{PROPOSAL_SLOT: None})
    conversation.hear_instead(payload)
    return True


async def notice_button(conversation: Conversation) -> None:
    """Keep that the customer pressed the proposal's own yes, which means what it proposed."""
    payload = _proposed(conversation)
    if payload is None:
        return
    intent, entities = read_payload(payload)
    message = conversation.tracker.latest_message
    heard = [(each.get("entity"), each.get("value")) for each in message.get("entities") or ()]
    meant = [(each["entity"], each["value"]) for each in entities]
    if conversation.understood.intent == intent and heard == meant:
        await conversation.do(type(None), misunderstandings.answer_proposal, accepted=True)
        conversation.set(**{PROPOSAL_SLOT: None})


async def was_declined(conversation: Conversation) -> bool:
    """Whether this is a no to the proposal that was just made; designers are told of it."""
    payload = _proposed(conversation)
    if payload is None:
        return False
    conversation.set(**{PROPOSAL_SLOT: None})
    await conversation.do(type(None), misunderstandings.answer_proposal, accepted=False)
    kind = MisunderstandingKind.DECLINED_PROPOSAL
    await note(conversation, kind, conversation.text_before, {"payload": payload})
    return True


async def note(
    conversation: Conversation,
    kind: MisunderstandingKind,
    text: str | None = None,
    proposal: dict[str, Any] | None = None,
) -> None:
    """Keep this message (or the one before, by its text) for the designers."""
    understood = conversation.understood
    noticed = misunderstandings.Noticed(
        kind,
        conversation.state,
        without_private(conversation.text if text is None else text),
        conversation.language,
        understood.intent if text is None else None,
        Decimal(str(round(understood.confidence, 3))) if text is None else None,
        proposal,
    )
    await conversation.do(type(None), misunderstandings.note, noticed)


def _may_ask(conversation: Conversation) -> bool:
    if conversation.is_notice or not conversation.text.strip():
        return False
    return conversation.tracker.active_loop.get("name") not in ASKING_FORMS


async def _situation(conversation: Conversation) -> Situation:
    shown = shown_choices(conversation.tracker.get_slot("choices"))
    products = [choice.id for choice in shown if choice.kind == "product"]
    around = await conversation.look(candidates.around, conversation.text, products)
    return Situation(
        customer=conversation.tracker.sender_id,
        text=conversation.text,
        state=conversation.state,
        language=conversation.language,
        cart=around.cart,
        turns=conversation.turns_before(),
        candidates=around.products,
        numbers=conversation.understood.numbers,
        catalogue_version=around.catalogue_version,
    )


async def _ask(conversation: Conversation, proposal: Proposal) -> bool:
    """Put a proposal to the customer; False where it is none."""
    misunderstood = int(conversation.tracker.get_slot("misunderstood") or 0)
    if proposal.clarify is not None:
        if proposal.clarify == NO_QUESTION_OF_OURS or misunderstood:
            return False  # asked once, the third time leads to a person
        conversation.set(misunderstood=misunderstood + 1)
        await note(conversation, MisunderstandingKind.FALLBACK, proposal={"clarify": proposal.clarify})
        conversation.say(f"utter_clarify_{proposal.clarify}")
        return True
    if proposal.intent == conversation.understood.intent or not (proposal.intent or proposal.lines):
        return False
    payload, kept = _payload(proposal)
    # Not understood yet, nor misunderstood once more.
    conversation.set(**{"misunderstood": misunderstood, PROPOSAL_SLOT: _slot(conversation, payload)})
    await note(conversation, MisunderstandingKind.ASSISTED, proposal=kept)
    if proposal.intent:
        conversation.say(f"utter_did_you_mean_{proposal.intent}", payload=payload)
    else:
        lines = "\n".join(_text(line) for line in proposal.lines)
        conversation.say("utter_did_you_mean", lines=lines, payload=payload)
    return True


def _payload(proposal: Proposal) -> tuple[str, dict[str, Any]]:
    """What a yes means to Rasa, as the order parser would have understood it; and what designers see."""
    if proposal.intent is not None:
        return choice_payload(proposal.intent), {"intent": proposal.intent}
    lines = [
        {
            "products": [line.product_id],
            "name": line.name,
            "quantity": str(line.quantity),
            "options": [key for key, _ in line.options],
            "removals": list(line.removals),
        }
        for line in proposal.lines
    ]
    said = [_text(line) for line in proposal.lines]
    return choice_payload("select_product", order_line=lines), {"intent": "select_product", "lines": said}


def _text(line: ProposedLine) -> str:
    return wish_text(line.quantity, line.name, [name for _, name in line.options], line.removals)


def _slot(conversation: Conversation, payload: str) -> dict[str, str]:
    return {"payload": payload, "asked_after": conversation.message_id}


def _proposed(conversation: Conversation) -> str | None:
    """What was proposed in answer to the message before this one."""
    slot = conversation.tracker.get_slot(PROPOSAL_SLOT)
    if not slot or slot["asked_after"] != conversation.message_id_before:
        return None
    return str(slot["payload"])
