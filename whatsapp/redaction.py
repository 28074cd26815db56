"""What a customer should not have typed: card and phone numbers, removed before anything keeps a message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

# No mark is longer than what it stands for, so a text never grows.
CARD_MARK = "[card]"
PHONE_MARK = "•••"

CARD_DIGITS = range(13, 20)
LEAST_PHONE_DIGITS = 7
# Networks' first digits (ISO/IEC 7812): 3 to 6, and Mastercard's 2221 to 2720.
_CARD_PREFIX = re.compile(r"[3-6]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
# Digits with nothing but punctuation, spaces or invisible characters between them.
_RUN = re.compile(r"[0-9](?:[\W_]{0,8}[0-9])*")
_GROUP = re.compile(r"[0-9]+")
# Spaces, dots, dashes, what a phone adds invisibly to a pasted number, and the frame of a keycap emoji.
_GAP = re.compile(
    r"[\s._·•․．。｡"
    r"\-~\u00ad\u058a\u05be\u1806\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
    r"\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f\u20e3]*"
)
_LONG_RUN = re.compile(rf"\+?[0-9](?:{_GAP.pattern}[0-9]){{{LEAST_PHONE_DIGITS - 1},}}")
# The group lengths printed on cards; with these, any punctuation may stand between the groups.
_PRINTED = re.compile(r"4{3,4}[1-4]?|46[45]")
# A price, or a round number such as a million: nobody's phone. Several of them: nobody's card.
_AMOUNT = re.compile(r"\d+\.\d{2}|[1-9]\d{0,2}0{5,}")
_PRICE_LIST = re.compile(rf"(?:{_AMOUNT.pattern})(?:\s+(?:{_AMOUNT.pattern}))+")
# A UUID, or 32 hex digits with or without a prefix, as payments and Twilio's messages have them.
_IDENTIFIER = re.compile(
    r"(?<![^\W_])(?:[a-z]{2,4}_?)?(?=[0-9-]*[a-f])"
    r"(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![^\W_])",
    re.IGNORECASE,
)
_SAID = r"(?:\W{1,3}(?:is|no|number|code|date))*\W{0,5}"
# Says by itself what it is, also in the message after the card's.
_SECURITY_CODE = re.compile(
    rf"(?<![^\W\d_])(?:cv[vc]2?|(?:card|security) code){_SAID}[0-9]{{3,4}}(?![0-9])", re.IGNORECASE
)
# Means a card only where a card number was found.
_CARD_DETAIL = re.compile(
    rf"(?<![^\W\d_])(?:"
    rf"(?:csc|cid|pin|code){_SAID}[0-9]{{3,6}}"
    rf"|(?:exp(?:iry|ires|iration)?|(?:valid|good)(?:\W{{1,3}}(?:thru|through|till|until|to))?){_SAID}"
    rf"(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W{{0,3}}[0-9]{{2,4}}"
    rf"|[0-9]{{1,4}}\W{{1,3}}[0-9]{{2,4}}|[0-9]{{3,6}})"
    rf")(?![0-9])",
    re.IGNORECASE,
)
_MARK = re.escape(CARD_MARK)
_REPEATED_MARK = re.compile(rf"{_MARK}(?:[\W_]{{0,8}}{_MARK})+")

Span = tuple[int, int]


@dataclass(frozen=True)
class Redacted:
    """A text as it may be kept."""

    text: str
    card_removed: bool


def redact(text: str, home_number: str, own_number: str) -> Redacted:
    """Replace card numbers, what was typed beside them, and phone numbers by marks.

    Args:
        text: what the customer typed.
        home_number: the shop's own E.164 number.
        own_number: the customer's own; a number without a country code may be of either's country.
    """
    # Cards first: the phone matcher would take a part of a card number and leave the rest.
    cards = _cards(text, home_number, own_number)
    if cards:
        text = _REPEATED_MARK.sub(CARD_MARK, _replaced(text, cards, CARD_MARK))
    return Redacted(mask_numbers(text, home_number, own_number), bool(cards))


def mask_numbers(text: str, *known_numbers: str) -> str:
    """Replace phone numbers by dots; the countries of the known E.164 numbers read local numbers."""
    if sum(map(str.isdigit, text)) < LEAST_PHONE_DIGITS:
        return text
    known = _known(_with_ascii_digits(text), known_numbers)
    return _replaced(text, [*known, *_phones(text, known_numbers, Leniency.POSSIBLE)], PHONE_MARK)


def _known(plain: str, known_numbers: Iterable[str]) -> list[Span]:
    """Where a known number stands, whatever digits are before or behind it."""
    runs = [(run.span(), re.sub("[^0-9]", "", run.group())) for run in _LONG_RUN.finditer(plain)]
    if not runs:
        return []
    parsed = map(phonenumbers.parse, known_numbers)
    own = [phonenumbers.national_significant_number(number) for number in parsed]
    return [span for span, digits in runs if any(number in digits for number in own)]


def _cards(text: str, home_number: str, own_number: str) -> list[Span]:
    """Where card numbers, their expiry and their codes stand."""
    plain = _with_ascii_digits(text)
    kept = _kept(plain)
    phones: list[Span] | None = None
    removed: list[Span] = []
    for run, number in _card_numbers(plain):
        if phones is None:
            # What is also a valid phone number is left to `mask_numbers`.
            phones = _phones(text, (home_number, own_number), Leniency.VALID)
        if not _overlaps(number, kept) and not _is_within(number, phones):
            # The whole run: what follows a card number without a word is its expiry and its code.
            removed.append(run)
    if removed:
        removed += _spans(_CARD_DETAIL, plain)
    return removed + _spans(_SECURITY_CODE, plain)


def _with_ascii_digits(text: str) -> str:
    """The text with every digit of any script as 0 to 9, each character in its place."""
    if text.isascii():
        return text
    return "".join(
        character if (digit := unicodedata.digit(character, None)) is None else str(digit)
        for character in text
    )


def _card_numbers(plain: str) -> Iterator[tuple[Span, Span]]:
    """Each possible card number, made of whole groups of digits, with the run that it is in."""
    for run in _RUN.finditer(plain):
        groups = list(_GROUP.finditer(plain, *run.span()))
        for first in range(len(groups)):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last].group()
                if len(digits) >= CARD_DIGITS.stop:
                    break
                if _is_card_number(digits) and _is_one_number(plain, groups[first : last + 1]):
                    yield run.span(), (groups[first].start(), groups[last].end())


def _is_card_number(digits: str) -> bool:
    return len(digits) in CARD_DIGITS and bool(_CARD_PREFIX.match(digits)) and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    """Whether the check digit is right. Source: ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_one_number(plain: str, groups: list[re.Match[str]]) -> bool:
    """Whether the groups are written as one number."""
    if _PRINTED.fullmatch("".join(str(len(group.group())) for group in groups)):
        return True
    return all(
        _GAP.fullmatch(plain, one.end(), other.start())
        for one, other in zip(groups, groups[1:], strict=False)
    )


