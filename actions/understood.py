"""What the NLU pipeline understood of the latest message, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.cart_lines import WantedLine

MOST_QUOTED = 40


@dataclass(frozen=True)
class Understood:
    """Order lines, categories and numbers of a message, and the words to quote it by."""

    lines: tuple[WantedLine, ...]
    changes: tuple[WantedLine, ...]
    """Options and removals that were said without naming a product."""
    words: list[str]
    category: str | None
    category_quantity: str | None
    number: str | None
    asked: str
    intent: str
    confidence: float
    """How sure the pipeline is of the intent, from 0 to 1."""
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
        lines = [_line(value) for value in values if "products" in value]
        return cls(
            lines=tuple(line for line in lines if line.products),
            changes=tuple(line for line in lines if not line.products),
            words=re.findall(r"[\w-]+", text),
            category=categories[0]["category"] if categories else None,
            category_quantity=categories[0].get("quantity") if categories else None,
            number=str(numbers[0]) if numbers else None,
            asked=_quoted(named[0] if named else text),
            intent=str(intent.get("name")),
            confidence=float(intent.get("confidence") or 0),
            named=bool(named),
        )

    @property
    def picks_from_list(self) -> bool:
        """Whether the message is a number and nothing else: it picks from the list that was shown."""
        return self.intent == "give_quantity" and self.number is not None and not self.lines

    @property
    def product_ids(self) -> list[str]:
        """The products that were named, in order."""
        return [product for line in self.lines for product in line.products]


def _line(value: Mapping[str, Any]) -> WantedLine:
    return WantedLine(
        tuple(value["products"]),
        value["name"],
        value.get("quantity"),
        tuple(value.get("options", ())),
        tuple(value.get("removals", ())),
    )


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= MOST_QUOTED else one_line[:MOST_QUOTED].rstrip() + "…"
