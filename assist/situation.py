"""What the model is told, and what comes of it, as values. No phone number, no price, nobody else."""

from __future__ import annotations

from dataclasses import dataclass

from shop.candidates import Candidate


@dataclass(frozen=True)
class Situation:
    """A message that was not understood, and where its customer stands.

    `customer` is a pseudonym for the budget; it is never told to the model. `numbers` are the whole
    numbers that the text says. `turns` are what the customer wrote before, and what was answered, by name.
    """

    customer: str
    text: str
    state: str
    language: str
    cart: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    numbers: frozenset[int] = frozenset()
    catalogue_version: str = ""


@dataclass(frozen=True)
class ProposedLine:
    """Some of a product; `options` are (id, name)."""

    product_id: str
    name: str
    quantity: int
    options: tuple[tuple[str, str], ...] = ()
    removals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What the customer may have meant: order lines, an intent, or a question to ask; exactly one of them."""

    lines: tuple[ProposedLine, ...] = ()
    intent: str | None = None
    clarify: str | None = None
