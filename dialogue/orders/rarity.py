"""How ordinary a word is: ordinary words are not taken for misspelt names, nor for parts of names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from wordfreq import zipf_frequency

# Zipf's scale is the logarithm of how often a word occurs in a thousand million: "the" 7.7, "tea" 4.7,
# "lemonade" 3.4; words that the list lacks are 0.
ORDINARY = 3.5
# The list ends at 3: a word that it has is spelt right.
SPELT_RIGHT = 3.0
# A word as frequent as this is probably meant as it stands.
EVERYDAY = 4.5
# The lists have no Nigerian Pidgin; much of it is written as English is.
LISTS = {"pcm": "en"}
EVERY_LANGUAGE = ("en", "fr", "es", "pt")


@lru_cache(maxsize=100_000)
def frequency(word: str, languages: tuple[str, ...]) -> float:
    """How often a word occurs, in the language in which it is most frequent."""
    return max(zipf_frequency(word, LISTS.get(code, code), wordlist="small") for code in languages)


def is_everyday(word: str) -> bool:
    """Whether everybody uses a word every day: "cold", but not "vegan"."""
    return frequency(word.lower(), EVERY_LANGUAGE) >= EVERYDAY


def is_strange(word: str) -> bool:
    """Whether no language that customers write knows a word: "qwoeiu", but a name of a person, too."""
    return frequency(word.lower(), EVERY_LANGUAGE) == 0


def codes(languages: Sequence[str]) -> tuple[str, ...]:
    """The codes in the form that `frequency` remembers."""
    return tuple(dict.fromkeys(languages))
