"""Words of a menu's names as customers' words are compared with them, and the words that are no names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_suffix(".yml")

# A word ends where digits begin ("50cl"). The range: scripts from India to Tibet write vowels as marks,
# which Python does not count as parts of a word.
_WORDS = re.compile(r"\d+|(?:[^\W\d_]|[\u0900-\u0fff])+")
_APOSTROPHES = re.compile(r"['’`]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_SINGULAR_ENDINGS = ("ss", "us", "is")


@dataclass(frozen=True)
class WordLists:
    """What the data file holds.

    Attributes:
        numbers: number words.
        function: words without a meaning of their own, such as articles.
        everyday: words that do something in any order, function words and commands among them.
        sizes: everyday words that are good names of options.
        size_letters: the same, of one or two letters.
        commands: what the bot takes a word for.
        vague: words that say too little to stand for a longer name.
        denying: after these a word is what something does not have.
        synonyms: the stem that stands for others in short forms.
    """

    numbers: frozenset[str]
    function: frozenset[str]
    everyday: frozenset[str]
    sizes: frozenset[str]
    size_letters: frozenset[str]
    commands: Mapping[str, str]
    vague: frozenset[str]
    denying: frozenset[str]
    synonyms: Mapping[str, str]

    def is_number(self, word: str) -> bool:
        """Whether a word is a number, in digits or written out."""
        return word.isdecimal() or word in self.numbers

    def is_harmless(self, words: Sequence[str]) -> bool:
        """Whether no number begins these words, and none is a number word, an everyday word or a size."""
        return self._notable.isdisjoint(words) and not words[0].isdecimal()

    def is_weak(self, word: str) -> bool:
        """Whether a word says too little to stand for a longer name."""
        return len(word) < 2 or self.is_number(word) or word in self._notable or stem(word) in self.vague

    @cached_property
    def _notable(self) -> frozenset[str]:
        return self.numbers | self.everyday | self.sizes


@cache
def word_lists() -> WordLists:
    """The lists, read once."""
    # The base loader reads every scalar as text: `no` and `on` are words here, not truths.
    data = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    everyday = frozenset([*data["function"], *data["ordering"], *data["commands"]])
    return WordLists(
        numbers=frozenset(data["numbers"]),
        function=frozenset(data["function"]),
        everyday=everyday,
        sizes=frozenset(data["sizes"]),
        size_letters=frozenset(data["size_letters"]),
        commands=data["commands"],
        vague=frozenset(map(stem, data["vague"])),
        denying=frozenset(data["denying"]),
        synonyms={stem(word): stem(group[0]) for group in data["synonyms"] for word in group},
    )


def split(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without accents, apostrophes and other signs."""
    plain = text.casefold()
    if plain.isascii() and plain.replace(" ", "").isalpha():
        return tuple(plain.split())
    plain = _APOSTROPHES.sub("", plain)
    if not plain.isascii():
        plain = plain.replace("œ", "oe").replace("æ", "ae")
        plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)))
    return tuple(_WORDS.findall(plain))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A rough singular, made by the rules of the order reader: `fries` and `fry` become one."""
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] + "y"
    if len(word) <= 3 or not word.endswith("s") or word.endswith(_SINGULAR_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "oes", "zes")):
        return word[:-2]
    return word[:-1]
