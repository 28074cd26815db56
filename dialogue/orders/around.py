"""What stands before and after a place in a message."""

from __future__ import annotations

from collections.abc import Sequence

from dialogue.orders.cover import Segment
from dialogue.orders.language import Part

BREAKS = frozenset(".!?;\n()…")
SEPARATORS = frozenset(",/&+:-–")
SILENT = frozenset((Part.FILLER, Part.GENERIC, Part.DEFINITE, Part.OF))
# Between an option or a number and its product, these may stand.
_TRANSPARENT = SILENT | {Part.QUALIFIER, Part.MEASURE, Part.CONTAINER, Part.PLAIN, Part.ARTICLE}
_TELLS_OF_OPTIONS = frozenset((Part.WITH, Part.WITHOUT, Part.NOT, Part.PLAIN, Part.QUALIFIER, Part.MEASURE))


def is_part(segment: Segment | None, *parts: Part) -> bool:
    """Whether a segment is there and does one of these things."""
    return segment is not None and segment.part in parts


def is_pause(segment: Segment) -> bool:
    """Whether it is punctuation, and not a picture."""
    return segment.is_sign and segment.text in SEPARATORS | BREAKS


def joins(segment: Segment | None) -> bool:
    """Whether it is an "and", an "or" or a sign like them."""
    return segment is not None and (segment.part in (Part.AND, Part.OR) or segment.text in ("&", "+", "/"))