def _phones(text: str, known_numbers: Iterable[str], leniency: int) -> list[Span]:
    kept = _kept(_with_ascii_digits(text))
    regions = {phonenumbers.region_code_for_number(phonenumbers.parse(number)) for number in known_numbers}
    return [
        (match.start, match.end)
        for region in regions
        for match in PhoneNumberMatcher(text, region, leniency=leniency)
        if sum(character.isdigit() for character in match.raw_string) >= LEAST_PHONE_DIGITS
        and not _AMOUNT.fullmatch(match.raw_string)
        and not _overlaps((match.start, match.end), kept)
    ]


def _kept(plain: str) -> list[Span]:
    """What is neither a card nor a phone, whatever its digits: identifiers and lists of prices."""
    runs = _spans(_RUN, plain)
    return _spans(_IDENTIFIER, plain) + [run for run in runs if _PRICE_LIST.fullmatch(plain, *run)]


def _spans(pattern: re.Pattern[str], text: str) -> list[Span]:
    return [match.span() for match in pattern.finditer(text)]


def _is_within(span: Span, others: Iterable[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in others)


def _overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _replaced(text: str, spans: Iterable[Span], mark: str) -> str:
    """The text with the mark in place of each span; of spans that meet, in place of them all."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    parts, kept_from = [], 0
    for start, end in joined:
        parts += [text[kept_from:start], mark]
        kept_from = end
    return "".join([*parts, text[kept_from:]])
