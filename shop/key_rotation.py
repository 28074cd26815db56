"""Rotating the keys that guard phone numbers, customer by customer, while the shop is open.

Batches are short transactions that skip rows somebody else is changing; run again, they take up what
was left. What the keys do is the caller's: the shop sees neither a key nor a number.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from db.models import Customer
from shop.service import Shop
from shop.work import Work

BATCH = 200

Change = Callable[[Work, Customer], "Outcome"]


class Unreadable(ValueError):
    """None of the keys opens a number."""


class Outcome(enum.StrEnum):
    """What became of one customer."""

    CHANGED = "changed"
    KEPT = "kept"
    """It was as it should be."""
    UNREADABLE = "unreadable"
    TWICE = "twice"
    """Somebody else has that look-up value: the same person, made a second time meanwhile."""


@dataclass
class Rotated:
    """What became of all customers; `busy` were being changed by somebody else and left as they were."""

    changed: int = 0
    kept: int = 0
    busy: int = 0
    unreadable: list[uuid.UUID] = field(default_factory=list)
    twice: list[uuid.UUID] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.busy or self.unreadable or self.twice)

    def add(self, outcomes: dict[uuid.UUID, Outcome], page: int) -> None:
        """Count a batch of `page` customers."""
        self.busy += page - len(outcomes)
        for customer_id, outcome in outcomes.items():
            if outcome == Outcome.CHANGED:
                self.changed += 1
            elif outcome == Outcome.KEPT:
                self.kept += 1
            else:
                (self.twice if outcome == Outcome.TWICE else self.unreadable).append(customer_id)


def rotate(shop: Shop, change: Change, batch: int = BATCH) -> Rotated:
    """Change every customer who has a number."""
    rotated = Rotated()
    last: uuid.UUID | None = None
    while page := shop.run(partial(_page, after=last, size=batch)):
        rotated.add(shop.run(partial(_change, ids=page, change=change)), len(page))
        last = page[-1]
    return rotated


def encrypt_anew(reseal: Callable[[str], str]) -> Change:
    """Numbers encrypted with the first key. `reseal` raises `Unreadable`."""

    def change(_: Work, customer: Customer) -> Outcome:
        token = customer.phone_number or ""
        customer.phone_number = reseal(token)
        return Outcome.KEPT if customer.phone_number == token else Outcome.CHANGED

    return change


def prepare_lookup(pseudonym: Callable[[str], str]) -> Change:
    """The look-up value under the key that comes next, beside the present one."""

    def change(work: Work, customer: Customer) -> Outcome:
        wanted = pseudonym(customer.phone_number or "")
        if customer.phone_lookup_next == wanted or customer.phone_lookup == wanted:
            return Outcome.KEPT
        if _is_taken(work, customer, wanted):
            return Outcome.TWICE
        customer.phone_lookup_next = wanted
        return Outcome.CHANGED

    return change


def adopt_lookup(pseudonym: Callable[[str], str]) -> Change:
    """The look-up value under the present key, and no other."""

    def change(work: Work, customer: Customer) -> Outcome:
        wanted = pseudonym(customer.phone_number or "")
        if customer.phone_lookup == wanted:
            # What was prepared for a next key stays: it may be that the switch is still to come.
            return Outcome.KEPT
        if _is_taken(work, customer, wanted):
            return Outcome.TWICE
        customer.phone_lookup, customer.phone_lookup_next = wanted, None
        return Outcome.CHANGED

    return change


def _page(work: Work, after: uuid.UUID | None, size: int) -> Sequence[uuid.UUID]:
    return work.customers.find_numbered(after, size)


def _change(work: Work, ids: Sequence[uuid.UUID], change: Change) -> dict[uuid.UUID, Outcome]:
    outcomes = {}
    for customer in work.customers.lock_idle(ids):
        try:
            outcomes[customer.id] = change(work, customer)
        except Unreadable:
            outcomes[customer.id] = Outcome.UNREADABLE
        work.session.flush()
    return outcomes


def _is_taken(work: Work, customer: Customer, lookup: str) -> bool:
    return any(other.id != customer.id for other in work.customers.find_all_by_lookup(lookup))
