"""What was said along with a name that fits several products, kept until one of them is picked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from actions.understood import Understood
from shop.cart_lines import WantedLine

WISH_SLOT = "wish"


@dataclass(frozen=True)
class KeptWish:
    """How many, and how, whichever is picked; and whether the message also asked to pay."""

    quantity: str | None = None
    options: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    checks_out: bool = False

    @classmethod
    def of(cls, understood: Understood, line: WantedLine | None = None) -> KeptWish:
        """What a message says about a line that is still to be picked, or about a category."""
        said = line or WantedLine((), "", understood.category_quantity)
        loose = next(iter(understood.changes), None) if line is None else None
        return cls(
            quantity=said.quantity or (loose.quantity if loose else None),
            options=loose.options if loose else said.options,
            removals=loose.removals if loose else said.removals,
            checks_out=understood.and_checkout,
        )

    @classmethod
    def from_slot(cls, value: Mapping[str, Any] | None) -> KeptWish:
        """The wish out of its slot; an empty one where there is none."""
        if not value:
            return cls()
        return cls(
            value["quantity"], tuple(value["options"]), tuple(value["removals"]), bool(value["checks_out"])
        )

    def as_slot(self) -> dict[str, Any] | None:
        """The wish as its slot keeps it."""
        return asdict(self) if self != KeptWish() else None

    def apply_to(self, line: WantedLine) -> WantedLine:
        """A picked line with what was said before, where it does not say otherwise itself.

        How many is left open only where nothing else was said: who says how it is to be, or that this is
        all, wants one.
        """
        wished = replace(
            line,
            quantity=line.quantity or self.quantity,
            options=line.options or self.options,
            removals=line.removals or self.removals,
        )
        one = wished.options or wished.removals or self.checks_out
        return replace(wished, quantity=wished.quantity or ("1" if one else None))
