"""Every way in which a name may be written: with synonyms, with "no" for "free", and shortened."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dialogue.orders.language import Language, Part
from dialogue.orders.words import Words, key_of

MOST_VARIANTS = 48
MOST_WORDS = 8
MOST_NUMBER_IN_NAME = 20
SHORT_WORD = 3
LEAST_LEVEL = 20
_GLUE = (Part.WITH, Part.AND, Part.OR, Part.ARTICLE, Part.FILLER, Part.DEFINITE, Part.OF)

Run = tuple[str, ...]


@dataclass(frozen=True)
class Forms:
    """How one name may be written, as runs of stems.

    Attributes:
        words: the name itself; empty if it holds no word.
        variants: the same with synonyms in it, the name itself first.
        denied: other ways to say what it is free of.
        parts: shorter forms, which may fit other names as well.
    """

    words: Run
    variants: tuple[Run, ...]
    denied: tuple[Run, ...]
    parts: tuple[Run, ...]


class NameForms:
    """Knows the forms of names in some languages; remembers them, so that a new version of a menu costs
    little more than what is new in it. For one thread at a time."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self._words = Words()
        self._synonyms, self._synonyms_within = _synonym_table(languages)
        self._never_alone = frozenset().union(*(language.never_alone for language in languages))
        self._denying = frozenset().union(*(language.denying_suffixes for language in languages))
        self._denials = frozenset().union(*(language.denials for language in languages))
        parts = [(key, part) for language in languages for key, (part, _) in language.parts.items()]
        self._glue = frozenset(key for key, part in parts if part in _GLUE)
        self.generic = frozenset(key for key, part in parts if part is Part.GENERIC)
        self._known: dict[str, Forms] = {}

    def of(self, names: Collection[str]) -> dict[str, Forms]:
        """The forms of each of these names; those of others are forgotten."""
        self._known = {name: self._known.get(name) or self._make(name) for name in names}
        return self._known

    def is_vague(self, part: Run) -> bool:
        """Whether the words say too little to stand for a longer name: "large", "of the"."""
        return all(word in self._never_alone or word in self._glue or len(word) < 2 for word in part)

    def _make(self, name: str) -> Forms:
        words = tuple(word.stem for word in self._words.split(name))
        if not words:
            return Forms((), (), (), ())
        variants = self._variants(words)
        denied = tuple(run for variant in variants for run in self._denied(variant))
        # Parts of a longer way to say it ("on ice") are no short forms of the name.
        parts = [part for variant in variants if len(variant) == len(words) for part in self._parts(variant)]
        return Forms(words, variants, denied, tuple(dict.fromkeys(parts)))

    def _variants(self, words: Run) -> tuple[Run, ...]:
        found = [words]
        spoken = tuple(word for word in words if any(letter.isalnum() for letter in word))
        if spoken and spoken != words and not (len(spoken) == 1 and spoken[0].isdigit()):
            found.append(spoken)
        if len(words[-1]) <= SHORT_WORD and words[-1].isalpha():
            found.append((*words[:-1], words[-1] + "s"))  # too short to have a singular: "7 ups"
        found += _percentages(words)
        runs = itertools.combinations(range(len(words) + 1), 2)
        for start, stop in sorted(runs, key=lambda ends: ends[0] - ends[1]):
            run = words[start:stop]
            within = self._synonyms_within.get(run, ()) if len(run) < len(words) else ()
            for other in (*self._synonyms.get(run, ()), *within):
                for variant in list(found):
                    if variant[start:stop] == run and len(found) < MOST_VARIANTS:
                        found.append(variant[:start] + other + variant[stop:])
        return tuple(dict.fromkeys(found))

    def _denied(self, words: Run) -> Iterable[Run]:
        """ "No sugar vanilla" for "sugar free vanilla", and "no lactose 2% milk" for "2% lactose free
        milk"."""
        place = next((at for at, word in enumerate(words) if at and word in self._denying), None)
        if place is None or len(words) == 2:
            return
        before, after = words[: place - 1], words[place + 1 :]
        for denial in self._denials:
            pair = (denial, words[place - 1])
            yield from (before + pair + after, before + after + pair, pair + before + after)

    def _parts(self, words: Run) -> Iterable[Run]:
        """Neighbouring words, and all words but one; "sugar" is no short form of "sugar free vanilla"."""
        if not 2 <= len(words) <= MOST_WORDS:
            return
        for start, stop in itertools.combinations(range(len(words) + 1), 2):
            part = words[start:stop]
            torn = part[0] in self._denying or (stop < len(words) and words[stop] in self._denying)
            if len(part) < len(words) and not torn and not {part[0], part[-1]} & self._glue:
                yield part
        if len(words) > 2 and not self._denying.intersection(words):
            yield (words[0], words[-1])
            for left_out in range(1, len(words) - 1):
                yield words[:left_out] + words[left_out + 1 :]


def _percentages(words: Run) -> list[Run]:
    """ "Sugar 25" for "25% sugar"; of fewer percents, it would be how many are wanted."""
    if len(words) != 3 or words[1] != "%" or not words[0].isdigit() or int(words[0]) < LEAST_LEVEL:
        return []
    level, sign, kind = words
    return [(kind, level, sign), (kind, level)]


def core(words: Run, shared: Collection[str]) -> str:
    """What is left of a name without the words that it shares with others: "oat" of "oat milk",
    "margherita" of
    "pizza margherita"; nothing if it shares none."""
    start, end = 0, len(words)
    while end > 1 and words[end - 1] in shared:
        end -= 1
    while start < end - 1 and words[start] in shared:
        start += 1
    return key_of(list(words[start:end])) if end - start < len(words) else ""


_Table = dict[Run, list[Run]]


def _synonym_table(languages: Sequence[Language]) -> tuple[_Table, _Table]:
    """What may stand for a run of words, and what may only as a part of a longer name."""
    table: _Table = defaultdict(list)
    within: _Table = defaultdict(list)
    for language in languages:
        numbers = [
            ((word,), (str(value),))
            for word, value in language.numbers.items()
            if value <= MOST_NUMBER_IN_NAME
        ]
        for groups, into in (((*language.synonyms, *numbers), table), (language.synonyms_in_names, within)):
            for group in groups:
                for one in group:
                    into[one] += [other for other in group if other != one]
    return table, within
