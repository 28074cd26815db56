"""The examples that the model learns from: enough of each, none twice, none of them in a test."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
NLU = ROOT / "data" / "nlu"
LANGUAGES = ("en", "pcm", "fr", "es", "pt")
FEWEST = {"en": 60}
FEWEST_OF_OTHERS = 25
SHORTEST_COMPARED = 4
ENTITY = re.compile(r"\[([^\]]+)\]\(\w+\)")


def examples(language: str) -> Iterator[tuple[str, str]]:
    """Each intent with each of its lines."""
    for path in sorted((NLU / language).glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in entry["examples"].splitlines():
                yield entry["intent"], line.removeprefix("- ")


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_has_enough_examples(language: str) -> None:
    counts: dict[str, int] = defaultdict(int)
    for intent, _ in examples(language):
        counts[intent] += 1
    assert set(counts) == {intent for intent, _ in examples("en")}
    fewest = FEWEST.get(language, FEWEST_OF_OTHERS)
    assert {intent: count for intent, count in counts.items() if count < fewest} == {}


def test_no_line_stands_twice() -> None:
    seen: dict[str, str] = {}
    for language in LANGUAGES:
        for intent, line in examples(language):
            assert plain(line) not in seen, f"{line}: {intent} and {seen[plain(line)]}"
            seen[plain(line)] = intent


def test_no_lines_of_an_intent_differ_by_one_word_only() -> None:
    for language in LANGUAGES:
        seen: dict[tuple[str, tuple[str, ...]], str] = {}
        for intent, line in examples(language):
            for shape in shapes(line):
                other = seen.setdefault((intent, shape), line)
                assert other == line, f"{intent}: {line!r} and {other!r}"


def test_nothing_that_is_tested_was_learnt() -> None:
    learnt = {plain(line) for language in LANGUAGES for _, line in examples(language)}
    for path in (ROOT / "tests" / "understanding" / "menus").glob("*/orders.jsonl"):
        for row in path.read_text(encoding="utf-8").splitlines():
            text = json.loads(row)["text"]
            assert plain(text) not in learnt, f"{path.parent.name}: {text}"
