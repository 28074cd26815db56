"""Numbers of an order: how many of what."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from dialogue.orders.around import is_part, joins
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Draft, Group
from dialogue.orders.language import Part
from dialogue.orders.options import Options
from dialogue.orders.walking import (
    AMBIGUOUS_GROUP,
    COUNTED_OPTION,
    GROUP_OF_VAGUE,
    NEW_UNITS,
    ONE,
    counts,
    same_slot,
)


class Counting(Options):
    """What a number does."""

    def _numbered(self, place: int, segment: Segment) -> None:
        assert segment.number is not None
        value, around = segment.number.value, self._around
        last = self._drafts[-1] if self._drafts else None
        before, following = around.previous(place), around.following(place)
        stands_for_units = place == self._pronoun or around.is_pronoun(place)
        if is_part(before, Part.EACH) or stands_for_units or around.is_price(place):
            return
        if value == 0 and self._leads_to_option(place):
            self._without(place)
            return
        if not self._drafts and self._counts_on(place, value):
            return
        if last and is_part(before, Part.OTHER) and last.groups and last.groups[-1].is_rest:
            last.groups[-1].count = value
        elif last and (counted := around.counts_pieces_of(place)):
            self._count_pieces(place, value, last, counted)
        elif last and self._targets and around.counts_listed_option(place):
            self._count_last_option(value)
        elif around.measures_option(place) or (self._with and is_part(following, Part.MEASURE)):
            self._count = int(value)
        elif len(self._drafts) > 1 and is_part(following, Part.EACH) and self._each_uncounted(value):
            return
        elif last and self._counts_what_was_named(place, segment, last):
            last.whole.count = value
        elif around.leads_to_product(place):
            self._begin(value)
        elif last and self._correcting and not around.speaks_of_options(place):
            last.whole.count = value
            self._correcting = False
        elif last and self._counts_all_of_it(place, value, last):
            last.whole.count = value
        elif last and around.speaks_of_options(place):
            self._some_are_different(place, value, last)
        elif last and last.whole.count is None and around.follows_product(place):
            last.whole.count = value
        else:
            self._loose_number(place, segment, value)

    def _count_pieces(self, place: int, value: Decimal, last: Draft, counted: Segment) -> None:
        """ "2 wraps of eba" with a soup; or two of three plates, that are told apart."""
        left = (last.whole.count or ONE) - sum(counts(last))
        comes = counted.first >= self._segments[place].last
        if comes and left > ONE and value <= left and not self._with:
            self._group(Group(value))
        elif comes:
            self._count = int(value) if value > 1 else None
        else:
            self._count_last_option(value)

    def _count_last_option(self, value: Decimal) -> None:
        for target in self._targets:
            target.said[-1:] = [replace(one, count=int(value)) for one in target.said[-1:]]

    def _counts_on(self, place: int, value: Decimal) -> bool:
        """Whether it is the "two" of "two more of those", or of "one less": of what was ordered before."""
        beside = (self._around.beside(place, -1), self._around.beside(place, 1))
        step = next((segment.step for segment in beside if segment is not None and segment.step), 0)
        following = self._around.following(place + 1 if beside[1] and beside[1].step else place)
        named = following is not None and (following.unknown or following.option or following.is_size)
        if not step or named or self._around.leads_to_product(place):
            return False
        self._order.again, self._order.fewer, self._order.counted = step > 0, step < 0, value
        return True

    def _each_uncounted(self, value: Decimal) -> bool:
        """ "Cola and fries, 2 each": the number is for all that have none; whether there are several."""
        open_ones = [draft.whole for draft in self._drafts if draft.whole.count is None and not draft.groups]
        if len(open_ones) < 2:
            return False
        for whole in open_ones:
            whole.count = value
        return True

    def _counts_what_was_named(self, place: int, segment: Segment, last: Draft) -> bool:
        """Whether it is the "x3" of "fries x3, coke x2", or a list has all its numbers behind the names."""
        if self._postfix:
            return True
        is_times = segment.number is not None and segment.number.is_times
        return is_times and last.whole.count is None and self._around.follows_product(place)

    def _counts_all_of_it(self, place: int, value: Decimal, last: Draft) -> bool:
        """Whether it is the "2 of those" behind "a burger with cheese"."""
        if last.groups or not is_part(self._around.following(place), Part.PARTIAL):
            return False
        count = last.whole.count
        return count is None or (value > count and not self._around.speaks_of_options(place))

    def _some_are_different(self, place: int, value: Decimal, last: Draft) -> None:
        """ "Two lattes, one decaf", or "a burger with two eggs"."""
        total = last.whole.count or (None if last.plural else ONE)
        following = self._around.following(place)
        assert following is not None
        counts_option = following.option is not None and not self._counts_ones(place)
        directly = is_part(self._around.previous(place), Part.WITH)
        too_many = total is not None and value > total - sum(counts(last))
        if counts_option and self._is_one_of_it(place, value, last, following):
            self._order.strain += COUNTED_OPTION
            return
        if counts_option and (value > 1 or total == 1) and (directly or (too_many and value > 1)):
            self._count = int(value)
            self._order.strain += 0 if self._with else COUNTED_OPTION
            return
        said = last.whole.said
        mentioned = last.whole.count is None and not (last.plural or said or last.groups)
        before = self._around.beside(place, -1)
        is_new = total is not None and (value + sum(counts(last)) > total or (value >= total and bool(said)))
        is_new = is_new or any(same_slot(one.segment, following) and one.segment.is_size for one in said)
        is_new = is_new and not (mentioned and not joins(before))  # "still have rice? two with fish then"
        self._order.strain += NEW_UNITS if is_new else 0
        self._order.strain += AMBIGUOUS_GROUP if counts_option and following.is_ambiguous else 0
        self._order.strain += 0 if last.segment.is_whole_product else GROUP_OF_VAGUE
        self._group(Group(value, additional=is_new))

    def _counts_ones(self, place: int) -> bool:
        """Whether it is the "12" of "6 mild wings and 12 hot ones"."""
        after = self._around.beside(place, 2)
        return after is not None and after.is_pronoun

    def _is_one_of_it(self, place: int, value: Decimal, last: Draft, option: Segment) -> bool:
        """Whether it is the "1" of "coffee large 1 sugar", which nothing parts from the coffee."""
        before = self._around.beside(place, -1)
        unparted = before is not None and (before.option is not None or bool(before.products))
        return unparted and value == 1 and last.whole.count is None and not (last.plural or option.is_size)

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
