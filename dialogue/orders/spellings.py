"""Words that are spelt nearly like the one that was typed, and what short forms stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

SHORTEST_MISSPELT = 4
SHORTEST_ABBREVIATED, SHORTEST_ABBREVIATION, VOWELS = 5, 3, frozenset("aeiou")
MOST_NEAREST = 3
SHORTEST_NUMBER = 3
"""In number words as short as this, one letter more or less makes another word."""


class Spellings:
    """Words by length and by what they begin or end with, so that only few are compared with a
    misspelt one."""

    def __init__(self, words: Iterable[str]) -> None:
        self._all = frozenset(words)
        self._by_edge: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in self._all:
            if len(word) >= SHORTEST_MISSPELT - 1:
                self._by_edge[word[0], len(word)].append(word)
                self._by_edge[word[-2:], len(word)].append(word)

    def __contains__(self, word: str) -> bool:
        return word in self._all

    def nearest(self, word: str, most_edits: int) -> list[tuple[str, int]]:
        """The words that begin or end alike and are at most so many edits away, the nearest first."""
        if len(word) < SHORTEST_MISSPELT:
            return []
        near: set[str] = set()
        for length in range(len(word) - most_edits, len(word) + most_edits + 1):
            near.update(self._by_edge.get((word[0], length), ()), self._by_edge.get((word[-2:], length), ()))
        scorer = DamerauLevenshtein.distance
        # In their order: which of many are kept must not depend on how a process hashes its strings.
        found = process.extract(
            word, sorted(near), scorer=scorer, score_cutoff=most_edits, limit=MOST_NEAREST
        )
        return sorted(((one, int(edits)) for one, edits, _ in found), key=lambda pair: (pair[1], pair[0]))


def nearest_number(word: str, numbers: Iterable[str], *, swapped: bool) -> str | None:
    """The number word that was probably meant, one edit away; with `swapped`, only by two letters that
    changed places ("tow")."""
    found = process.extract(
        word, numbers, scorer=DamerauLevenshtein.distance, score_cutoff=1, limit=MOST_NEAREST
    )
    near = [number for number, _, _ in found if not swapped or sorted(number) == sorted(word)]
    near = [number for number in near if len(number) > SHORTEST_NUMBER or _is_slip(word, number)]
    return near[0] if len(near) == 1 else None


def _is_slip(word: str, number: str) -> bool:
    """Whether the same letters stand in it, changed about or one of them twice: "noe", "twoo"."""
    return sorted(word) == sorted(number) or "".join(letter for letter, _ in groupby(word)) == number


def abbreviations(words: Iterable[str]) -> dict[str, str]:
    """Beginnings and consonants of words that are those of one word only: "marg" for "margherita", "chz" for
    "cheese"."""
    found: dict[str, set[str]] = defaultdict(set)
    for word in words:
        if len(word) < SHORTEST_ABBREVIATED or not word.isalpha():
            continue
        for length in range(SHORTEST_ABBREVIATION, len(word)):
            if length > SHORTEST_ABBREVIATION or 2 * length >= len(word):
                found[word[:length]].add(word)
        consonants = word[0] + "".join(letter for letter in word[1:] if letter not in VOWELS)
        if len(consonants) >= SHORTEST_ABBREVIATION:
            found[consonants].add(word)
            found["".join(dict.fromkeys(consonants))].add(word)
    return {short: next(iter(longer)) for short, longer in found.items() if len(longer) == 1}
