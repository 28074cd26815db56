"""What the NLU pipeline understood of the latest message, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shop.cart_lines import WantedLine

MOST_QUOTED = 40


@dataclass(frozen=True)
class Understood:
    """Order lines, categories and numbers of a message, and the words to quote it by."""

    lines: tuple[WantedLine, ...]
    removed: tuple[WantedLine, ...]
    """Lines that are to go from the cart ("no fries, add a cola")."""
    changes: tuple[WantedLine, ...]
    """Options and removals that were said without naming a product."""
    again: WantedLine | None
    """More of what is in the cart: "another one", "the same again", "two more of those, no ice"."""
    for_all: bool
    """Whether "both" or "all of them" is spoken of."""
    words: list[str]
    category: str | None
    kind: tuple[str, ...]
    """The products of that category."""
    of_kind: tuple[WantedLine, ...]
    """How many of that category are wanted, and how, whichever they are."""
    free_numbers: tuple[str, ...]
    """Numbers that belong to no product."""
    asked: str
    intent: str
    confidence: float
    """How sure the pipeline is of the intent, from 0 to 1."""
    refused: tuple[tuple[str, str], ...]
    """Options that were asked for and that the product does not have: (option, product's name)."""
    unsure: bool
    """Whether a name was spelt so differently that it has to be asked about."""
    unknown: tuple[str, ...]
    """What was asked for and is on no menu."""
    ordinal: int | None
    """Which one of a list is spoken of; -1 is the last."""
    corrects: bool
    """Whether what is named takes the place of what was added last ("no, i meant the zobo")."""
    and_checkout: bool
    """Whether the same message asks to pay."""
    numbers: frozenset[int]
    """The whole numbers that the message says."""
    named: bool
    """Whether `asked` is a product's name rather than the whole message."""

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Understood:
        """Read the entities that the order parser and the entity extractor left."""
        entities = message.get("entities") or []
        intent = message.get("intent") or {}
        values = [e["value"] for e in entities if e.get("entity") == "order_line"]
        categories = [value for value in values if "category" in value]
        numbers = [e["value"] for e in entities if e.get("entity") == "quantity"]
        named = [str(e["value"]) for e in entities if e.get("entity") == "product"]
        text = str(message.get("text") or "")
        kept = [value for value in values if "products" in value and not value.get("removed")]
        gone = [value for value in values if "products" in value and value.get("removed")]
        ordinals = [int(e["value"]) for e in entities if e.get("entity") == "ordinal"]
        return cls(
            lines=tuple(_line(value) for value in kept if value["products"]),
            removed=tuple(_line(value) for value in gone),
            changes=tuple(_line(v) for v in kept if not (v["products"] or v.get("again"))),
            again=next((_line(v) for v in kept if v.get("again")), None),
            for_all=any(e.get("entity") == "for_all" for e in entities),
            refused=tuple((option, str(v["name"])) for v in kept for option in v.get("refused", ())),
            unsure=any(value.get("unsure") for value in kept),
            unknown=tuple(_quoted(str(e["value"])) for e in entities if e.get("entity") == "unknown_product"),
            ordinal=ordinals[0] if ordinals else None,
            corrects=any(e.get("entity") == "correction" for e in entities),
            and_checkout=any(e.get("entity") == "and_checkout" for e in entities),
            words=re.findall(r"[\w-]+", text),
            category=categories[0]["category"] if categories else None,
            kind=tuple(categories[0].get("kind", ())) if categories else (),
            of_kind=tuple(_line(one) for one in categories if one["category"] == categories[0]["category"]),
            free_numbers=tuple(str(number) for number in numbers),
            asked=_quoted(named[0] if named else text),
            intent=str(intent.get("name")),
            confidence=float(intent.get("confidence") or 0),
            numbers=_whole_numbers(entities),
            named=bool(named),
        )

    @property
    def category_quantity(self) -> str | None:
        """How many of the category are wanted, as it was said first."""
        return self.of_kind[0].quantity if self.of_kind else None

    @property
    def number(self) -> str | None:
        """The first of the numbers that belong to no product."""
        return self.free_numbers[0] if self.free_numbers else None

    @property
    def picks_from_list(self) -> bool:
        """Whether the message is a number and nothing else: it picks from the list that was shown."""
        picks = self.number is not None or self.ordinal is not None or self.for_all
        return self.intent == "give_quantity" and picks and not self.lines

    @property
    def product_ids(self) -> list[str]:
        """The products that were named, in order."""
        return [product for line in self.lines for product in line.products]


def _line(value: Mapping[str, Any]) -> WantedLine:
    return WantedLine(
        tuple(value.get("products", ())),
        value.get("name", ""),
        value.get("quantity"),
        tuple(value.get("options", ())),
        tuple(value.get("removals", ())),
        tuple(value.get("without", ())),
    )


def _whole_numbers(entities: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """Those that belong to a line, to nothing, or to something that nobody knows."""
    said = [e["value"] for e in entities if e.get("entity") == "quantity"]
    said += [number for e in entities if e.get("entity") == "numbers" for number in e["value"]]
    said += [e["value"].get("quantity") for e in entities if e.get("entity") == "order_line"]
    return frozenset(int(number) for number in said if number is not None and str(number).isdecimal())


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= MOST_QUOTED else one_line[:MOST_QUOTED].rstrip() + "…"
