"""What was said along with a name that fits several products, kept until one of them is picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from actions.understood import Understood
from shop.cart_lines import WantedLine

WISH_SLOT = "wish"


@dataclass(frozen=True)
class KeptWish:
    """How many, and how, whichever is picked; and whether the message also asked to pay.

    `others` are further units of it that are wanted otherwise: "2 burgers, one without onions".
    """

    quantity: str | None = None
    options: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    checks_out: bool = False
    others: tuple[KeptWish, ...] = ()

    @classmethod
    def of(cls, understood: Understood, line: WantedLine | None = None) -> KeptWish:
        """What a message says about a line that is still to be picked, or about a category."""
        alike = understood.of_kind if line is None else _alike(understood.lines, line)
        said, *others = alike or (WantedLine((), "", None),)
        loose = None if line or len(alike) > 1 else next(iter(understood.changes), None)
        return cls(
            quantity=said.quantity or (loose.quantity if loose else None),
            options=loose.options if loose else said.options,
            removals=loose.removals if loose else said.removals,
            checks_out=understood.and_checkout,
            others=tuple(cls(other.quantity, other.options, other.removals) for other in others),
        )

    @classmethod
    def from_slot(cls, value: Mapping[str, Any] | None) -> KeptWish:
        """The wish out of its slot; an empty one where there is none."""
        if not value:
            return cls()
        return cls(
            value["quantity"],
            tuple(value["options"]),
            tuple(value["removals"]),
            bool(value["checks_out"]),
            tuple(cls.from_slot(other) for other in value.get("others", ())),
        )

    def as_slot(self) -> dict[str, Any] | None:
        """The wish as its slot keeps it."""
        return asdict(self) if self != KeptWish() else None

    def counted(self, quantity: str) -> KeptWish:
        """The same for so many in all: those that are wanted otherwise stay as many as they were."""
        plain = Decimal(quantity) - sum(Decimal(other.quantity or 1) for other in self.others)
        return replace(self, quantity=f"{plain:f}" if plain > 0 else quantity)

    def lines_of(self, line: WantedLine) -> list[WantedLine]:
        """The lines that a picked line stands for; one that says itself how many are wanted stands alone."""
        if line.quantity is not None or line.is_wished:
            return [self.apply_to(line)]
        return [wish.apply_to(line) for wish in (self, *self.others)]

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


def _alike(lines: Sequence[WantedLine], line: WantedLine) -> list[WantedLine]:
    """The lines for which one of several products is still to be picked, `line` among them: "2 burgers, one
    without onions" are two."""
    if len(line.products) < 2:
        return [line]
    meant = set(line.products)
    return [one for one in lines if len(one.products) > 1 and meant & set(one.products)]
