"""Products of an order: a new line, or one that was named before."""

from __future__ import annotations

from decimal import Decimal

from dialogue.orders.around import SILENT, is_part, joins
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Draft, Group
from dialogue.orders.language import Part
from dialogue.orders.walking import ONE, PRODUCT_AFTER_WITH, UNPARTED, Walking

SENTENCE_ENDS = frozenset(".!?")


class Products(Walking):
    """What a product's name does."""

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
        before = self._segments[max(0, place - 2) : place]
        if len(before) == 2 and before[1].unknown:
            beside += [before[0]]
        return any(other.is_exact_product for other in beside)

    def _product(self, place: int, segment: Segment) -> None:
        number, self._number = self._number, None
        known = self._known(place, segment, number)
        if self._ignoring or self._replacing:
            # "A cola instead of the zobo", "change the fries to plantain": this one goes.
            if known is None:
                self._drafts.append(Draft(segment, Group(number), removed=True))
                self._replaced = self._drafts[-1] if self._replacing else None
            self._ignoring = self._replacing = False
            return
        if self._removing and known is not None:
            self._drafts.remove(known)
            self._removing = False
        elif known is not None and number is not None:
            self._speaks_of_some(known, number)
        elif self._correcting and self._drafts and (segment.is_whole_product or number is not None):
            self._replace(segment, number)
        elif known is not None:
            self._give(place, known)
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

    def _give(self, place: int, known: Draft) -> None:
        """ "Feta on the kofte and the falafel", "ketchup with the nuggets": what was said right before."""
        before = self._around.beside(place, -1)
        given = self._around.beside(place, -2)
        if self._given and joins(given):
            known.whole.said.append(self._given)
        elif given is None or not given.option or before is None or not before.is_phrase:
            return
        elif self._pending:
            self._given = self._pending[-1]
        else:
            at = next((t for t in self._targets if t.said and t.said[-1].segment is given), None)
            if at is not None:
                self._given = at.said[-1]
                for target in self._targets:
                    target.said[:] = [one for one in target.said if one is not self._given]
                known.whole.said.append(self._given)

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
        before = self._around.beside(place, -1)
        is_definite = is_part(before, Part.DEFINITE, Part.REMOVE) or self._gives(place, before)
        is_told_anew = number is None and self._is_told_anew(place, before)
        if not (is_definite or is_told_anew) and not (self._correcting and number is not None):
            return None
        wanted, text = set(segment.products), segment.text.lower()
        found = [
            draft
            for draft in self._drafts
            if draft.segment.is_whole_product and wanted & set(draft.segment.products)
        ]
        if is_told_anew:
            found = [draft for draft in found if not (draft.whole.said or draft.groups)]
        else:
            found = found or [draft for draft in self._drafts if draft.segment.text.lower().endswith(text)]
        return found[-1] if len({draft.segment.products for draft in found}) == 1 else None

    def _is_told_anew(self, place: int, before: Segment | None) -> bool:
        """Whether it is the "burger" of "a burger and a cola. Burger with bacon"."""
        begins = before is not None and before.text in SENTENCE_ENDS
        return begins and self._around.speaks_of_options(place)

    def _gives(self, place: int, before: Segment | None) -> bool:
        """Whether it is the "with the" of "ketchup with the nuggets"."""
        given = self._around.beside(place, -2)
        is_phrase = before is not None and before.is_phrase and is_part(before, Part.WITH)
        return is_phrase and given is not None and given.option is not None

    def _names_kind_of(self, place: int, segment: Segment) -> bool:
        """Whether the draft before was only the kind: "a pizza margherita", "pizza grande de calabresa"."""
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


def _is_plural(segment: Segment) -> bool:
    return segment.text.lower().rstrip("'’").endswith("s")
