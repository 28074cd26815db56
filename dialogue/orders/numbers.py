"""Numbers at a place in a message: `2`, `2.5`, `x2`, `two`, `a dozen`, `half a dozen`, `two hundred
and five`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dialogue.orders.language import Language, Part
from dialogue.orders.words import Word, key_of

_DIGITS = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE]\d{1,2})?")
_TIMES = ("x", "×", "*")
MOST_COLLECTIVE_WORDS = 4


@dataclass(frozen=True)
class Number:
    """A number: how many words it takes from where it was looked for, its value, and whether it is an
    "x3"."""

    length: int
    value: Decimal
    is_times: bool = False


def number_at(words: Sequence[Word], place: int, languages: Sequence[Language]) -> Number | None:
    """The longest number that begins at a place of a message."""
    found = [_digits(words, place, languages)]
    for language in languages:
        found += [_collective(words, place, language), _spoken(words, place, language)]
    return max((number for number in found if number), key=lambda number: number.length, default=None)


def _digits(words: Sequence[Word], place: int, languages: Sequence[Language]) -> Number | None:
    times = words[place].plain in _TIMES and place + 1 < len(words)
    at = place + 1 if times else place
    if not _DIGITS.fullmatch(words[at].text):
        return None
    value = Decimal(words[at].text.replace(",", ""))
    at += 1
    if at < len(words) and not times:
        scale = next((n.scales[words[at].plain] for n in languages if words[at].plain in n.scales), None)
        if scale:
            return Number(at + 1 - place, value * scale)
        follows = at + 1 < len(words) and _DIGITS.fullmatch(words[at + 1].text)
        if words[at].plain in _TIMES and not follows:
            at += 1
    return Number(at - place, value, times)


def _collective(words: Sequence[Word], place: int, language: Language) -> Number | None:
    """`a couple of`, `half a dozen`."""
    article = words[place].plain in language.parts and language.parts[words[place].plain][0] is Part.ARTICLE
    start = place + 1 if article else place
    for length in range(min(MOST_COLLECTIVE_WORDS, len(words) - start), 0, -1):
        key = key_of([word.plain for word in words[start : start + length]])
        if key in language.collectives:
            return Number(start + length - place, Decimal(language.collectives[key]))
    return None


def _spoken(words: Sequence[Word], place: int, language: Language) -> Number | None:
    """`twenty one`, `two hundred and five`, `two dozen`, `a hundred`."""
    at = place
    total = current = 0
    before = None
    if _is_article(words[at], language) and at + 1 < len(words) and words[at + 1].plain in language.scales:
        current, at = 1, at + 1
    start = at
    while at < len(words):
        word = words[at].plain
        if word in language.numbers and _fits(before, language.numbers[word]):
            before = language.numbers[word]
            current += before
        elif word in language.scales and (current or at == start):
            scale, before = language.scales[word], None
            current = (current or 1) * scale
            if scale >= 1_000:
                total, current = total + current, 0
        elif not (word in language.joins_numbers and _goes_on(words, at, before, language)):
            break
        at += 1
    return Number(at - place, Decimal(total + current)) if at > start else None


def _is_article(word: Word, language: Language) -> bool:
    return language.parts.get(word.plain, (None,))[0] is Part.ARTICLE


def _fits(before: int | None, value: int) -> bool:
    """Whether a value goes on after the one before: `twenty one`, not `two five`."""
    return before is None or (before >= 20 and before % 10 == 0 and value < 10)


def _goes_on(words: Sequence[Word], at: int, before: int | None, language: Language) -> bool:
    """Whether an "and" joins parts of one number: `two hundred and five`, `vingt et un`, not `two and
    five`."""
    if at + 1 >= len(words) or at == 0:
        return False
    following = language.numbers.get(words[at + 1].plain)
    if following is None:
        return False
    after_scale = words[at - 1].plain in language.scales and language.scales[words[at - 1].plain] >= 100
    return after_scale or (language.code != "en" and before is not None and _fits(before, following))
