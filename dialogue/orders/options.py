"""Options of an order: chosen, left out, and for which units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dialogue.orders.around import is_part, joins
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Draft, Group, Said
from dialogue.orders.language import Part
from dialogue.orders.walking import ONE, THE_OPTION, WITH_AFTER_NUMBER, WITH_AFTER_OPTION, Walking, same_slot


class Options(Walking):
    """What an option's name, a "no" and a "light" do."""

    def _option(self, place: int, segment: Segment) -> None:
        if self._is_amount(place, segment):
            self._amount, self._with = "extra", True
            return
        if self._only_repeats(place, segment):
            return
        self._given = None
        if self._replacing and (self._drafts or self._around.leads_to_product(place)):
            self._swap_out(segment)
            return
        if self._drafts and self._speaks_of_units(place, segment):
            return
        self._order.strain += THE_OPTION if self._may_be_known(place, segment) else 0
        self._removing = self._replacing = False
        left_out = self._ignoring or self._is_left_out(place, segment) or self._is_swapped_out(place)
        if self._ignoring and self._unsay(segment):
            self._ignoring = False
            return
        if left_out and self._drafts and self._unsay(segment):
            self._left_out = joins(self._around.beside(place, 1))  # "forget the cheese, avocado": it is new
            return
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

    def _swap_out(self, segment: Segment) -> None:
        """ "Change the chicken to turkey", "swap the feta for goat cheese": what was said before is unsaid,
        what comes with the dish is left out."""
        self._replacing = False
        if not self._drafts:
            self._pending.append(Said(segment, left_out=True))  # "swap the feta for tahini in my falafel"
        elif not self._unsay(segment):
            for target in self._targets or [self._drafts[-1].whole]:
                target.said.append(Said(segment, left_out=True))

    def _unsay(self, segment: Segment) -> bool:
        """Forget an option that was said before; False where it was not."""
        found = False
        for target in self._targets or [draft.whole for draft in self._drafts[-1:]]:
            same = [one for one in target.said if not one.left_out and _names_same(one.segment, segment)]
            target.said[:] = [one for one in target.said if one not in same]
            found = found or any(not one.copied for one in same)
        return found

    def _is_swapped_out(self, place: int) -> bool:
        """Whether it is the "rice" of "sub quinoa for the rice"."""
        if not self._swapping_in:
            return False
        before = [s for s in self._segments[:place] if s.option or is_part(s, Part.SWAP_IN)]
        self._swapping_in = is_part(before[-1] if before else None, Part.SWAP_IN)
        return not self._swapping_in

    def _speaks_of_units(self, place: int, segment: Segment) -> bool:
        """Whether it is the "turkey" of "plantain for the turkey one": the units that were ordered so."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        speaks = before is None or before.is_sign or is_part(before, Part.DEFINITE, Part.REMOVE)
        if not speaks or after is None or not _stands_for_units(after):
            return False
        units = [group for draft in self._drafts for group in draft.groups or [draft.whole]]
        meant = [group for group in units if any(_names_same(one.segment, segment) for one in group.said)]
        if len(meant) != 1:
            return False
        self._pronoun = place + 1
        if is_part(before, Part.REMOVE):
            self._take_away(meant[0])
            return True
        if before is not None and before.is_phrase:  # "for the", "on the": what was said last is for these
            for target in self._targets:
                meant[0].said += target.said[-1:]
                del target.said[-1:]
        self._targets, self._left_out, self._with = meant, False, False
        return True

    def _take_away(self, units: Group) -> None:
        """ "Cancel the small one"."""
        for draft in list(self._drafts):
            if draft.whole is units:
                self._drafts.remove(draft)
            elif any(group is units for group in draft.groups):
                draft.groups = [group for group in draft.groups if group is not units]
                if draft.whole.count is not None:
                    draft.whole.count = max(draft.whole.count - (units.count or ONE), ONE)
        self._targets, self._removing, self._left_out = [], False, False

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
            self._targets = all_units(self._drafts)

    def _is_left_out(self, place: int, segment: Segment) -> bool:
        """Whether a "no" before reaches this option: `no onions or mayo`, not `no onions, large`."""
        if not self._left_out:
            return False
        first, self._last_left_out = self._last_left_out, segment
        self._left_out_run = 1 if first is None else self._left_out_run + 1
        if first is None:
            return not is_part(self._around.beside(place, 1), Part.INSTEAD_OF)
        before = self._around.previous(place)
        if before is not None and (before.text == "+" or (self._denied and before.is_sign)):
            self._left_out = False  # "no tomato + bacon", "not spicy, mild"
            return False
        goes_on = is_part(before, Part.OR) or (same_slot(first, segment) and not self._amount)
        goes_on = goes_on or (joins(before) and not segment.is_size and not self._amount)
        goes_on = goes_on and not self._is_something_new(place, first)
        self._left_out = goes_on
        return goes_on

    def _is_something_new(self, place: int, left_out: Segment) -> bool:
        """Whether the "turkey" of "no egg, turkey instead of ham", of "no egg, I want turkey" and of "no egg,
        and turkey" is wanted."""
        between = [s for s in self._segments[:place] if s.first >= left_out.last]
        told_anew = any(s.is_sign for s in between) and any(
            s.part in (Part.FILLER, Part.AND) for s in between
        )
        listed = self._left_out_run > 2 and joins(self._around.previous(place))  # "no A, B, and C"
        exchanged = is_part(self._around.beside(place, 1), Part.INSTEAD_OF)
        return exchanged or (told_anew and not listed)

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
        """Whether it is the "sweetener" of "vanilla sweetener": the word of a kind, behind an option; not so
        in "large cheese"."""
        before = self._around.beside(place, -1)
        behind = before is not None and before.option is not None and not before.is_size
        return segment.is_generic and behind and not segment.is_phrase

    def _is_asked_for(self, place: int) -> bool:
        """Whether a word of a kind stands alone for the only option of that kind: `no syrup`, `extra
        sauce`."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        ends = after is None or not (after.option or after.products)
        return ends and is_part(before, Part.WITHOUT, Part.QUALIFIER, Part.WITH)

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
        following, beside = self._around.following(place), self._around.beside(place, 1)
        names_kind = beside is not None and beside.hidden and self._is_asked_for(place + 1)  # "no syrup"
        if not names_kind and (following is None or following.is_sign or joins(following)):
            if self._names_another_product(place):
                self._correct_here()
            elif not ((beside is None or beside.is_sign) and self._deny_last_option(place)):
                self._as_opposed()
            return
        self._left_out, self._with, self._last_left_out = True, False, None
        self._denied = is_part(self._segments[place], Part.NOT)

    def _names_another_product(self, place: int) -> bool:
        """Whether it is the "no" of "coke. No, diet coke"."""
        before, after = self._around.beside(place, -1), self._around.beside(place, 1)
        named = self._around.following(place + 1)
        is_aside = before is not None and before.is_sign and after is not None and after.text == ","
        return bool(self._drafts) and is_aside and named is not None and named.is_whole_product

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
        ends = self._around.ends_here(place)
        if is_part(after, Part.REFERENCE):  # "peri peri sauce, lots of it"
            ends = self._around.ends_here(place + 1)
            before = self._around.beside(place, -2) if before is not None and before.is_sign else before
        postposed = before is not None and before.option and ends
        if postposed and self._targets and self._targets[0].said:
            for target in self._targets:
                target.said[-1] = replace(target.said[-1], amount=segment.amount)
            return
        self._amount, self._left_out, self._with = segment.amount, False, True

    def _deny_last_option(self, place: int) -> bool:
        """ "Onions no": what stands right before is left out; whether anything does."""
        before = self._around.beside(place, -1)
        if before is None or not before.option:
            return False
        for target in self._targets:
            target.said[-1:] = [replace(one, left_out=True) for one in target.said[-1:]]
        return True

    def _undo_last_options(self) -> None:
        """ "Tomato and lettuce removed"."""
        for target in self._targets:
            target.said[:] = [replace(one, left_out=True) for one in target.said]


def _stands_for_units(segment: Segment) -> bool:
    """Whether it is the "one" of "the turkey one", or the "ones" of "the hot ones"."""
    number = segment.number
    return segment.is_pronoun or (number is not None and number.value == 1 and not segment.text.isdigit())


def _names_same(first: Segment, second: Segment) -> bool:
    keys = [{m.choice.key for m in segment.meanings if m.choice} for segment in (first, second)]
    return bool(keys[0] & keys[1])


def all_units(drafts: Sequence[Draft]) -> list[Group]:
    """What "both" speaks of: the units of the last line that were told apart, or else all lines."""
    groups = drafts[-1].groups
    if not groups:
        return [draft.whole for draft in drafts]
    return [drafts[-1].whole, *groups] if any(group.additional for group in groups) else list(groups)


def _correct(target: Group, said: Said) -> None:
    """A corrected option takes the place of the one of its slot, or of the last one."""
    same = [one for one in target.said if same_slot(one.segment, said.segment)]
    if same:
        target.said.remove(same[-1])
