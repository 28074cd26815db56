"""Numbers in what people type: `2`, `2.5`, `-1`, `x2`, `two`, `a dozen`, `a million`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000}
COLLECTIVES = {"couple": 2, "pair": 2, "single": 1}
ARTICLES = ("a", "an")

_DIGITS = r"(?<![\w.,])(?:x\s?)?(?P<digits>[-+]?\d+(?:,\d{3})*(?:\.\d+)?)(?:\s?x)?(?![\w]|[.,]\d)"
_WORD = r"[a-z]+"
_TOKEN = re.compile(f"{_DIGITS}|(?P<word>{_WORD})", re.IGNORECASE)


@dataclass(frozen=True)
class NumberSpan:
    """A number and where it stands in the text."""

    start: int
    end: int
    value: Decimal


def find_numbers(text: str) -> list[NumberSpan]:
    """The numbers in a text, from left to right; an article alone is none."""
    tokens = list(_TOKEN.finditer(text))
    found: list[NumberSpan] = []
    position = 0
    while position < len(tokens):
        length, value = _number_at(tokens, position)
        if length and value is not None:
            start, end = tokens[position].start(), tokens[position + length - 1].end()
            found.append(NumberSpan(start, end, value))
        position += max(length, 1)
    return found


def _number_at(tokens: list[re.Match[str]], position: int) -> tuple[int, Decimal | None]:
    """How many tokens from here are one number, and its value."""
    digits = tokens[position].group("digits")
    if digits is not None:
        value = Decimal(digits.replace(",", ""))
        following = _next_word(tokens, position)
        return (2, value * SCALES[following]) if following in SCALES else (1, value)
    return _words_at([(match.group("word") or "").lower() for match in tokens[position:]])


def _next_word(tokens: list[re.Match[str]], position: int) -> str:
    """The word that follows a token after nothing but space."""
    if position + 1 == len(tokens):
        return ""
    token, following = tokens[position], tokens[position + 1]
    apart = token.string[token.end() : following.start()]
    return following.group(0).lower() if apart.isspace() else ""


def _words_at(words: list[str]) -> tuple[int, Decimal | None]:
    if words[:2] == ["half", "a"] and words[2:3] == ["dozen"]:
        return 3, Decimal(6)
    if words[:2] == ["half", "dozen"]:
        return 2, Decimal(6)
    start = 1 if words[0] in ARTICLES else 0
    if start and not (words[1:2] and words[1] in (*SCALES, *COLLECTIVES)):
        return 0, None
    if words[start] in COLLECTIVES:
        return start + 1, Decimal(COLLECTIVES[words[start]])
    total, current, used = 0, 1 if start or words[start] in SCALES else 0, start
    for word in words[start:]:
        if word in UNITS and _fits(words[used - 1] if used > start else "", UNITS[word]):
            current += UNITS[word]
        elif word in TENS and _fits(words[used - 1] if used > start else "", TENS[word]):
            current += TENS[word]
        elif word in SCALES and SCALES[word] < 1_000:
            current *= SCALES[word]
        elif word in SCALES:
            total, current = total + current * SCALES[word], 0
        elif not (word == "and" and _goes_on(words, used)):
            break
        used += 1
    return (used, Decimal(total + current)) if used > start else (0, None)


def _fits(before: str, value: int) -> bool:
    """Whether a word of this value goes on after that one: `twenty one`, not `two five`."""
    return not (before in UNITS or (before in TENS and value >= 10))


def _goes_on(words: list[str], used: int) -> bool:
    """Whether an `and` joins parts of one number: `two hundred and five`, not `two and five`."""
    return (
        used > 0
        and words[used - 1] in SCALES
        and words[used + 1 : used + 2] != []
        and (words[used + 1] in UNITS or words[used + 1] in TENS)
    )
