"""Words of a message or of a menu, and the forms in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from spacy.tokenizer import Tokenizer
from spacy.vocab import Vocab

# Numbers keep their decimals and powers of ten together; a word ends where digits begin ("2x", "12pcs").
_PIECES = re.compile(
    r"(?:(?<!\w)[-+])?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE]\d{1,2}(?!\w))?"
    r"|[^\W\d_]+(?:['’`][^\W\d_]{1,2}(?![^\W\d_]))?|[^\w\s]|_+|[^\S ]+|\d+"
)
_SHORTHANDS = re.compile(r"\bw[/\\]o(?:ut)?\b|\bw/(?=\s|\w)|\band/or\b", re.IGNORECASE)
# Words that end in s and are no plurals.
_SINGULAR_ENDINGS = ("ss", "us", "is")


@dataclass(frozen=True)
class Word:
    """A word or a sign of a text.

    `plain` is in lower case without accents, `stem` its singular; `start` and `end` are places in the text.
    """

    text: str
    plain: str
    stem: str
    start: int
    end: int

    @property
    def is_sign(self) -> bool:
        """Whether this is punctuation or a picture, not a word or a number."""
        return not any(character.isalnum() for character in self.text)


class Words:
    """Splits texts; holds spaCy's tokenizer, which is not safe to share between threads."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer(
            Vocab(strings=[]), infix_finditer=_PIECES.finditer, token_match=_SHORTHANDS.fullmatch
        )

    def split(self, text: str) -> list[Word]:
        """The words and signs of a text, from left to right."""
        found = [as_word(token.text, token.idx) for token in self._tokenizer(_spaced(text))]
        return [
            word
            for number, word in enumerate(found)
            if word.plain and not word.text.isspace() and not (word.text == "-" and _joins(found, number))
        ]


def _joins(words: list[Word], number: int) -> bool:
    """Whether a sign stands between two words without a space: the hyphen of "non-fat"."""
    if not 0 < number < len(words) - 1:
        return False
    before, sign, after = words[number - 1 : number + 2]
    return before.end == sign.start and sign.end == after.start and not (before.is_sign or after.is_sign)


def as_word(text: str, start: int = 0) -> Word:
    """A word as it is compared."""
    plain, stem = _forms(text)
    return Word(text, plain, stem, start, start + len(text))


@lru_cache(maxsize=50_000)
def _forms(text: str) -> tuple[str, str]:
    plain = fold(text)
    return plain, singular(plain)


def fold(text: str) -> str:
    """Lower case, without accents, apostrophes and their possessive s."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"['’`]", "", letters)


def singular(word: str) -> str:
    """A rough singular, the same for a menu's words and a customer's: `fries` and `fry` become one."""
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] + "y"
    if len(word) <= 3 or not word.endswith("s") or word.endswith(_SINGULAR_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "oes", "zes")):
        return word[:-2]
    return word[:-1]


def key_of(words: list[str]) -> str:
    """What a run of words is looked up by: spaces make no difference."""
    return "".join(words)


def _spaced(text: str) -> str:
    """The text with every character of space as a blank, so that places stay the same."""
    return re.sub(r"\s", " ", text)
