"""How well orders, numbers and intents are understood, on real people's messages and on our own menus.

    .venvs/dialogue/bin/python -m bench.understanding [--quick]

Reads the evaluation sets beside the checkout (shared/evaldata; nothing of them is part of the project) and
scores with their score.py. Without --quick a stock DIET pipeline is trained on the same data/nlu and read
with the same rows.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from dialogue.orders.language import load
from dialogue.orders.menu import EMPTY, Menu
from dialogue.orders.numbers import number_at
from dialogue.orders.words import Words
from dialogue.parse_lines import parse_intents, parse_orders, read_menu
from tests.understanding.scoring import HELD_OUT, LANGUAGES, SEEN, outcomes, share

ROOT = Path(__file__).resolve().parent.parent
SETS = Path(os.environ.get("CHATCART_EVALDATA", ROOT.parent / "shared" / "evaldata"))
MENUS = {"coffee": "coffee_tm4", "fast food": "fastfood_multidogo"}
MOST_ERRORS = 12
STOCK_EPOCHS = 10

Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    """One of the sets."""
    return [json.loads(line) for line in (SETS / name).read_text(encoding="utf-8").splitlines()]


def scorer() -> ModuleType:
    """The sets' own score.py."""
    spec = importlib.util.spec_from_file_location("score", SETS / "score.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def menu_of(domain: str) -> Menu:
    """The menu that a set's orders were made from."""
    return read_menu(str(SETS / f"menu_{domain}.json"))


def timed(parse: Callable[[list[Row]], list[Row]], given: list[Row]) -> tuple[list[Row], float]:
    """The answers, and how many lines a second that was."""
    started = time.perf_counter()
    answers = parse(given)
    return answers, len(given) / (time.perf_counter() - started)


def orders(score: ModuleType) -> None:
    """Orders on the two menus of the set, and on our own."""
    print("\n## Orders\n")
    print("| menu | rows | em_pq | em_full | wrong_item | unsure | em_full where sure | lines/s |")
    print("|---|---|---|---|---|---|---|---|")
    every = rows("food_orders.dev.jsonl")
    for shown, domain in MENUS.items():
        given = [row for row in every if row["domain"] == domain]
        answers, speed = timed(parse_orders(menu_of(domain)), given)
        gold, found = [row["items"] for row in given], [row["items"] for row in answers]
        figures = score.score_orders(gold, found)
        right = [score.bag(g, "full") == score.bag(f, "full") for g, f in zip(gold, found, strict=True)]
        sure = [r for r, answer in zip(right, answers, strict=True) if not answer["unsure"]]
        _order_row(shown, len(given), figures, 1 - len(sure) / len(given), share(sure), f"{speed:.0f}")
    for shown, names in (
        ("own, seen", SEEN),
        ("own, held out", HELD_OUT),
        ("own, other languages", LANGUAGES),
    ):
        _own(shown, names)
        for name in names:
            _own(f"- {name}", (name,))


def _own(shown: str, names: Sequence[str]) -> None:
    found = list(outcomes(*names))
    figures = {
        "em_pq": share([one.right_products for one in found]),
        "em_full": share([one.right for one in found]),
        "wrong_item_rate": share([one.wrong_item for one in found]),
    }
    sure = share([one.right for one in found if not one.unsure])
    _order_row(shown, len(found), figures, share([one.unsure for one in found]), sure, "")


def _order_row(shown: str, count: int, figures: Row, unsure: float, sure: float, speed: str) -> None:
    told = f"{figures['em_pq']:.3f} | {figures['em_full']:.3f} | {figures['wrong_item_rate']:.4f}"
    print(f"| {shown} | {count} | {told} | {unsure:.3f} | {sure:.3f} | {speed} |")


def numbers(score: ModuleType) -> None:
    """Quantities in order messages."""
    print("\n## Numbers in English order messages\n\n| written | rows | all right |\n|---|---|---|")
    for shown, in_words in (("in words", True), ("in digits", False)):
        given = [
            row
            for row in rows("quantities.dev.jsonl")
            if row["lang"] == "en" and row["kind"] == "order_message" and row["in_words"] is in_words
        ]
        gold = [[one["value"] for one in row["numbers"]] for row in given]
        found = [numbers_in(row["text"]) for row in given]
        print(f"| {shown} | {len(given)} | {score.score_quantities(gold, found)['all_numbers_em']:.3f} |")


def numbers_in(text: str) -> list[str]:
    """The numbers of a text, from left to right."""
    words, english = Words().split(text), [load("en")]
    found: list[str] = []
    place = 0
    while place < len(words):
        number = number_at(words, place, english)
        if number is not None:
            found.append(format(number.value.normalize(), "f"))
        place += number.length if number is not None else 1
    return found


def intents(score: ModuleType, *, quick: bool) -> None:
    """The headline of the intents, with either menu and with none."""
    print("\n## Intents (core tier)\n")
    print("| pipeline | menu | in scope | macro F1 | out of scope | falsely out | lines/s |")
    print("|---|---|---|---|---|---|---|")
    given = [row for row in rows("intents.dev.jsonl") if row["tier"] == "core"]
    found: list[str] = []
    for shown, domain in {**MENUS, "none": ""}.items():
        menu = menu_of(domain) if domain else EMPTY
        answers, speed = timed(parse_intents(menu, str(ROOT / "models")), given)
        named = [row["intent"] for row in answers]
        _intent_row("ours", shown, score.score_intents(given, named), speed)
        found = found or named
    if not quick:
        named, speed = stock_intents(given)
        _intent_row(f"stock DIET, {STOCK_EPOCHS} epochs", "", score.score_intents(given, named), speed)
    _errors(given, found)


def _intent_row(pipeline: str, menu: str, figures: Row, speed: float) -> None:
    names = ("in_scope_acc", "macro_f1", "oos_recall", "false_oos_rate")
    told = " | ".join(f"{figures[name]:.3f}" for name in names)
    print(f"| {pipeline} | {menu} | {told} | {speed:.0f} |", flush=True)


def _errors(given: list[Row], found: Iterable[str]) -> None:
    wrong = Counter(
        (row["intent"], name) for row, name in zip(given, found, strict=True) if name not in row["accept"]
    )
    print("\nWhat is taken for what, most often first:\n")
    for (meant, taken), times in wrong.most_common(MOST_ERRORS):
        print(f"- {times} × {meant} for {taken}")


def stock_intents(given: list[Row]) -> tuple[list[str], float]:
    """What Rasa's own pipeline finds after training on the same examples; its speed."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yml"
        counts = "  - {name: CountVectorsFeaturizer, analyzer: char_wb, min_ngram: 1, max_ngram: 4}"
        config.write_text(
            "recipe: default.v1\nlanguage: en\npipeline:\n  - name: WhitespaceTokenizer\n"
            f"  - name: LexicalSyntacticFeaturizer\n  - name: CountVectorsFeaturizer\n{counts}\n"
            f"  - {{name: DIETClassifier, epochs: {STOCK_EPOCHS}, constrain_similarities: true}}\n",
            encoding="utf-8",
        )
        arguments = ["train", "nlu", "--config", str(config), "--nlu", str(ROOT / "data" / "nlu")]
        arguments += ["--out", folder, "--fixed-model-name", "stock"]
        rasa = Path(sys.executable).parent / "rasa"
        subprocess.run([str(rasa), *arguments], cwd=ROOT, check=True, stdout=sys.stderr)
        return asyncio.run(_stock_answers(f"{folder}/stock.tar.gz", given))


async def _stock_answers(model: str, given: list[Row]) -> tuple[list[str], float]:
    import structlog
    from rasa.core.agent import Agent

    # Rasa prints each message otherwise, among the tables.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    agent = Agent.load(model)
    started = time.perf_counter()
    named = [str((await agent.parse_message(row["text"]))["intent"]["name"]) for row in given]
    return named, len(given) / (time.perf_counter() - started)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="without stock Rasa")
    quick = arguments.parse_args().quick
    if not (SETS / "score.py").exists():
        sys.exit(f"chatcart: no evaluation sets at {SETS}; set CHATCART_EVALDATA to their folder")
    score = scorer()
    orders(score)
    numbers(score)
    intents(score, quick=quick)


if __name__ == "__main__":
    main()
