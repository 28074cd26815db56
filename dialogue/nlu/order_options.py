"""Options and removals in what people type: `a large coke`, `no onions`, `one w/o mayo`, `extra cheese`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from dialogue.nlu.catalogue import ProductChoices
from dialogue.nlu.numbers import NumberSpan

_WITHOUT = r"(?:no|without|w/o|w\\o|wo|hold|minus|skip|sans|leave\s+out|comot|remove|not)\b"
_LINK = r"(?:\s*(?:,|/|&|\+|and|or|n|nor)\s+|\s+)(?:no\s+|the\s+|any\s+|or\s+)*"
_PARTS = re.compile(r",|;|\n|\+|&|\band\b|\bn\b|\bplus\b", re.IGNORECASE)


@dataclass(frozen=True)
class FoundOption:
    """An option or a removal, and where it stands in the text; exactly one of the two is given."""

    start: int
    end: int
    option: str | None = None
    removal: str | None = None


@dataclass(frozen=True)
class Zone:
    """The part of a text that speaks about one product."""

    start: int
    end: int


class OptionFinder:
    """Finds the options and removals that some products offer."""

    def __init__(self, choices: Iterable[ProductChoices]) -> None:
        self._options: dict[str, str] = {}
        self._removables: dict[str, str] = {}
        for offered in choices:
            for phrase, option in offered.options:
                self._options.setdefault(phrase.casefold(), option)
            for removable in offered.removables:
                for form in _forms(removable):
                    self._removables.setdefault(form, removable)

    def find(self, text: str, zone: Zone) -> list[FoundOption]:
        """What is found in a zone, from left to right; a removal wins over an option of its name."""
        removals = self._find_removals(text, zone)
        if self._option_pattern is None:
            return removals
        found = list(removals)
        for match in self._option_pattern.finditer(text, zone.start, zone.end):
            taken = any(one.start < match.end() and match.start() < one.end for one in found)
            refused = re.search(rf"{_WITHOUT}\s*(?:the\s+|any\s+)?$", text[: match.start()], re.IGNORECASE)
            if not taken and not refused:
                option = self._options[" ".join(match.group(0).casefold().split())]
                found.append(FoundOption(match.start(), match.end(), option=option))
        return sorted(found, key=lambda one: one.start)

    def _find_removals(self, text: str, zone: Zone) -> list[FoundOption]:
        if self._removal_pattern is None:
            return []
        found = []
        for phrase in self._removal_pattern.finditer(text, zone.start, zone.end):
            start = phrase.start()
            for word in re.finditer(self._removable_words, phrase.group(0), re.IGNORECASE):
                removal = self._removables[" ".join(word.group(0).casefold().split())]
                found.append(FoundOption(start, phrase.start() + word.end(), removal=removal))
                start = phrase.start() + word.end()
        return found

    @cached_property
    def _option_pattern(self) -> re.Pattern[str] | None:
        words = _any_of(self._options)
        return re.compile(rf"\b(?:{words})\b", re.IGNORECASE) if words else None

    @cached_property
    def _removable_words(self) -> str:
        return rf"\b(?:{_any_of(self._removables)})\b"

    @cached_property
    def _removal_pattern(self) -> re.Pattern[str] | None:
        if not self._removables:
            return None
        word = self._removable_words
        return re.compile(rf"(?<!\w){_WITHOUT}\s*(?:the\s+|any\s+)?{word}(?:{_LINK}{word})*", re.IGNORECASE)


def zones(text: str, mentions: Sequence[tuple[int, int]], numbers: Sequence[NumberSpan | None]) -> list[Zone]:
    """The part of the text that belongs to each mention: up to the number, or else the last comma or
    "and", before the next one.

    Args:
        mentions: start and end of each, from left to right.
        numbers: the number that belongs to each mention; None where there is none.
    """
    starts = [0]
    for (_, end), (following, _), number in zip(mentions, mentions[1:], numbers[1:], strict=False):
        if number is not None and end <= number.start < following:
            starts.append(number.start)
            continue
        parts = list(_PARTS.finditer(text, end, following))
        starts.append(parts[-1].end() if parts else following)
    ends = [*starts[1:], len(text)]
    return [Zone(start, end) for start, end in zip(starts, ends, strict=True)]


def _forms(name: str) -> set[str]:
    lower = name.casefold()
    return {lower, lower[:-1] if lower.endswith("s") else f"{lower}s"}


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases, the longest first."""
    longest_first = sorted(phrases, key=len, reverse=True)
    return "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in longest_first)
