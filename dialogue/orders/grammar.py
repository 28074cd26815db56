"""What belongs to what in an order: from segments to drafts of lines.

A word may name a product and an option ("pepperoni"): `read_order` tries what fits together best, and a
`Walk` reads the segments once, from left to right, with one choice of the two for each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dialogue.orders.around import BREAKS, is_part
from dialogue.orders.counting import Counting
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Group, copies
from dialogue.orders.language import Part
from dialogue.orders.options import all_units
from dialogue.orders.products import Products
from dialogue.orders.rarity import is_everyday
from dialogue.orders.walking import (
    HALF,
    LOOSE_NUMBER,
    LOOSE_OPTION,
    LOST_NUMBER,
    ONE,
    PART_OF_NAME,
    Order,
    same_slot,
)

MOST_AMBIGUOUS = 5


def read_order(segments: Sequence[Segment]) -> Order:
    """The reading of a message that fits together best.

    Where no product is named whole, the one whose name ends an option's may be meant: "double scoop".
    """
    order = _best(segments)
    implied = any(segment.implied for segment in segments)
    if not implied or any(draft.segment.is_whole_product for draft in order.drafts):
        return order
    return min(order, _best(list(_with_implied(segments))), key=lambda one: one.strain)


def _best(segments: Sequence[Segment]) -> Order:
    orders = [Walk(reading).read() for reading in _readings(segments)]
    return min(orders, key=lambda order: order.strain)


def _with_implied(segments: Sequence[Segment]) -> Iterable[Segment]:
    for segment in segments:
        yield segment
        if segment.implied:
            yield replace(segment, first=segment.last, meanings=segment.implied, implied=())


def _readings(segments: Sequence[Segment]) -> Iterable[list[Segment]]:
    """The segments with each ambiguous one as a product or as an option."""
    ambiguous = [n for n, s in enumerate(segments) if (s.products or s.category) and s.option]
    open_ones = ambiguous[:MOST_AMBIGUOUS]
    for as_option in itertools.product((True, False), repeat=len(open_ones)):
        roles = {**dict.fromkeys(ambiguous, True), **dict(zip(open_ones, as_option, strict=True))}
        yield [
            segment if number not in roles else _read_as(segment, is_option=roles[number])
            for number, segment in enumerate(segments)
        ]


def _read_as(segment: Segment, *, is_option: bool) -> Segment:
    meanings = tuple(meaning for meaning in segment.meanings if meaning.is_option is is_option)
    kind = segment.products if is_option else ()
    return replace(segment, meanings=meanings, is_ambiguous=True, kind=kind)


class Walk(Products, Counting):
    """Reads the segments of one message once."""

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
        self._keep_what_nothing_replaces()
        if not self._drafts and not (order.loose and all(one.left_out for one in order.loose)):
            order.strain += LOOSE_OPTION * (1 + len(order.loose))
        order.strain += LOOSE_NUMBER * len(order.free)
        return order

    def _keep_what_nothing_replaces(self) -> None:
        """ "Change the pie to 1": the pie stays, and how many was said."""
        if self._replaced is None or any(not draft.removed for draft in self._drafts):
            return
        self._replaced.removed = False
        if self._replaced.whole.count is None and len(self._order.free) == 1:
            number = self._order.free.pop().number
            self._replaced.whole.count = number.value if number else None

    def _take(self, place: int, segment: Segment) -> None:
        if segment.is_sign:
            if segment.text in BREAKS:
                self._left_out = self._with = self._removing = False
            following = self._around.beside(place, 1)
            if following is not None and (following.number or is_part(following, Part.ARTICLE)):
                self._removing = False  # "cancel the cola, 1 zobo instead"
        elif segment.meanings:
            self._order.strain += min(meaning.cost for meaning in segment.meanings)
            if segment.option:
                self._option(place, segment)
            elif not self._only_describes(place, segment):
                self._order.strain += PART_OF_NAME if self._may_be_for_last(place, segment) else 0
                self._product(place, segment)
        elif segment.number is not None:
            self._numbered(place, segment)
        elif segment.hidden and self._is_asked_for(place):
            self._option(place, replace(segment, meanings=segment.hidden))
        elif segment.is_half:
            self._half(place)
        elif segment.part is not None:
            self._word(place, segment, segment.part)
        else:
            self._unknown(place, segment)

    def _may_be_for_last(self, place: int, segment: Segment) -> bool:
        """Whether the "chocolate" of "two milkshakes, one chocolate" is rather a flavour than a chocolate
        cake: a part of a product's name that is also an option, behind a product with units to tell apart."""
        if not self._drafts or not segment.is_ambiguous or segment.is_exact_product:
            return False
        before = self._around.previous(place)
        if before is not None and before.is_piece:
            return True
        last = self._drafts[-1]
        return self._number is None or last.plural or (last.whole.count or ONE) > 1

    def _half(self, place: int) -> None:
        """ "Half a cola": nobody sells it, and it is not one; "half of them spicy", "the other half mild"."""
        after = self._around.beside(place, 1)
        last = self._drafts[-1] if self._drafts else None
        units = last.whole.count if last is not None else None
        if units is not None and units > 1 and units % 2 == 0 and self._around.speaks_of_options(place):
            if not (last and last.groups and last.groups[-1].is_rest and not last.groups[-1].said):
                self._group(Group(units / 2))
            return
        if is_part(after, Part.ARTICLE) and self._number is None and self._around.leads_to_product(place):
            self._begin(HALF)

    def _word(self, place: int, segment: Segment, part: Part) -> None:
        if part in (Part.WITH, Part.WITHOUT, Part.QUALIFIER):
            self._speaks_against_option(place)
        if part in (Part.WITH, Part.ADDING, Part.ONLY):
            negated = part is Part.ADDING and is_part(self._around.beside(place, -1), Part.WITHOUT, Part.NOT)
            self._with = part is Part.WITH or (self._with and part is Part.ONLY)
            self._left_out, self._removing = self._left_out and negated, False
        elif part is Part.WITHOUT and self._is_second_thought(place):
            self._correct_here()
        elif part is Part.WITHOUT or (part is Part.NOT and self._leads_to_option(place)):
            self._without(place)
        elif part is Part.NOT and self._around.ends_here(place):
            self._deny_last_option(place)
        elif part is Part.ONE_OF_THEM and self._drafts and self._around.speaks_of_options(place):
            self._group(Group(ONE))
        elif part is Part.BUT:
            self._with = self._left_out = False
            self._but = True
        elif part is Part.QUALIFIER and segment.step < 0 and self._number is not None:
            self._removing = self._around.leads_to_product(place)  # "one less cola"
        elif part is Part.QUALIFIER:
            self._qualify(place, segment)
        elif part is Part.CORRECTION:
            self._correct_here()
        elif part is Part.REMOVE:
            self._removing = self._left_out = True
            self._last_left_out = None
        elif part is Part.REPLACE or (part is Part.NOT and self._leads_to_whole_product(place)):
            self._replacing = True
        elif part is Part.SWAP_IN:
            self._swapping_in = True
        elif part is Part.REMOVED:
            self._undo_last_options()
        elif part is Part.INSTEAD_OF:
            self._ignoring = True
        elif part is Part.REFERENCE and self._drafts and not self._drafts[-1].groups:
            self._targets = [self._drafts[-1].whole]
        elif part is Part.SAME and self._drafts and self._around.leads_to_product(place):
            self._pending += copies(self._drafts[-1].whole.said)
        elif part is Part.SAME and not self._drafts and not self._around.leads_to_product(place):
            self._order.again = True
        elif part is Part.SAME and self._drafts and self._is_like_before(place):
            self._make_like_before()
        elif part is Part.SAME and self._drafts and not self._leads_to_option(place):
            last = self._drafts[-1]
            self._drafts.append(replace(last, whole=Group(ONE, copies(last.whole.said)), groups=[]))
            self._targets = [self._drafts[-1].whole]
        elif part in (Part.EACH, Part.OTHER, Part.ANOTHER):
            self._grouped(place, part)
        elif part is Part.ARTICLE:
            self._article(place)
        elif part is Part.PLAIN and self._targets and self._targets == self._drafts[-1].groups[-1:]:
            self._targets[0].is_plain = True

    def _is_like_before(self, place: int) -> bool:
        """Whether it is the "same" of "and a chicken wrap, same way" and of "also a small one, same but"."""
        before = self._around.beside(place, -1)
        if before is not None and before.is_sign and before.text not in BREAKS:
            before = self._around.beside(place, -2)
        last = self._drafts[-1]
        is_new = bool(last.groups and last.groups[-1].additional and before is not None and before.number)
        return is_new or (len(self._drafts) > 1 and before is last.segment and not last.whole.said)

    def _make_like_before(self) -> None:
        last = self._drafts[-1]
        new, model = (last.groups[-1], last.whole) if last.groups else (last.whole, self._drafts[-2].whole)
        told = [one.segment for one in new.said]
        open_ones = [one for one in model.said if not any(same_slot(one.segment, other) for other in told)]
        new.said[:0] = copies(open_ones)
        self._targets = [new]

    def _is_second_thought(self, place: int) -> bool:
        """ "3 colas, no 2 colas": other than what was just ordered."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        counts = after is not None and after.number is not None and self._around.leads_to_product(place + 1)
        return bool(self._drafts) and counts and before is not None and before.is_sign

    def _leads_to_whole_product(self, place: int) -> bool:
        following = self._around.following(place)
        return following is not None and following.is_whole_product and not following.option

    def _correct_here(self) -> None:
        self._correcting, self._left_out, self._with = bool(self._drafts), False, False
        if not self._drafts and self._pending:
            self._pending, self._number = [], None
        elif not self._drafts:
            self._order.corrects = True

    def _grouped(self, place: int, part: Part) -> None:
        leads = self._around.leads_to_product(place)
        if part is Part.ANOTHER and leads:
            self._begin(ONE)
        elif not self._drafts:
            # "Another one", "both": of what was ordered before.
            self._order.again = self._order.again or part is Part.ANOTHER
            self._order.counted = ONE if part is Part.ANOTHER else self._order.counted
            self._order.for_all = self._order.for_all or (part is Part.EACH and not leads)
        elif part is Part.ANOTHER:
            self._group(Group(ONE, additional=True))
        elif part is Part.EACH and not leads:
            self._targets = all_units(self._drafts)
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
        if last is None or following is None or not following.option:
            return
        is_told = any(same_slot(one.segment, following) for one in last.whole.said)
        if is_told and not self._correcting and self._around.is_pronoun(place + 2):
            self._group(Group(ONE, additional=True))  # "a large cola and a small one"
            return
        if self._with:
            return
        begun = bool(last.groups) and self._targets == [last.groups[-1]] and not last.groups[-1].said
        if not begun and (last.groups or last.plural or (last.whole.count or ONE) > 1):
            self._group(Group(ONE))

    def _unknown(self, place: int, segment: Segment) -> None:
        before, after = self._around.previous(place), self._around.beside(place, 1)
        counted = before is not None and (before.number or is_part(before, Part.ARTICLE))
        if self._number is not None and counted:
            # "One cold zobo" is one zobo; of "two sushi rolls" nobody knows what is meant.
            describes = after is not None and after.is_exact_product
            if describes and is_everyday(segment.text):
                self._order.left_over.append(segment)
            else:
                self._order.unknown.append((segment, self._number))
            self._number = self._number if describes else None
        elif self._with and self._drafts and is_part(before, Part.WITH):
            self._order.unknown.append((segment, None))  # "a burger with pineapple"
        else:
            self._order.left_over.append(segment)
