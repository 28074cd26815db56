"""The order reader: a message in, order lines out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dialogue.orders import language as languages
from dialogue.orders.cover import Cover, Segment
from dialogue.orders.drafts import Draft, Line, change_of, lines_of
from dialogue.orders.forms import NameForms
from dialogue.orders.grammar import read_order
from dialogue.orders.index import SHORT, NameIndex
from dialogue.orders.language import Language, Part
from dialogue.orders.menu import Menu
from dialogue.orders.rarity import ORDINARY, frequency
from dialogue.orders.walking import Order
from dialogue.orders.words import Word, Words, key_of

MOST_WORDS_READ = 150


@dataclass(frozen=True)
class More:
    """How many more of what was ordered before, or fewer; None is as many as there are."""

    count: Decimal | None
    fewer: bool = False


@dataclass(frozen=True)
class Reading:
    """What a message says about an order.

    Attributes:
        lines: the order lines.
        change: options that were said without a product.
        free: numbers that belong to nothing.
        unknown: runs of words (start and end) that stand where a product should, and are on no menu.
        counted_unknown: those of them that were counted ("2 pizzas"), so that they surely are asked for.
        doubts: why the lines may be wrong; none if they are sure.
        corrects: whether it speaks of something said before ("make that three").
        checks_out: whether it also asks to end and pay ("two burgers and checkout").
        ordinal: which one of a list is spoken of ("the second one"); -1 is the last.
        segments: every word, for those who want to see how it was read.
        language: the code of the language that it was read in.
        more: that more or less of what was ordered before is wanted; where it is wanted in another way than
            there, `change` tells how.
        is_cut: whether the message was too long to be read to its end.
        for_all: whether "both" or "all of them" is said of what was ordered or shown before.
    """

    lines: tuple[Line, ...]
    change: Line | None
    free: tuple[Segment, ...]
    unknown: tuple[tuple[int, int], ...]
    counted_unknown: tuple[tuple[int, int], ...]
    doubts: tuple[str, ...]
    corrects: bool
    checks_out: bool
    ordinal: int | None
    segments: tuple[Segment, ...]
    language: str
    more: More | None = None
    for_all: bool = False
    is_cut: bool = False

    @property
    def left_over(self) -> int:
        """How many words say nothing about an order."""
        return sum(segment.unknown for segment in self.segments)


class OrderReader:
    """Reads messages with one menu, in several languages. Safe for one thread at a time.

    Args:
        codes: the languages that customers may write; the first is what a message is read in that shows none.
        forms: what is known of names already, from the reader of the menu before.
    """

    def __init__(self, menu: Menu, codes: Sequence[str] = ("en",), forms: NameForms | None = None) -> None:
        loaded = {code: languages.load(code) for code in codes}
        self._words = Words()
        self.menu = menu
        self.forms = forms or NameForms(list(loaded.values()))
        index = NameIndex(menu, self.forms)
        own = [_own_numbers(menu)] if menu.numbers else []
        first = loaded[codes[0]]
        self._languages = loaded
        self._covers = {
            code: Cover(
                index, [*own, language, *([] if language is first else [first])], self._qualifiers(), codes
            )
            for code, language in loaded.items()
        }

    def _qualifiers(self) -> dict[str, str]:
        return {
            key_of([word.plain for word in self._words.split(phrase)]): name
            for name, phrases in self.menu.qualifiers.items()
            for phrase in phrases
        }

    def read(self, text: str) -> Reading:
        """Read a message; words past the first 150 are not read."""
        whole = self._words.split(text)
        words = whole[:MOST_WORDS_READ]
        code = languages.guess([word.plain for word in words], self._languages.values())
        segments = self._covers[code].read(words)
        order = read_order(segments)
        _drop_announcements(order)
        lines = lines_of(order.drafts, self.menu)
        counted = order.loose_count if order.counted is None else order.counted
        return Reading(
            tuple(lines),
            change_of(order.loose, counted, self.menu),
            tuple(order.free),
            tuple(_unknown_runs(order, segments)),
            tuple((segment.start, segment.end) for segment, _ in order.unknown),
            (*self._doubts(order, lines, code), *self._doubts_of_words(segments, lines)),
            order.corrects,
            any(segment.part is Part.CHECKOUT for segment in segments),
            self._ordinal(words, code),
            tuple(segments),
            code,
            None if not (order.again or order.fewer) or lines else More(counted, order.fewer),
            order.for_all,
            len(whole) > MOST_WORDS_READ,
        )

    def _doubts_of_words(self, segments: Sequence[Segment], lines: Sequence[Line]) -> Iterator[str]:
        """What is said in a way that often means something else than it was read as."""
        if any(s.meanings and min(m.cost for m in s.meanings) >= SHORT for s in segments):
            yield "part of a name"
        if any(segment.part in (Part.INSTEAD_OF, Part.BUT) for segment in segments):
            yield "an exception"
        said = [modifier for line in lines for modifier in line.modifiers]
        if not self.menu.qualifiers and any(one.amount or one.count for one in said):
            yield "an amount that the menu does not have"

    def _ordinal(self, words: Sequence[Word], code: str) -> int | None:
        known = self._languages[code].ordinals
        return next((known[word.plain] for word in words if word.plain in known), None)

    def _doubts(self, order: Order, lines: Sequence[Line], code: str) -> list[str]:
        doubts = []
        for line in lines:
            if line.category or len(line.products) != 1:
                doubts.append("several products fit")
            if line.edits:
                doubts.append("misspelt")
        doubts += ["unknown product" for _ in order.unknown]
        doubts += ["number of nothing" for _ in order.free]
        if order.loose:
            doubts.append("option of nothing")
        if not lines and order.left_over:
            doubts.append("nothing understood")
        for segment in order.left_over:
            if frequency(segment.text.lower(), (code, "en")) < ORDINARY:
                doubts.append("unknown word")
        return doubts


def _unknown_runs(order: Order, segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """What was counted first; neighbouring words that nobody knows are one thing."""
    asked = {segment.first for segment, _ in order.unknown}
    runs: list[tuple[int, int, bool]] = []
    for before, segment in zip([None, *segments], segments, strict=False):
        if not segment.unknown:
            continue
        if runs and before is not None and before.unknown:
            runs[-1] = (runs[-1][0], segment.end, runs[-1][2] or segment.first in asked)
        else:
            runs.append((segment.start, segment.end, segment.first in asked))
    return [(start, end) for start, end, _ in sorted(runs, key=lambda run: not run[2])]


def _drop_announcements(order: Order) -> None:
    """Forget the "two large pizzas" of "two large pizzas, a pepperoni and a veggie": what follows says
    which."""
    for place, draft in enumerate(order.drafts):
        if draft.groups or draft.segment.is_whole_product:
            continue
        for last in range(place + 2, len(order.drafts) + 1):
            listed = order.drafts[place + 1 : last]
            if draft.whole.count == _units(listed):
                for other in listed:
                    other.whole.said[:0] = draft.whole.said
                order.drafts.remove(draft)
                return
    units = _units(order.drafts)
    if order.unknown and units and order.unknown[0][1] == units:
        del order.unknown[0]


def _units(drafts: Sequence[Draft]) -> Decimal | None:
    """How many units some drafts are, if they are at least two."""
    units = sum((draft.whole.count or Decimal(1) for draft in drafts), Decimal(0))
    return units if units > 1 else None


def _own_numbers(menu: Menu) -> Language:
    return Language(
        "menu",
        {},
        {},
        {},
        {key_of(phrase.lower().split()): value for phrase, value in menu.numbers.items()},
    )
