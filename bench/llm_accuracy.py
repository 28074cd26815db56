"""What a language model makes of the messages that the pipeline is unsure of."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from rapidfuzz import fuzz, process

from actions.proposing import UNSURE
from assist.assembly import make_assistant
from assist.grammar import PROPOSED
from assist.situation import Proposal, Situation
from deploy.prepare import ROOT, environment
from settings import LlmSettings, Settings
from shop.candidates import MOST_CANDIDATES, Candidate
from tests.assist.stand_in import Behaviour, says
from whatsapp.redis import connect

SEED = 20261125
OUT_OF_SCOPE = "out_of_scope"

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
    """The rows with what the pipeline takes them for (`guess`, `confidence`)."""
    lines = "".join(json.dumps({"id": n, "text": row["text"]}) + "\n" for n, row in enumerate(rows))
    command = [str(environment("dialogue") / "bin" / "python"), "-m", "dialogue.parse_lines", "intents"]
    command += ["--menu", str(menu)] if menu else []
    done = subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        {**row, "guess": answer["intent"], "confidence": answer["confidence"]}
        for row, answer in zip(rows, answers, strict=True)
    ]


def unsure(rows: Iterable[Row]) -> list[Row]:
    """Those that an action asks the model about."""
    return [row for row in rows if row["guess"] == OUT_OF_SCOPE or row["confidence"] < UNSURE]


def candidates_of(menu: Path | None) -> Callable[[str], tuple[Candidate, ...]]:
    """The candidates for a text among the products of a menu file."""
    products = json.loads(menu.read_text(encoding="utf-8"))["products"] if menu else []
    names = {each["id"]: " ".join([each["id"], *each["aliases"]]) for each in products}

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
