"""What a walk over a message remembers, and what speaks against a reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dialogue.orders.around import Around, is_postfix
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Draft, Group, Said

ONE, HALF = Decimal(1), Decimal("0.5")
# How much it speaks against a reading that it leaves things over, or joins what people do not join.
LOOSE_NUMBER = LOOSE_OPTION = LOST_NUMBER = 1.0
PRODUCT_AFTER_WITH = WAITING_GROUP = WITH_AFTER_NUMBER = 0.6
UNPARTED = 0.5
PART_OF_NAME = 0.25
COUNTED_OPTION = WITH_AFTER_OPTION = THE_OPTION = GROUP_OF_VAGUE = NEW_UNITS = AMBIGUOUS_GROUP = 0.3


@dataclass
class Order:
    """What was read: drafts of lines, numbers and options without a product, and what nobody knows.

    `unknown` are the runs of words that stand where a product should, with the number before them; `strain`
    tells how badly the reading fits together. `again` tells that more of what was ordered before is wanted,
    or with `fewer` less of it, `counted` how many; `for_all` that "both" or "all of them" was said of it.
    """

    drafts: list[Draft] = field(default_factory=list)
    free: list[Segment] = field(default_factory=list)
    loose: list[Said] = field(default_factory=list)
    loose_count: Decimal | None = None
    unknown: list[tuple[Segment, Decimal | None]] = field(default_factory=list)
    left_over: list[Segment] = field(default_factory=list)
    corrects: bool = False
    again: bool = False
    fewer: bool = False
    counted: Decimal | None = None
    for_all: bool = False
    strain: float = 0.0


class Walking:
    """The state of a walk over the segments of one message."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = list(segments)
        self._around = Around(segments)
        self._order = Order()
        self._drafts = self._order.drafts
        self._targets: list[Group] = []
        self._number: Decimal | None = None
        self._pending: list[Said] = []
        self._waiting: list[Group] = []
        self._amount, self._count = "", None
        self._left_out = self._with = self._correcting = self._removing = self._ignoring = self._but = (
            self._replacing
        ) = False
        self._replaced: Draft | None = None
        self._last_left_out: Segment | None = None
        self._left_out_run = 0
        self._denied = False
        self._swapping_in = False
        self._given: Said | None = None
        self._pronoun: int | None = None
        self._postfix = is_postfix(self._segments)

    def _begin(self, value: Decimal) -> None:
        if self._number is not None and self._pending:
            self._waiting.append(Group(self._number, self._pending))
            doubtful = any(one.segment.is_ambiguous for one in self._pending)
            self._order.strain += WAITING_GROUP if doubtful else 0
            self._pending = []
        elif self._number is not None:
            self._order.strain += LOST_NUMBER
        elif self._pending:
            self._order.strain += UNPARTED
        self._number = value
        self._left_out = self._with = False
        self._targets = []

    def _group(self, group: Group) -> None:
        self._drafts[-1].groups.append(group)
        self._targets = [group]
        self._left_out = self._with = self._correcting = False


def same_slot(first: Segment, second: Segment) -> bool:
    slots = [{m.choice.slot if m.choice else "" for m in s.meanings if m.is_option} for s in (first, second)]
    return bool(slots[0] & slots[1])


def counts(draft: Draft) -> list[Decimal]:
    return [group.count or ONE for group in draft.groups]
