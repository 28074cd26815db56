"""What each language says in its own way, read from `languages/*.yml`."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dialogue.orders.words import Words, key_of

FOLDER = Path(__file__).parent / "languages"


class Part(enum.Enum):
    """What a word or phrase does in an order."""

    ARTICLE = "articles"
    WITH = "with"
    WITHOUT = "without"
    NOT = "not"
    AND = "and"
    OR = "or"
    BUT = "but"
    EACH = "each"
    OTHER = "other"
    ANOTHER = "another"
    PARTIAL = "partial"
    ONE_OF_THEM = "one_of_them"
    DEFINITE = "definite"
    ADDING = "adding"
    ONLY = "only"
    REMOVED = "removed"
    SWAP_IN = "swap_in"
    REPLACE = "replace"
    SAME = "same"
    CURRENCY = "currencies"
    CHECKOUT = "checkout"
    REFERENCE = "reference"
    CORRECTION = "correction"
    PLAIN = "plain"
    REMOVE = "remove"
    MEASURE = "measures"
    CONTAINER = "containers"
    OF = "of"
    GENERIC = "generic"
    ANSWER_NO = "answers_no"
    INSTEAD_OF = "instead_of"
    QUALIFIER = "qualifiers"
    FILLER = "filler"


@dataclass(frozen=True)
class Language:
    """One language's data; every key is made by `words.key_of` from words without accents.

    Attributes:
        parts: what a phrase does, and for a qualifier its name ("extra").
        numbers, scales, collectives: what number words are worth.
        never_alone: words that say too little to stand for a longer name.
        denying_suffixes: words that deny the one before ("sugar free"); `denials` deny the one after.
        synonyms: groups of phrases (as stems) that mean the same; `synonyms_in_names` do as a part of
        a longer name.
        ordinals: what "the second" points to in a list; -1 is the last.
        multiples: words such as "double", which may be an option or say how much of the next one.
        pieces: of the containers and measures those that count what comes with a dish, not dishes: "2 wraps".
        pronouns: of the generic words those that stand for several that were named: "the hot ones".
        half: words for a half, which is part of many names.
        more, fewer: of the qualifiers those that count on, "two more" and "one less".
        names: every phrase that the synonyms hold.
    """

    code: str
    parts: Mapping[str, tuple[Part, str]]
    numbers: Mapping[str, int]
    scales: Mapping[str, int]
    collectives: Mapping[str, int]
    joins_numbers: frozenset[str] = frozenset()
    never_alone: frozenset[str] = frozenset()
    denying_suffixes: frozenset[str] = frozenset()
    denials: frozenset[str] = frozenset()
    synonyms: tuple[tuple[tuple[str, ...], ...], ...] = ()
    synonyms_in_names: tuple[tuple[tuple[str, ...], ...], ...] = ()
    multiples: frozenset[str] = frozenset()
    ordinals: Mapping[str, int] = field(default_factory=dict)
    half: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()
    fewer: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    pieces: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()

    def says(self, key: str) -> bool:
        """Whether a word or phrase does something in this language, or is a number of it."""
        return key in self.parts or key in self.numbers


@cache
def load(code: str) -> Language:
    """Read a language's file.

    Raises:
        FileNotFoundError: there is none for this code.
    """
    # The base loader reads every scalar as text: `no` and `on` are words here, not truths.
    data = yaml.load((FOLDER / f"{code}.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    words = Words()
    parts: dict[str, tuple[Part, str]] = {}
    for part in reversed(Part):
        for key, name in _phrases(words, part, data):
            parts[key] = part, name
    return Language(
        code,
        parts,
        _worth(words, data.get("numbers")),
        _worth(words, data.get("scales")),
        _worth(words, data.get("collectives")),
        _keys(words, data.get("joins_numbers")),
        frozenset(_stem(words, phrase) for phrase in data.get("never_alone", ())),
        frozenset(_stem(words, phrase) for phrase in data.get("denying_suffixes", ())),
        frozenset(_stem(words, phrase) for phrase in data.get("denials", ())),
        _groups(words, data.get("synonyms", ())),
        _groups(words, data.get("synonyms_in_names", ())),
        _keys(words, data.get("multiples")),
        _worth(words, data.get("ordinals")),
        _keys(words, data.get("half")),
        _keys(words, data.get("more")),
        _keys(words, data.get("fewer")),
        frozenset().union(*(_keys(words, group) for group in data.get("synonyms", ()))),
        _keys(words, data.get("pieces")),
        _keys(words, data.get("pronouns")),
    )


def guess(words: Iterable[str], languages: Iterable[Language]) -> str:
    """The code of the language of which most words are typical; the first one where none is.

    What is a name in the first one speaks for no other: "sm" is short for small, and for "sem" elsewhere.

    Args:
        words: in the form that `Word.plain` has.
    """
    words, languages = list(words), list(languages)
    pairs = (one + another for one, another in zip(words, words[1:], strict=False))
    runs = [run for run in (*words, *pairs) if run not in languages[0].names]
    known = {language.code: sum(language.says(run) for run in runs) for language in languages}
    return max(known, key=lambda code: known[code])


def available() -> tuple[str, ...]:
    """The codes of the languages that have data."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


def _phrases(words: Words, part: Part, data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    listed = data.get(part.value) or ()
    if part is not Part.QUALIFIER:
        return [(_key(words, phrase), "") for phrase in listed]
    return [(_key(words, phrase), name) for name, phrases in dict(listed).items() for phrase in phrases]


def _keys(words: Words, phrases: Iterable[str] | None) -> frozenset[str]:
    return frozenset(_key(words, phrase) for phrase in phrases or ())


def _worth(words: Words, values: Mapping[str, str] | None) -> dict[str, int]:
    return {_key(words, phrase): int(value) for phrase, value in (values or {}).items()}


def _groups(words: Words, groups: Iterable[Iterable[str]]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    return tuple(
        tuple(tuple(word.stem for word in words.split(phrase)) for phrase in group) for group in groups
    )


def _key(words: Words, phrase: str) -> str:
    return key_of([word.plain for word in words.split(phrase)])


def _stem(words: Words, phrase: str) -> str:
    return key_of([word.stem for word in words.split(phrase)])