class Around:
    """Looks around in the segments of one message."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = list(segments)

    def beside(self, place: int, step: int) -> Segment | None:
        """The neighbour before (-1) or after (1)."""
        other = place + step
        return self.segments[other] if 0 <= other < len(self.segments) else None

    def following(self, place: int) -> Segment | None:
        """The next segment that says something."""
        return next((s for s in self.segments[place + 1 :] if s.part not in SILENT), None)

    def previous(self, place: int) -> Segment | None:
        """The last segment before that says something."""
        return next((s for s in reversed(self.segments[:place]) if s.part not in SILENT), None)

    def leads_to_product(self, place: int, *, adjective: bool = False, measured: bool = False) -> bool:
        """Whether a product follows, after nothing but what describes it.

        Args:
            adjective: as for an option before its product, which nothing else may part from it.
            measured: as for "two shots", which a measure ends.
        """
        options = 0
        for number in range(place + 1, len(self.segments)):
            segment = self.segments[number]
            if segment.products or segment.category:
                return not self._is_parted(number)
            if segment.option:
                options += 1
            elif segment.is_sign and not is_pause(segment):
                continue
            elif segment.is_sign or segment.part is Part.AND:
                if segment.text in BREAKS or adjective or not options or not self._option_follows(number):
                    return False
            elif (
                is_part(segment, Part.MEASURE)
                and measured
                or not (segment.part in _TRANSPARENT or segment.unknown or segment.is_half)
                or adjective
                and segment.part is Part.FILLER
            ):
                return False
        return False

    def _is_parted(self, place: int) -> bool:
        before = self.beside(place, -1)
        return before is not None and (is_pause(before) or before.part is Part.AND)

    def _option_follows(self, place: int) -> bool:
        following = self.following(place)
        return following is not None and following.option is not None

    def speaks_of_options(self, place: int) -> bool:
        """Whether what follows a number says how those units are to be."""
        for segment in self.segments[place + 1 :]:
            if segment.option or segment.part in _TELLS_OF_OPTIONS:
                return True
            if segment.text == ":":
                continue  # "first: steak, salsa"
            if segment.part not in (
                *SILENT,
                Part.REFERENCE,
                Part.PARTIAL,
                Part.BUT,
                Part.ARTICLE,
                Part.ONLY,
                Part.ADDING,
            ):
                return False
        return False

    def follows_product(self, place: int) -> bool:
        """Whether a number stands behind a product or what was said about it."""
        for segment in reversed(self.segments[:place]):
            if segment.products or segment.option:
                return True
            if not segment.is_sign and segment.part not in (*SILENT, Part.CONTAINER):
                return False
        return False

    def ends_here(self, place: int) -> bool:
        """Whether nothing that says something follows in this phrase."""
        following = next((s for s in self.segments[place + 1 :] if s.part not in SILENT), None)
        return following is None or following.is_sign or joins(following)

    def is_pronoun(self, place: int) -> bool:
        """ "A decaffeinated one", "the chocolate one": the number stands for the product that was named."""
        if place >= len(self.segments):
            return False
        number = self.segments[place].number
        described, first = self.beside(place, -1), self.beside(place, -2)
        if (
            number is None
            or number.value != 1
            or self.segments[place].text.isdigit()
            or described is None
            or first is None
        ):
            return False
        if not (described.option or described.products or is_part(described, Part.PLAIN)):
            return False
        single = is_part(first, Part.ARTICLE, Part.DEFINITE) or (first.number and first.number.value == 1)
        if not (single or (first.option and described.option)):
            return False
        after = self.following(place)
        return not (after is not None and (after.option or after.products or after.category))

    def is_price(self, place: int) -> bool:
        """Whether a number is an amount of money: what customers say about prices is not what they order."""
        before, after = self.beside(place, -1), self.beside(place, 1)
        return is_part(after, Part.CURRENCY) or is_part(before, Part.CURRENCY)

    def measures_option(self, place: int) -> bool:
        """Whether a number counts a measure of an option: `two shots of vanilla`, not `two slices of
        pizza`."""
        following = self.following(place)
        if not is_part(following, Part.MEASURE):
            return False
        after = self.following(self.segments.index(following, place))
        return after is not None and not after.products

    def counts_pieces_of(self, place: int) -> Segment | None:
        """The option of "2 wraps of eba", or of "eba 2 wraps" and "chicken (2 pieces)"; None where a number
        counts something else."""
        after = self.following(place)
        if after is None or not after.is_piece:
            return None
        at = self.segments.index(after, place)
        counted = self.following(at)
        if counted is not None and counted.option and not counted.is_exact_product and not counted.is_size:
            return counted
        before = self.beside(place, -1)
        if before is not None and before.text == "(":
            before = self.beside(place, -2)
        ends = counted is None or counted.is_sign or counted.part in (Part.AND, Part.WITH, Part.WITHOUT)
        return before if ends and before is not None and before.option and not before.is_size else None

    def counts_listed_option(self, place: int) -> bool:
        """Whether it is the "x4" of "with quinoa, falafel x4, olives": of one option among others."""
        number, before, after = self.segments[place].number, self.beside(place, -1), self.beside(place, 1)
        if number is None or not number.is_times or before is None or not before.option or before.is_size:
            return False
        goes_on = after is not None and (is_pause(after) or joins(after)) and after.text not in BREAKS
        return goes_on and self._option_follows(place + 1) and not self.leads_to_product(place + 1)

    def postposed(self, place: int) -> Part | None:
        """Of "oat milk for the other one", "bacon on both" and "no onions on one of them", whom the option
        is for."""
        for number in range(place + 1, len(self.segments)):
            segment = self.segments[number]
            if segment.part in (Part.OTHER, Part.EACH):
                after = self.beside(number, 1)
                number += after is not None and after.number is not None and segment.part is Part.EACH
                return segment.part if self.ends_here(number) else None
            if is_part(segment, Part.ONE_OF_THEM) and self.ends_here(number):
                return Part.ONE_OF_THEM
            if segment.part not in SILENT:
                return None
        return None


def is_postfix(segments: Sequence[Segment]) -> bool:
    """Whether the numbers stand behind the products: `burger 2, coke 1`."""
    kinds = ["n" if s.number else "p" for s in segments if s.number is not None or s.products]
    other = any(s.part in (Part.WITH, Part.WITHOUT, Part.ARTICLE) or s.option for s in segments)
    return len(kinds) >= 2 and "".join(kinds) == "pn" * (len(kinds) // 2) and not other
