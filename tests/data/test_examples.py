"""The examples that the model learns from: enough of each, none twice, none of them in a test."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from deploy.nlu_examples import LANGUAGES, examples, plain, shapes
from deploy.prepare import ROOT
from shop.misunderstandings import INTENTS

FEWEST = {"en": 60}
FEWEST_OF_OTHERS = 25


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


def test_designers_can_choose_every_intent_that_has_examples_and_no_other():
    known = {intent for language in LANGUAGES for intent, _ in examples(language)}
    assert set(INTENTS) == known
