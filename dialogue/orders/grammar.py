"""What belongs to what in an order: from segments to drafts of lines.

A word may name a product and an option ("pepperoni"): `read_order` tries what fits together best, and a
`Walk` reads the segments once, from left to right, with one choice of the two for each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from dialogue.orders.around import BREAKS, SILENT, Around, is_part, is_postfix, joins
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Draft, Group, Said
from dialogue.orders.index import Meaning
from dialogue.orders.language import Part

ONE = Decimal(1)
MOST_AMBIGUOUS = 5
# How much it speaks against a reading that it leaves things over, or joins what people do not join.
LOOSE_NUMBER, LOOSE_OPTION, LOST_NUMBER, UNPARTED, PRODUCT_AFTER_WITH, COUNTED_OPTION = (
    1.0,
    1.0,
    1.0,
    0.5,
    0.6,
    0.3,
)
WAITING_GROUP, WITH_AFTER_NUMBER, WITH_AFTER_OPTION, THE_OPTION, GROUP_OF_VAGUE, NEW_UNITS = (
    0.6,
    0.6,
    0.3,
    0.3,
    0.3,
    0.3,
)
AMBIGUOUS_GROUP = 0.3


@dataclass
class Order:
    """What was read: drafts of lines, numbers and options without a product, and what nobody knows.

    `unknown` are the runs of words that stand where a product should, with the number before them; `strain`
    tells how badly the reading fits together.
    """

    drafts: list[Draft] = field(default_factory=list)
    free: list[Segment] = field(default_factory=list)
    loose: list[Said] = field(default_factory=list)
    loose_count: Decimal | None = None
    unknown: list[tuple[Segment, Decimal | None]] = field(default_factory=list)
    left_over: list[Segment] = field(default_factory=list)
    corrects: bool = False
    strain: float = 0.0


def read_order(segments: Sequence[Segment]) -> Order:
    """The reading of a message that fits together best."""
    orders = [Walk(reading).read() for reading in _readings(segments)]
    return min(orders, key=lambda order: order.strain)


def _readings(segments: Sequence[Segment]) -> Iterable[list[Segment]]:
    """The segments with each ambiguous one as a product or as an option."""
    ambiguous = [n for n, s in enumerate(segments) if (s.products or s.category) and s.option]
    open_ones = ambiguous[:MOST_AMBIGUOUS]
    for as_option in itertools.product((True, False), repeat=len(open_ones)):
        roles = {**dict.fromkeys(ambiguous, True), **dict(zip(open_ones, as_option, strict=True))}
        yield [
            segment
            if number not in roles
            else replace(segment, meanings=_of_kind(segment, is_option=roles[number]), is_ambiguous=True)
            for number, segment in enumerate(segments)
        ]


def _of_kind(segment: Segment, *, is_option: bool) -> tuple[Meaning, ...]:
    return tuple(meaning for meaning in segment.meanings if meaning.is_option is is_option)


class Walk:
    """Reads the segments of one message once."""

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
        self._left_out = self._with = self._correcting = self._removing = self._ignoring = self._but = False
        self._last_left_out: Segment | None = None
        self._postfix = is_postfix(self._segments)

    def read(self) -> Order:
        """The drafts of the whole message."""
        for place, segment in enumerate(self._segments):
            self._take(place, segment)
        order = self._order
        if self._pending:
            if self._drafts:
                self._drafts[-1].whole.said += self._pending
                order.strain += LOST_NUMBER if self._number is not None else 0
            else:
                order.loose, order.loose_count = self._pending, self._number
        if not self._drafts and not (order.loose and all(one.left_out for one in order.loose)):
            order.strain += LOOSE_OPTION * (1 + len(order.loose))
        order.strain += LOOSE_NUMBER * len(order.free)
        return order

    def _take(self, place: int, segment: Segment) -> None:
        if segment.is_sign:
            if segment.text in BREAKS:
                self._left_out = self._with = self._removing = False
        elif segment.meanings:
            self._order.strain += min(meaning.cost for meaning in segment.meanings)
            if segment.option:
                self._option(place, segment)
            elif not self._only_describes(place, segment):
                self._product(place, segment)
        elif segment.number is not None:
            self._numbered(place, segment)
        elif segment.hidden and self._is_asked_for(place):
            self._option(place, replace(segment, meanings=segment.hidden))
        elif segment.part is not None:
            self._word(place, segment, segment.part)
        else:
            self._unknown(place, segment)

    def _is_asked_for(self, place: int) -> bool:
        """Whether a word of a kind stands alone for the only option of that kind: `no syrup`, `extra
        sauce`."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        ends = after is None or not (after.option or after.products)
        return ends and is_part(before, Part.WITHOUT, Part.QUALIFIER, Part.WITH)

    # Products.

    def _only_describes(self, place: int, segment: Segment) -> bool:
        """Whether it is the "tea" of "peppermint rose tea", or the "espresso" of "a shot of espresso"."""
        beside = [s for s in (self._around.beside(place, -1), self._around.beside(place, 1)) if s]
        if self._drafts and any(is_part(other, Part.MEASURE) for other in beside):
            return True
        if segment.is_exact_product:
            return False
        further = self._segments[place + 1 : place + 3]
        if len(further) == 2 and further[0].unknown and further[1].products == segment.products:
            beside += [further[1]]
        return any(other.is_exact_product for other in beside)

    def _product(self, place: int, segment: Segment) -> None:
        number, self._number = self._number, None
        known = self._known(place, segment, number)
        if self._ignoring:
            self._ignoring = False
            return
        if self._removing and known is not None:
            self._drafts.remove(known)
            self._removing = False
        elif known is not None and number is not None:
            self._speaks_of_some(known, number)
        elif self._correcting and self._drafts and (segment.is_whole_product or number is not None):
            self._replace(segment, number)
        elif known is not None:
            self._targets = [known.whole]
        elif number is None and self._names_kind_of(place, segment):
            self._drafts[-1].segment = segment
            self._targets = [self._drafts[-1].whole]
        elif not self._speaks_of_same(segment, number):
            self._draft(place, segment, number)
        self._correcting = self._with = self._left_out = False
        self._amount, self._count = "", None
        if self._pending and self._targets:
            self._targets[0].said += self._pending
            self._pending = []

    def _draft(self, place: int, segment: Segment, number: Decimal | None) -> None:
        before = self._around.beside(place, -1)
        said_before = self._around.previous(place)
        directly = is_part(said_before, Part.WITH, Part.WITHOUT, Part.REMOVE, Part.QUALIFIER)
        if directly or (number is None and self._with):
            self._order.strain += PRODUCT_AFTER_WITH
        elif self._drafts and number is None and before is not None and (before.option or before.products):
            self._order.strain += 0 if self._pending else UNPARTED
        removed = self._removing or (self._left_out and directly)
        plural = _is_plural(segment)
        for group in (*self._waiting, Group(number)):
            self._drafts.append(Draft(segment, group, removed=removed, plural=plural))
        self._waiting = []
        self._targets = [self._drafts[-1].whole]

    def _known(self, place: int, segment: Segment, number: Decimal | None) -> Draft | None:
        """The draft that "the chocolate one" or "on the strawberry" speaks of."""
        is_definite = is_part(self._around.beside(place, -1), Part.DEFINITE, Part.REMOVE)
        if not is_definite and not (self._correcting and number is not None):
            return None
        wanted, text = set(segment.products), segment.text.lower()
        found = [
            draft
            for draft in self._drafts
            if draft.segment.is_whole_product and wanted & set(draft.segment.products)
        ]
        found = found or [draft for draft in self._drafts if draft.segment.text.lower().endswith(text)]
        return found[-1] if len({draft.segment.products for draft in found}) == 1 else None

    def _names_kind_of(self, place: int, segment: Segment) -> bool:
        """Whether the draft before was only the kind: "a pizza margherita", "uma pizza grande de calabresa"."""
        last = self._drafts[-1] if self._drafts else None
        if last is None or last.segment.is_whole_product or last.groups or not segment.is_whole_product:
            return False
        if last.segment.products and not set(segment.products) & set(last.segment.products):
            return False
        between = [s for s in self._segments[:place] if s.first >= last.segment.last]
        return all(s.option or s.part in (*SILENT, Part.CONTAINER) for s in between)

    def _speaks_of_some(self, known: Draft, number: Decimal) -> None:
        """ "Two of the americanos", or "make it three cookies" after another number of them."""
        if self._correcting:
            known.whole.count = number
            self._targets = [known.whole]
            return
        self._drafts.remove(known)
        self._drafts.append(known)
        if number < (known.whole.count or ONE):
            self._group(Group(number))
        else:
            self._targets = [known.whole]

    def _speaks_of_same(self, segment: Segment, number: Decimal | None) -> bool:
        """Whether "one mocha" and "the other mocha" are of the "two mochas" that were named before."""
        last = self._drafts[-1] if self._drafts else None
        if last is None or segment.products != last.segment.products:
            return False
        if number is None and last.groups and last.groups[-1] in self._targets and not last.groups[-1].said:
            return True
        if number is not None and self._but and number < (last.whole.count or ONE):
            self._group(Group(number))
            self._but = False
            return True
        return False

    def _replace(self, segment: Segment, number: Decimal | None) -> None:
        """ "A latte, no wait, a mocha": the last line is another product, or has another number."""
        last = self._drafts[-1]
        last.whole.count = number if number is not None else last.whole.count
        if segment.products != last.segment.products:
            last.segment = segment
            last.groups.clear()
            last.whole.said = []
        self._targets = [last.whole]

    # Options.

    def _option(self, place: int, segment: Segment) -> None:
        if self._is_amount(place, segment):
            self._amount, self._with = "extra", True
            return
        if self._only_repeats(place, segment):
            return
        self._order.strain += THE_OPTION if self._may_be_known(place, segment) else 0
        self._removing = False
        left_out = self._ignoring or self._is_left_out(place, segment)
        said = Said(segment, left_out, self._amount, self._count)
        self._amount, self._count, self._ignoring = "", None, False
        if not self._drafts or (not left_out and self._is_before_product(place)):
            self._pending.append(said)
            return
        self._aim(place)
        for target in self._targets:
            if self._correcting:
                _correct(target, said)
            target.said.append(said)
        self._correcting = False

    def _may_be_known(self, place: int, segment: Segment) -> bool:
        """Whether "the strawberry" may be the product that was named before."""
        if not segment.is_ambiguous or not is_part(self._around.beside(place, -1), Part.DEFINITE):
            return False
        return any(draft.segment.text.lower().startswith(segment.text.lower()) for draft in self._drafts)

    def _is_before_product(self, place: int) -> bool:
        if self._number is not None:
            return self._around.leads_to_product(place)
        directly = is_part(self._around.previous(place), Part.WITH, Part.QUALIFIER, Part.MEASURE, Part.ADDING)
        return not directly and self._around.leads_to_product(place, adjective=True)

    def _aim(self, place: int) -> None:
        """Find out which units an option is for."""
        last = self._drafts[-1]
        if not self._targets:
            self._targets = [last.whole]
        meant = self._around.postposed(place)
        if meant is Part.OTHER and last.groups and not last.groups[-1].is_rest:
            self._group(Group(None, is_rest=True))
        elif meant is Part.ONE_OF_THEM and not last.groups:
            self._group(Group(ONE))
        elif meant is Part.EACH:
            self._targets = _all_units(self._drafts)

    def _is_left_out(self, place: int, segment: Segment) -> bool:
        """Whether a "no" before reaches this option: `no onions or mayo`, not `no onions, large`."""
        if not self._left_out:
            return False
        first, self._last_left_out = self._last_left_out, segment
        if first is None:
            return True
        before = self._around.previous(place)
        goes_on = is_part(before, Part.OR) or (_same_slot(first, segment) and not self._amount)
        goes_on = goes_on or (joins(before) and not segment.is_size and not self._amount)
        self._left_out = goes_on
        return goes_on

    def _is_amount(self, place: int, segment: Segment) -> bool:
        """Whether it is the "double" of "with double almond milk", not of "a double latte"."""
        following = self._around.beside(place, 1)
        if not segment.is_multiple or following is None or following.is_sign:
            return False
        if following.option and not self._with:
            return False
        if following.is_whole_product or following.number is not None:
            return False
        if following.option and self._around.leads_to_product(place, adjective=True):
            return False
        return bool(following.option) or following.unknown or is_part(following, Part.GENERIC)

    def _only_repeats(self, place: int, segment: Segment) -> bool:
        """Whether it is the "sweetener" of "vanilla sweetener": the word of a kind, behind an option."""
        before = self._around.beside(place, -1)
        return segment.is_generic and before is not None and before.option is not None

    # Numbers.

    def _numbered(self, place: int, segment: Segment) -> None:
        assert segment.number is not None
        value, around = segment.number.value, self._around
        last = self._drafts[-1] if self._drafts else None
        before, following = around.previous(place), around.following(place)
        if is_part(before, Part.EACH) or around.is_pronoun(place) or around.is_price(place):
            return
        if value == 0 and self._leads_to_option(place):
            self._without(place)
            return
        if last and is_part(before, Part.OTHER) and last.groups and last.groups[-1].is_rest:
            last.groups[-1].count = value
        elif around.measures_option(place) or (self._with and is_part(following, Part.MEASURE)):
            self._count = int(value)
        elif last and self._counts_what_was_named(place, segment, last):
            last.whole.count = value
        elif around.leads_to_product(place):
            self._begin(value)
        elif last and self._correcting and not around.speaks_of_options(place):
            last.whole.count = value
            self._correcting = False
        elif last and is_part(following, Part.PARTIAL) and last.whole.count is None and not last.groups:
            last.whole.count = value
        elif last and around.speaks_of_options(place):
            self._some_are_different(place, value, last)
        elif last and last.whole.count is None and around.follows_product(place):
            last.whole.count = value
        else:
            self._loose_number(place, segment, value)

    def _counts_what_was_named(self, place: int, segment: Segment, last: Draft) -> bool:
        """Whether it is the "x3" of "fries x3, coke x2", or a list has all its numbers behind the names."""
        if self._postfix:
            return True
        is_times = segment.number is not None and segment.number.is_times
        return is_times and last.whole.count is None and self._around.follows_product(place)

    def _some_are_different(self, place: int, value: Decimal, last: Draft) -> None:
        """ "Two lattes, one decaf", or "a burger with two eggs"."""
        total = last.whole.count or (None if last.plural else ONE)
        following = self._around.following(place)
        assert following is not None
        counts_option = following.option is not None
        directly = is_part(self._around.previous(place), Part.WITH)
        too_many = total is not None and value > total - sum(_counts(last))
        if counts_option and (value > 1 or total == 1) and (directly or (too_many and value > 1)):
            self._count = int(value)
            self._order.strain += 0 if self._with else COUNTED_OPTION
            return
        said = last.whole.said
        is_new = total is not None and (value + sum(_counts(last)) > total or (value >= total and bool(said)))
        is_new = is_new or any(_same_slot(one.segment, following) and one.segment.is_size for one in said)
        self._order.strain += NEW_UNITS if is_new else 0
        self._order.strain += AMBIGUOUS_GROUP if counts_option and following.is_ambiguous else 0
        self._order.strain += 0 if last.segment.is_whole_product else GROUP_OF_VAGUE
        self._group(Group(value, additional=is_new))

    def _loose_number(self, place: int, segment: Segment, value: Decimal) -> None:
        following = self._around.following(place)
        if (
            following is not None
            and (following.unknown or (not self._drafts and following.option))
            or not self._drafts
            and self._around.speaks_of_options(place)
        ):
            self._begin(value)
        else:
            self._order.free.append(segment)
            self._order.corrects = self._order.corrects or self._correcting

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

    # Words that do something.

    def _word(self, place: int, segment: Segment, part: Part) -> None:
        if part in (Part.WITH, Part.WITHOUT, Part.QUALIFIER):
            self._speaks_against_option(place)
        if part in (Part.WITH, Part.ADDING, Part.ONLY):
            negated = part is Part.ADDING and is_part(self._around.beside(place, -1), Part.WITHOUT, Part.NOT)
            self._with = part is Part.WITH or (self._with and part is Part.ONLY)
            self._left_out, self._removing = self._left_out and negated, False
        elif part is Part.WITHOUT or (part is Part.NOT and self._leads_to_option(place)):
            self._without(place)
        elif part is Part.NOT and self._around.ends_here(place):
            self._deny_last_option(place)
        elif part is Part.ONE_OF_THEM and self._drafts and self._around.speaks_of_options(place):
            self._group(Group(ONE))
        elif part is Part.BUT:
            self._with = self._left_out = False
            self._but = True
        elif part is Part.QUALIFIER:
            self._qualify(place, segment)
        elif part is Part.CORRECTION:
            self._correct_here()
        elif part is Part.REMOVE:
            self._removing = self._left_out = True
            self._last_left_out = None
        elif part is Part.REMOVED:
            self._undo_last_options()
        elif part is Part.INSTEAD_OF:
            self._ignoring = True
        elif part is Part.REFERENCE and self._drafts and not self._drafts[-1].groups:
            self._targets = [self._drafts[-1].whole]
        elif part is Part.SAME and self._drafts and self._around.leads_to_product(place):
            self._pending += self._drafts[-1].whole.said
        elif part is Part.SAME and self._drafts and not self._leads_to_option(place):
            last = self._drafts[-1]
            self._drafts.append(replace(last, whole=Group(ONE, list(last.whole.said)), groups=[]))
            self._targets = [self._drafts[-1].whole]
        elif part in (Part.EACH, Part.OTHER, Part.ANOTHER):
            self._grouped(place, part)
        elif part is Part.ARTICLE:
            self._article(place)
        elif part is Part.PLAIN and self._targets and self._targets == self._drafts[-1].groups[-1:]:
            self._targets[0].is_plain = True

    def _speaks_against_option(self, place: int) -> None:
        """What something is "with" is a product."""
        before = self._around.previous(place)
        if before is None or before.option is None:
            return
        self._order.strain += WITH_AFTER_NUMBER if self._number is not None else 0
        self._order.strain += WITH_AFTER_OPTION if before.is_ambiguous else 0

    def _leads_to_option(self, place: int) -> bool:
        following = self._around.following(place)
        return following is not None and following.option is not None

    def _without(self, place: int) -> None:
        following = self._around.following(place)
        if following is None or following.is_sign or joins(following):
            self._as_opposed()
            return
        self._left_out, self._with, self._last_left_out = True, False, None

    def _as_opposed(self) -> None:
        """ "One with cream and one without": the second has none of what the first has."""
        last = self._drafts[-1] if self._drafts else None
        if last is None or not last.groups or last.groups[-1].said:
            return
        others = last.groups[-2].said if len(last.groups) > 1 else last.whole.said
        last.groups[-1].said += [replace(one, left_out=True) for one in others[-1:]]

    def _qualify(self, place: int, segment: Segment) -> None:
        """ "Light ice", or "ice, light"."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        postposed = before is not None and before.option and (after is None or after.is_sign)
        if postposed and self._targets and self._targets[0].said:
            for target in self._targets:
                target.said[-1] = replace(target.said[-1], amount=segment.amount)
            return
        self._amount, self._left_out, self._with = segment.amount, False, True

    def _correct_here(self) -> None:
        self._correcting, self._left_out, self._with = bool(self._drafts), False, False
        if not self._drafts and self._pending:
            self._pending, self._number = [], None
        elif not self._drafts:
            self._order.corrects = True

    def _deny_last_option(self, place: int) -> None:
        """ "Onions no": what stands right before is left out."""
        before = self._around.beside(place, -1)
        if before is not None and before.option:
            for target in self._targets:
                target.said[-1:] = [replace(one, left_out=True) for one in target.said[-1:]]

    def _undo_last_options(self) -> None:
        """ "Tomato and lettuce removed"."""
        for target in self._targets:
            target.said[:] = [replace(one, left_out=True) for one in target.said]

    def _grouped(self, place: int, part: Part) -> None:
        leads = self._around.leads_to_product(place)
        if part is Part.ANOTHER and leads:
            self._begin(ONE)
        elif not self._drafts:
            return
        elif part is Part.ANOTHER:
            self._group(Group(ONE, additional=True))
        elif part is Part.EACH and not leads:
            self._targets = _all_units(self._drafts)
            self._left_out = self._with = False
        elif part is Part.OTHER and not self._around.ends_here(place):
            following = self._around.following(place)
            same = following is not None and following.products == self._drafts[-1].segment.products
            if same or not leads:
                self._group(Group(None, is_rest=True))

    def _article(self, place: int) -> None:
        if self._around.leads_to_product(place):
            if self._number is None:
                self._begin(ONE)
            return
        following = self._around.following(place)
        if following is not None and following.unknown:
            self._number = ONE if self._number is None and not self._with else self._number
            return
        last = self._drafts[-1] if self._drafts else None
        if last is None or following is None or not following.option or self._with:
            return
        begun = bool(last.groups) and self._targets == [last.groups[-1]] and not last.groups[-1].said
        if not begun and (last.groups or last.plural or (last.whole.count or ONE) > 1):
            self._group(Group(ONE))

    def _unknown(self, place: int, segment: Segment) -> None:
        before = self._around.previous(place)
        if (
            self._number is not None
            and before is not None
            and (before.number or is_part(before, Part.ARTICLE))
        ):
            self._order.unknown.append((segment, self._number))
            self._number = None
        else:
            self._order.left_over.append(segment)


def _all_units(drafts: Sequence[Draft]) -> list[Group]:
    """What "both" speaks of: the units of the last line that were told apart, or else all lines."""
    groups = drafts[-1].groups
    if not groups:
        return [draft.whole for draft in drafts]
    return [drafts[-1].whole, *groups] if any(group.additional for group in groups) else list(groups)


def _counts(draft: Draft) -> list[Decimal]:
    return [group.count or ONE for group in draft.groups]


def _same_slot(first: Segment, second: Segment) -> bool:
    slots = [{m.choice.slot if m.choice else "" for m in s.meanings if m.is_option} for s in (first, second)]
    return bool(slots[0] & slots[1])


def _is_plural(segment: Segment) -> bool:
    return segment.text.lower().rstrip("'’").endswith("s")


def _correct(target: Group, said: Said) -> None:
    """A corrected option takes the place of the one of its slot, or of the last one."""
    same = [one for one in target.said if _same_slot(one.segment, said.segment)]
    if same:
        target.said.remove(same[-1])
