"""What was misunderstood, for designers: noted as it happens, grouped, ranked by what it cost, decided."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, process, utils

from db.models import Customer, Decision, Misunderstanding, MisunderstandingKind
from shop import audit
from shop.cart_view import view_cart
from shop.work import Work

MOST_CHARACTERS = 500
MOST_LOOKED_AT = 2000
MOST_GROUPS = 100
ALIKE = 82
"""From this similarity on (0 to 100) two messages are one group."""
DAYS_KEPT = 90
NO_INTENT = frozenset(("out_of_scope", "None"))
INTENTS = (
    "affirm",
    "apply_discount",
    "ask_opening_hours",
    "ask_receipt",
    "browse_menu",
    "cancel_order",
    "change_language",
    "checkout",
    "choose_delivery",
    "choose_pickup",
    "clear_cart",
    "complaint",
    "delete_my_data",
    "deny",
    "give_quantity",
    "goodbye",
    "greet",
    "help",
    "human_handoff",
    "inform_contact",
    "inform_payment",
    "modify_item",
    "order_ahead",
    "out_of_scope",
    "payment_done",
    "remove_item",
    "reorder",
    "repeat",
    "search_product",
    "select_product",
    "small_talk",
    "start_over",
    "stop_messages",
    "thank",
    "track_order",
    "undo",
    "view_cart",
)
"""What can be meant: the intents that have examples in data/nlu (a test compares them)."""
ANSWER = "accepted"
"""In what was proposed: whether the customer said yes or no to it."""


@dataclass(frozen=True)
class Noticed:
    """A message that was misunderstood, with what the bot made of it. `text` is redacted already.

    `proposal` is what was proposed (later with the customer's answer, `accepted`), or (`{"then": text}`)
    what the customer wrote to correct it.
    """

    kind: MisunderstandingKind
    state: str
    text: str
    language: str = "en"
    intent: str | None = None
    confidence: Decimal | None = None
    proposal: dict[str, Any] | None = None


@dataclass(frozen=True)
class Example:
    """One message of a group."""

    id: uuid.UUID
    kind: MisunderstandingKind
    state: str
    text: str
    language: str
    intent: str | None
    confidence: Decimal | None
    proposal: dict[str, Any] | None
    lost: Decimal
    """What the cart was worth then; nothing where its customer bought after all."""
    customer_id: uuid.UUID | None


@dataclass(frozen=True)
class Group:
    """Messages that are alike. `lost` is the worth of carts that were not bought, each customer's once."""

    examples: tuple[Example, ...]
    lost: Decimal
    suggested_intent: str | None

    @property
    def ids(self) -> tuple[uuid.UUID, ...]:
        """What is decided about, when the group is."""
        return tuple(example.id for example in self.examples)

    @property
    def texts(self) -> tuple[str, ...]:
        """The different messages."""
        return tuple(dict.fromkeys(example.text for example in self.examples))

    @property
    def said(self) -> tuple[str, ...]:
        """The different messages that customers wrote: what lay in an abandoned cart is none."""
        return tuple(
            dict.fromkeys(
                example.text
                for example in self.examples
                if example.kind is not MisunderstandingKind.ABANDONED_CART and example.text.strip()
            )
        )

    @property
    def language(self) -> str:
        """The language that they are in."""
        return self.examples[0].language

    @property
    def kinds(self) -> tuple[tuple[str, int], ...]:
        """How they showed, and how often."""
        return tuple(Counter(example.kind.value for example in self.examples).most_common())


@dataclass
class _Gathering:
    first: Example
    members: list[Example] = field(default_factory=list)


def note(work: Work, customer: Customer, noticed: Noticed) -> None:
    """Keep a message that was misunderstood, with what the customer's cart is worth now."""
    cart = work.carts.find_open(customer.id)
    value = view_cart(work, cart).totals.items if cart is not None and cart.items else Decimal(0)
    note_of(work, customer.id, noticed, value)


def note_of(work: Work, customer_id: uuid.UUID, noticed: Noticed, order_value: Decimal) -> None:
    """The same, for a customer whose cart was looked at already."""
    work.misunderstandings.add(
        {
            "customer_id": customer_id,
            "kind": noticed.kind,
            "state": noticed.state,
            "text": noticed.text[:MOST_CHARACTERS],
            "language": noticed.language,
            "intent": noticed.intent,
            "confidence": noticed.confidence,
            "proposal": noticed.proposal,
            "order_value": order_value,
            "created_at": work.now,
        }
    )


def answer_proposal(work: Work, customer: Customer, accepted: bool) -> None:
    """Keep with what was proposed last whether the customer said that it was meant."""
    row = work.misunderstandings.lock_latest(customer.id, MisunderstandingKind.ASSISTED)
    if row is not None and row.proposal is not None:
        row.proposal = {**row.proposal, ANSWER: accepted}


def groups(work: Work, limit: int = MOST_GROUPS) -> list[Group]:
    """What nobody decided about yet, alike messages together, the costliest first, then the most frequent."""
    examples = [_example(*row) for row in work.misunderstandings.find_undecided(MOST_LOOKED_AT)]
    found = [_group(gathering.members) for gathering in _gathered(examples)]
    return sorted(found, key=lambda group: (-group.lost, -len(group.examples), group.texts[0]))[:limit]


def accepted(work: Work) -> list[Group]:
    """What designers accepted, together by what they said was meant."""
    by_label: dict[tuple[str, str], list[Example]] = {}
    for row in work.misunderstandings.find_accepted():
        by_label.setdefault((str(row.label), row.language), []).append(_example(row, False))
    return [Group(tuple(members), Decimal(0), label) for (label, _), members in sorted(by_label.items())]


def decide(
    work: Work, ids: Sequence[uuid.UUID], decision: Decision, decided_by: str, label: str | None = None
) -> int:
    """Accept or reject messages that nobody decided about yet; how many there were.

    Raises:
        ValueError: nobody knows what the label says.
    """
    if label is not None and label not in INTENTS:
        raise ValueError(label)
    rows = work.misunderstandings.lock_undecided(ids)
    for row in rows:
        row.decision, row.decided_by, row.decided_at, row.label = decision, decided_by, work.now, label
    if rows:
        # By what was meant; what the customers wrote is theirs.
        details = {"name": label or "", "messages": len(rows)}
        action = f"misunderstandings {decision.value}"
        audit.record(work, decided_by, action, "misunderstanding", rows[0].id, **details)
    return len(rows)


def mark_taken(work: Work, ids: Sequence[uuid.UUID]) -> int:
    """What was accepted is an example now, and is not exported again; how many there were."""
    rows = work.misunderstandings.lock_accepted(ids)
    for row in rows:
        row.taken_at = work.now
    return len(rows)


def forget_old(work: Work) -> int:
    """Forget what is older than 90 days, decided or not; how many there were."""
    return work.misunderstandings.delete_before(work.now - timedelta(days=DAYS_KEPT))


def _example(row: Misunderstanding, has_bought: bool) -> Example:
    return Example(
        row.id,
        row.kind,
        row.state,
        row.text,
        row.language,
        row.intent,
        row.confidence,
        row.proposal,
        Decimal(0) if has_bought else row.order_value,
        row.customer_id,
    )


def _gathered(examples: Iterable[Example]) -> list[_Gathering]:
    """Each message with the first one of its language that it is like; carts with carts."""
    gatherings: list[_Gathering] = []
    plain: dict[tuple[str, bool], dict[int, str]] = {}
    for example in examples:
        text = utils.default_process(example.text)
        alike = plain.setdefault((example.language, example.kind is MisunderstandingKind.ABANDONED_CART), {})
        near = process.extractOne(text, alike, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        if near is None:
            alike[len(gatherings)] = text
            gatherings.append(_Gathering(example))
        place = len(gatherings) - 1 if near is None else near[2]
        gatherings[place].members.append(example)
    return gatherings


def _group(members: Sequence[Example]) -> Group:
    lost: dict[uuid.UUID, Decimal] = {}
    for example in members:
        customer = example.customer_id or example.id
        lost[customer] = max(lost.get(customer, Decimal(0)), example.lost)
    return Group(tuple(members), sum(lost.values(), Decimal(0)), _suggested(members))


def _suggested(members: Sequence[Example]) -> str | None:
    """The intent that customers said yes to, else the one that was proposed, else the one that was guessed;
    never one that was proposed and that a customer said no to more often than yes."""
    answers: Counter[str] = Counter()
    proposed: Counter[str] = Counter()
    for example in members:
        if example.proposal and (intent := example.proposal.get("intent")):
            proposed[str(intent)] += 1
            answer = example.proposal.get(ANSWER)
            answers[str(intent)] += 0 if answer is None else 1 if answer else -1
    guessed = Counter(
        example.intent for example in members if example.intent and example.intent not in NO_INTENT
    )
    refused = {intent for intent, yes in answers.items() if yes < 0}
    confirmed = Counter({intent: yes for intent, yes in answers.items() if yes > 0})
    for found in (confirmed, proposed, guessed):
        best = [intent for intent, _ in found.most_common() if intent not in refused]
        if best:
            return best[0]
    return None
