"""The best reading of every word of a message: as a name of the menu, a number, or a word of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dialogue.orders.forms import MOST_WORDS
from dialogue.orders.index import CORE_PRODUCT, MISSPELT, SHORT, SYNONYM, Meaning, NameIndex
from dialogue.orders.language import Language, Part
from dialogue.orders.numbers import Number, number_at
from dialogue.orders.rarity import EVERYDAY, ORDINARY, SPELT_RIGHT, frequency
from dialogue.orders.spellings import nearest_number
from dialogue.orders.words import Word, as_word, key_of

MOST_PHRASE_WORDS = 5
CLEAR_BEGINNING = 4
"""From so many letters on, a word's beginning is rather meant than another word that is spelt nearly so."""
_CONTRACTED = re.compile(r"['’](ll|ve|re|d)$", re.IGNORECASE)
SIZE = "size"
_GLUED = frozenset((Part.WITH, Part.WITHOUT, Part.AND, Part.ADDING, Part.QUALIFIER))
SHORTEST_GLUED = 4
COST_OF_PART = {Part.FILLER: 0.25, Part.GENERIC: 0.24}
COST_OF_OTHER_PART, COST_OF_NUMBER, COST_OF_SIGN = 0.22, 0.2, 0.1
COST_OF_ORDINARY_WORD, COST_OF_RARE_WORD = 0.7, 1.0
# In the second pass: up to how ordinary a word may still be a misspelt name, and how runs of words are
# compared.
OPEN_ORDINARY = 5.0
MOST_WORDS_OPEN, MOST_WORDS_NEARLY, SHORTEST_NEARLY, LONG_NAME = 60, 3, 5, 8
COST_OF_NEARLY = 0.3
SHORT_NUMBER, ORDINARY_NUMBER = 3, 4.0


@dataclass(frozen=True)
class Segment:
    """A run of words that is read as one thing; a word that is none of it has neither part nor meaning.

    `first` and `last` count words, `last` exclusive; `start` and `end` are places in the text.
    `hidden` is what a generic word ("syrup") would name if it stood alone; `step` is 1 for a "more" and -1
    for a "less"; `implied` is the product whose name ends an option's: the "scoop" of "double scoop";
    `is_piece` tells of a "wrap" or a "slice", in which is counted what comes with a dish, and `is_pronoun` of
    the "ones" of "the hot ones"; `kind` are the products that an option's word would name if it were none.
    """

    first: int
    last: int
    start: int
    end: int
    text: str
    cost: float
    part: Part | None = None
    amount: str = ""
    number: Number | None = None
    meanings: tuple[Meaning, ...] = ()
    edits: int = 0
    is_sign: bool = False
    is_generic: bool = False
    is_multiple: bool = False
    is_ambiguous: bool = False
    hidden: tuple[Meaning, ...] = ()
    step: int = 0
    is_half: bool = False
    implied: tuple[Meaning, ...] = ()
    is_piece: bool = False
    is_pronoun: bool = False
    kind: tuple[str, ...] = ()

    @property
    def is_phrase(self) -> bool:
        """Whether it is more than one word."""
        return self.last - self.first > 1

    @property
    def products(self) -> tuple[str, ...]:
        """The products that it may name."""
        return next((meaning.products for meaning in self.meanings if meaning.products), ())

    @property
    def is_whole_product(self) -> bool:
        """Whether the words are a product's name, or all of it that tells it from others."""
        return any(meaning.products and meaning.cost < SHORT for meaning in self.meanings)

    @property
    def is_exact_product(self) -> bool:
        """Whether the words are the whole of a product's name."""
        return any(meaning.products and meaning.cost < CORE_PRODUCT for meaning in self.meanings)

    @property
    def option(self) -> Meaning | None:
        """The choice or the removal that it may name, the best one."""
        return next((meaning for meaning in self.meanings if meaning.is_option), None)

    @property
    def is_size(self) -> bool:
        """Whether it names a size."""
        option = self.option
        return option is not None and option.choice is not None and option.choice.slot == SIZE

    @property
    def category(self) -> str | None:
        """The category that it may name."""
        return next((meaning.category for meaning in self.meanings if meaning.category), None)

    @property
    def unknown(self) -> bool:
        """Whether nothing is known about it."""
        known = self.part is not None or self.number is not None or self.is_sign or self.is_half
        return not known and not self.meanings


