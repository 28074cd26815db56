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
ENTITY = re.compile(r"\[([^\]]+)\]\(\w+\)")


def examples(language: str, folder: Path = NLU) -> Iterator[tuple[str, str]]:
    """Each intent with each of its lines."""
    for path in sorted((folder / language).glob("*.yml")):
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
