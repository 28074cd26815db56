"""What a language model makes of the messages that the pipeline is unsure of."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from rapidfuzz import fuzz, process, utils

from actions.proposing import UNSURE
from assist.assembly import make_assistant
from assist.grammar import PROPOSED
from assist.situation import Proposal, Situation
from deploy.prepare import ROOT, environment
from settings import LlmSettings, Settings
from shop.candidates import MOST_CANDIDATES, Candidate
from shop.known_names import PERHAPS_MEANT
from tests.assist.stand_in import Behaviour, says
from whatsapp.redis import connect

SEED = 20261125
OUT_OF_SCOPE = "out_of_scope"
GUESSED = frozenset("browse_menu search_product select_product give_quantity modify_item remove_item".split())
"""Intents whose actions doubt them (`is_guessed`)."""
NAMES_PRODUCTS = frozenset(("select_product", "search_product"))
STEPS = (0.0, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.01)
DOUBTS = ("confidence", "lines", "unknown", "asked")

Row = dict[str, Any]


@dataclass
class Outcome:
    """Of unsure messages: how many, understood, asked about in vain; calls; seconds of each question."""

    messages: int
    understood: int = 0
    in_vain: int = 0
    calls: float = 0.0
    seconds: tuple[float, ...] = ()

    @property
    def p50(self) -> float:
        """The median of a question, in seconds."""
        return statistics.median(self.seconds) if self.seconds else 0.0


def guessed(rows: list[Row], menu: Path | None) -> list[Row]:
    """The rows with what the pipeline takes them for (`guess`), and what an action doubts it by."""
    lines = "".join(json.dumps({"id": n, "text": row["text"]}) + "\n" for n, row in enumerate(rows))
    command = [str(environment("dialogue") / "bin" / "python"), "-m", "dialogue.parse_lines", "doubts"]
    command += ["--menu", str(menu)] if menu else []
    done = subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        {**row, "guess": answer["intent"], **{key: answer[key] for key in DOUBTS}}
        for row, answer in zip(rows, answers, strict=True)
    ]


def by_confidence(rows: Iterable[Row]) -> list[tuple[str, float, int]]:
    """Of guesses whose actions may doubt them, by steps of confidence, and under and over the threshold: the
    share that is right, and how many there are."""
    found = [row for row in rows if row["guess"] in GUESSED]
    bands = [*zip(STEPS, STEPS[1:], strict=False), (0.0, UNSURE), (UNSURE, 1.01)]
    told = []
    for low, high in bands:
        within = [row["guess"] in row["accept"] for row in found if low <= row["confidence"] < high]
        told.append((f"{low:.2f} to {min(high, 1):.2f}", sum(within) / max(len(within), 1), len(within)))
    return told


def unsure(rows: Iterable[Row], menu: Path | None) -> list[Row]:
    """Those that the bot asks the model about, by its own rules: what is none of the shop's business, a
    guess that an action doubts, something counted that is on no menu, a product that nothing is like."""
    names = [utils.default_process(name) for name in _names(menu).values()]
    return [row for row in rows if _is_asked_about(row, names)]


def _is_asked_about(row: Row, names: Sequence[str]) -> bool:
    intent = row["guess"]
    if intent == OUT_OF_SCOPE or (intent in GUESSED and 0 < row["confidence"] < UNSURE):
        return True
    if intent not in NAMES_PRODUCTS:
        return False
    if row["lines"]:
        return bool(row["unknown"])
    asked = utils.default_process(row["asked"])
    return process.extractOne(asked, names, scorer=fuzz.WRatio, score_cutoff=PERHAPS_MEANT) is None


def _names(menu: Path | None) -> dict[str, str]:
    products = json.loads(menu.read_text(encoding="utf-8"))["products"] if menu else []
    return {each["id"]: " ".join([each["id"], *each["aliases"]]) for each in products}


def candidates_of(menu: Path | None) -> Callable[[str], tuple[Candidate, ...]]:
    """The candidates for a text among the products of a menu file."""
    names = _names(menu)

    def candidates(text: str) -> tuple[Candidate, ...]:
        near = process.extract(text, names, scorer=fuzz.token_set_ratio, limit=MOST_CANDIDATES)
        return tuple(Candidate(key, key, "") for _, _, key in near)

    return candidates


def oracle(rows: Iterable[Row], wrong: float) -> Behaviour:
    """A model that knows what was meant, and says something else in a share of the cases."""
    meant = {row["text"]: row["intent"] for row in rows}
    chance = random.Random(SEED)

    def command(question: dict[str, Any]) -> dict[str, Any]:
        intent = meant.get(question["message"], OUT_OF_SCOPE)
        if chance.random() < wrong:
            intent = chance.choice(sorted(PROPOSED))
        if intent == "select_product" and question["candidates"]:
            line = {"product": "p1", "quantity": 1, "options": [], "without": []}
            return {"kind": "order", "lines": [line]}
        return {"kind": "intent", "intent": intent} if intent in PROPOSED else {"kind": "none"}

    return says(command)


async def ask(rows: list[Row], settings: Settings, llm: LlmSettings, menu: Path | None) -> Outcome:
    """Ask a model about each row."""
    registry = CollectorRegistry()
    llm = replace(llm, daily_calls=1_000_000, daily_calls_per_customer=1_000_000)
    redis = connect(settings.redis)
    await redis.flushall()
    assistant = make_assistant(replace(settings, llm=llm), redis, registry)
    assert assistant is not None
    candidates, outcome, seconds = candidates_of(menu), Outcome(len(rows)), []
    for row in rows:
        situation = Situation("bench", row["text"], "GREETING", "en", candidates=candidates(row["text"]))
        began = time.perf_counter()
        proposal = await assistant.propose(situation)
        seconds.append(time.perf_counter() - began)
        taken = _intent_of(proposal) or row["guess"]
        outcome.understood += taken in row["accept"]
        outcome.in_vain += proposal is not None and taken not in row["accept"]
    outcome.calls = registry.get_sample_value("chatcart_llm_calls_total") or 0.0
    outcome.seconds = tuple(seconds)
    await redis.aclose()
    return outcome


def _intent_of(proposal: Proposal | None) -> str | None:
    if proposal is None or proposal.clarify:
        return None
    return proposal.intent or "select_product"