class Cover:
    """Reads messages with one menu and some languages."""

    def __init__(
        self,
        index: NameIndex,
        languages: Sequence[Language],
        qualifiers: dict[str, str],
        spoken: Sequence[str] = (),
    ) -> None:
        self._index = index
        self._languages = languages
        self._codes = tuple(language.code for language in languages)
        self._spoken = tuple(spoken) or self._codes
        self._multiples = frozenset().union(*(language.multiples for language in languages))
        self._half = frozenset().union(*(language.half for language in languages))
        self._pieces = frozenset().union(*(language.pieces for language in languages))
        self._pronouns = frozenset().union(*(language.pronouns for language in languages))
        self._more = frozenset().union(*(language.more for language in languages))
        self._fewer = frozenset().union(*(language.fewer for language in languages))
        self._numbers = tuple(
            {word for one in languages for word in one.numbers if len(word) >= SHORT_NUMBER}
        )
        self._parts: dict[str, tuple[Part, str]] = {}
        for language in reversed(languages):
            self._parts.update(language.parts)
        self._parts.update({key: (Part.QUALIFIER, name) for key, name in qualifiers.items()})

    def read(self, words: Sequence[Word]) -> list[Segment]:
        """The cheapest run of segments; where no product is found, or words are left that no language
        knows, names are looked for among ordinary words and across words, too."""
        words = [part for word in words for part in self._unglued(word)]
        segments = self._read(words, SPELT_RIGHT, is_open=False)
        if len(words) > MOST_WORDS_OPEN:
            return segments
        if not any(segment.is_whole_product for segment in segments):
            return self._read(words, OPEN_ORDINARY, is_open=True)
        if any(s.unknown and frequency(s.text.lower(), self._codes) < ORDINARY for s in segments):
            return self._read(words, SPELT_RIGHT, is_open=True)
        return segments

    def _unglued(self, word: Word) -> list[Word]:
        """ "Nomushrooms" and "wafflewith" as two words: one of the menu's, and one that is said with it."""
        plain = word.plain
        if len(plain) != len(word.text) or not plain.isalpha() or plain in self._parts:
            return [word]
        if self._index.knows(word.stem) or frequency(plain, self._spoken) >= ORDINARY:
            return [word]
        for at in range(2, len(plain) - 1):
            first, second = as_word(word.text[:at], word.start), as_word(word.text[at:], word.start + at)
            for said, named in ((first, second), (second, first)):
                part = self._parts.get(said.plain, (None,))[0]
                if part in _GLUED and len(named.plain) >= SHORTEST_GLUED and self._index.knows(named.stem):
                    return [first, second]
        return [word]

    def _read(self, words: Sequence[Word], ordinary: float, *, is_open: bool) -> list[Segment]:
        corrected = [self._correct(word, ordinary) for word in words]
        counted = [self._correct_number(word) for word in words]
        best: list[tuple[float, Segment | None]] = [(0.0, None)] + [(float("inf"), None)] * len(words)
        for first in range(len(words)):
            cost_here = best[first][0]
            found = self._from(words, corrected, first)
            for number in self._numbers_at(counted, first):
                last = first + number.length
                wrong = MISSPELT * (counted[first:last] != list(words[first:last]))
                found.append(_segment(words, first, last, COST_OF_NUMBER + wrong, number=number))
            if is_open:
                found += self._nearly_named(words, first, ordinary)
            for segment in found:
                cost = cost_here + segment.cost
                if cost < best[segment.last][0]:
                    best[segment.last] = cost, segment
        return _way_back(best)

    def _numbers_at(self, words: Sequence[Word], first: int) -> Iterator[Number]:
        """The number that begins at a word; and without its "x", which may begin a name: "2 x-burger"."""
        number = number_at(words, first, self._languages)
        if number is not None:
            yield number
            if number.length == 2 and words[first].text.isdigit():
                alone = number_at(words[: first + 1], first, self._languages)
                yield from [alone] if alone else []

    def _from(self, words: Sequence[Word], corrected: Sequence[tuple[str, int]], first: int) -> list[Segment]:
        """Every reading that begins at a word."""
        found = [self._alone(words, first)]
        longest = min(MOST_WORDS + 2, len(words) - first)
        plain, stem, right, edits = "", "", "", 0
        for length in range(1, longest + 1):
            word = words[first + length - 1]
            plain, stem = plain + word.plain, stem + word.stem
            right, edits = right + corrected[first + length - 1][0], edits + corrected[first + length - 1][1]
            # Spaces make no difference, but "n a" is no "na".
            letters = length > 1 and len(plain) == length and plain.isalpha()
            if length <= MOST_PHRASE_WORDS and not letters and plain in self._parts:
                part, name = self._parts[plain]
                cost = COST_OF_PART.get(part, COST_OF_OTHER_PART)
                said = _segment(words, first, first + length, cost, part=part, amount=name)
                hidden = self._index.find(stem) if part is Part.GENERIC else ()
                step = (plain in self._more) - (plain in self._fewer)
                said = replace(said, hidden=tuple(m for m in hidden if m.is_option), step=step)
                piece, pronoun = plain in self._pieces, plain in self._pronouns
                found.append(replace(said, is_piece=piece, is_pronoun=pronoun))
            found += self._named(words, first, length, stem, right, edits)
        return found

    def _named(
        self, words: Sequence[Word], first: int, length: int, stem: str, right: str, edits: int
    ) -> list[Segment]:
        meanings = self._index.find(stem)
        wrong = 0
        if not meanings and right != stem:
            meanings, wrong = self._index.find(right), edits
        if not meanings:
            return []
        cost = min(meaning.cost for meaning in meanings) + MISSPELT * wrong / 2
        found = _segment(words, first, first + length, cost, meanings=tuple(meanings), edits=wrong)
        is_generic = self._parts.get(right if wrong else stem, (None,))[0] is Part.GENERIC
        found = replace(found, is_generic=is_generic, is_multiple=stem in self._multiples)
        if length > 1 and found.option:
            tails = (
                key_of([word.stem for word in words[at : first + length]])
                for at in range(first + 1, first + length)
            )
            found = replace(found, implied=next(filter(None, map(self._product_named, tails)), ()))
        after = words[first + length] if first + length < len(words) else None
        of = after is not None and self._parts.get(after.plain, (None,))[0] is Part.OF
        if after is not None and of and found.option:
            return [found, replace(found, last=found.last + 1, end=after.end)]
        return [found]

    def _product_named(self, key: str) -> tuple[Meaning, ...]:
        """The only product of which a key is the whole name."""
        named = [meaning for meaning in self._index.find(key) if meaning.products]
        return tuple(m for m in named if len(named) == len(m.products) == 1 and m.cost <= SYNONYM)

    def _nearly_named(self, words: Sequence[Word], first: int, ordinary: float) -> list[Segment]:
        """Runs of words that are spelt nearly like a whole name: `diet cock`, `hum burger`, `ig mac`."""
        found = []
        for length in range(1, min(MOST_WORDS_NEARLY, len(words) - first) + 1):
            run = words[first : first + length]
            if any(not word.plain.isalpha() for word in run):
                break
            key = key_of([word.stem for word in run])
            if len(key) < SHORTEST_NEARLY or key in self._parts or self._index.find(key):
                continue
            known = [self._index.knows(word.stem) for word in run]
            strange = any(
                not knows and frequency(word.plain, self._codes) < ordinary
                for word, knows in zip(run, known, strict=True)
            )
            if not strange or (length > 1 and not any(known)):
                continue
            allowed = 1 if len(key) < LONG_NAME else 2
            near = self._index.nearest_name(key, allowed)
            if not near or (len(near) > 1 and near[0][1] == near[1][1]):
                continue
            right, edits = near[0]
            cost = COST_OF_NEARLY + MISSPELT * edits
            meanings = tuple(self._index.find(right))
            found.append(_segment(words, first, first + length, cost, meanings=meanings, edits=edits + 1))
        return found

    def _alone(self, words: Sequence[Word], first: int) -> Segment:
        word = words[first]
        if word.is_sign:
            return _segment(words, first, first + 1, COST_OF_SIGN, is_sign=True)
        ordinary = frequency(word.plain, self._codes) >= ORDINARY
        cost = COST_OF_ORDINARY_WORD if ordinary else COST_OF_RARE_WORD
        return replace(_segment(words, first, first + 1, cost), is_half=word.plain in self._half)

    def _correct_number(self, word: Word) -> Word:
        """The number word that was probably meant, of a word that is nothing else: `thre`, `tow`."""
        plain = word.plain
        if len(plain) < SHORT_NUMBER or not plain.isalpha() or plain in self._parts:
            return word
        often = frequency(plain, self._spoken)
        if often >= ORDINARY_NUMBER or plain in self._numbers or self._index.knows(word.stem):
            return word
        right = nearest_number(plain, self._numbers, swapped=often > 0)
        return replace(word, plain=right, stem=right) if right else word

    def _correct(self, word: Word, ordinary: float) -> tuple[str, int]:
        """The menu's word that was probably meant, and how many edits away it is."""
        if word.is_sign or word.plain in self._parts or self._index.knows(word.stem):
            return word.stem, 0
        if word.plain.endswith("s") and self._index.knows(word.plain[:-1]):
            return word.plain[:-1], 0
        if not word.plain.isalpha() or frequency(word.plain, self._codes) >= ordinary:
            return word.stem, 0
        if _CONTRACTED.search(word.text):
            return word.stem, 0  # "grandpa'll" is no "grande"
        if frequency(word.plain, self._spoken) >= EVERYDAY:
            return word.stem, 0  # a word of another language that customers write here
        full = self._index.abbreviated(word.stem)
        if full and full.startswith(word.stem) and len(word.stem) >= CLEAR_BEGINNING:
            return full, 1
        is_right = frequency(word.plain, self._codes) >= SPELT_RIGHT
        near = self._index.nearest_word(word.stem, 1 if is_right else _most_edits(word.stem))
        if near and not (is_right and near[0][0][0] != word.stem[0]):
            return near[0]
        return (full, 1) if full else (word.stem, 0)


def _way_back(best: Sequence[tuple[float, Segment | None]]) -> list[Segment]:
    found = []
    at = len(best) - 1
    while at > 0:
        segment = best[at][1]
        assert segment is not None
        found.append(segment)
        at = segment.first
    return found[::-1]


def _most_edits(word: str) -> int:
    return 1 if len(word) < 6 else 2 if len(word) < 9 else 3


def _segment(
    words: Sequence[Word],
    first: int,
    last: int,
    cost: float,
    *,
    part: Part | None = None,
    amount: str = "",
    number: Number | None = None,
    meanings: tuple[Meaning, ...] = (),
    edits: int = 0,
    is_sign: bool = False,
) -> Segment:
    text = key_of([word.text for word in words[first:last]])
    start, end = words[first].start, words[last - 1].end
    return Segment(first, last, start, end, text, cost, part, amount, number, meanings, edits, is_sign)
