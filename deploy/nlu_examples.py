"""The examples that the model learns from, and what makes one of them too many."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import yaml

from deploy.prepare import ROOT

NLU = ROOT / "data" / "nlu"
LANGUAGES = ("en", "pcm", "fr", "es", "pt")
SHORTEST_COMPARED = 4
BYTE_ORDER_MARK = "\ufeff"
ENTITY = re.compile(r"\[([^\]]+)\]\(\w+\)")
PRODUCT = re.compile(r"\[[^\[\]{}()]*\w[^\[\]{}()]*\]\(product\)")
"""The one mark that examples have."""
MARKS = re.compile(r"[\[\]{}]")
NO_TEXT = frozenset(("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of characters that YAML does not take, or that end a line."""
NO_COMMAND = re.compile(r"\A[\s/\-]+")


def examples(language: str, folder: Path = NLU) -> Iterator[tuple[str, str]]:
    """Each intent with each of its lines."""
    for path in sorted((folder / language).glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in entry["examples"].splitlines():
                yield entry["intent"], line.removeprefix("- ")


def unfit_to_learn(line: str) -> str | None:
    """Why Rasa's reader would take a line for something else than what a customer wrote; None: it is fit."""
    if not all(map(_is_text, line)):
        return "it holds a control character"
    if NO_COMMAND.match(line):
        return "it begins with a sign that Rasa reads as its own"
    if MARKS.search(PRODUCT.sub("", line)):
        return "a bracket that marks no [product](product)"
    return None


def as_example(text: str) -> str:
    """What a customer typed, as a line that is fit to learn: brackets mean something there, and customers
    mark nothing."""
    signs = "".join(character if _is_text(character) else " " for character in MARKS.sub(" ", text))
    return NO_COMMAND.sub("", " ".join(signs.split()))


def _is_text(character: str) -> bool:
    return unicodedata.category(character) not in NO_TEXT and character != BYTE_ORDER_MARK


def plain(line: str) -> str:
    """A line without case, signs and marks of products."""
    text = unicodedata.normalize("NFKC", ENTITY.sub(r"\1", line)).lower()
    return " ".join(re.sub(r"[^\w]+", " ", text).split()) or line


def shapes(line: str) -> Iterator[tuple[str, ...]]:
    """The line with each word in turn left open; numbers and products are open anyway."""
    words = plain(re.sub(r"\d+", "0", ENTITY.sub("product", line))).split()
    if len(words) >= SHORTEST_COMPARED:
        for place in range(len(words)):
            yield (*words[:place], "*", *words[place + 1 :])


def tested() -> set[str]:
    """All that tests let customers say, plain: none of it is ever learnt."""
    texts: set[str] = set()
    for path in (ROOT / "tests" / "understanding" / "menus").glob("*/orders.jsonl"):
        texts |= {plain(json.loads(row)["text"]) for row in path.read_text(encoding="utf-8").splitlines()}
    for path in (ROOT / "tests" / "conversations").rglob("*.yml"):
        for conversation in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            said = [turn.get("customer says") for turn in (conversation or {}).get("talk", ())]
            texts |= {plain(str(text)) for text in said if text is not None}
    return texts
