"""Compares NLU pipelines: intent quality, training time, time per message and memory.

Each candidate trains on data/nlu alone and then reads the core development rows of the evaluation
set; training and parsing run in a process of their own each, one after the other. With
`--cross-validate` it reads no evaluation row: five folds of data/nlu are held out in turn, each a
block of neighbouring lines of every intent, since neighbours resemble each other. Settings are
chosen by that table, and the evaluation rows only confirm the choice.

    .venvs/dialogue/bin/python bench/classifiers.py [--quick] [--cross-validate] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NLU_DATA = ROOT / "data" / "nlu"
FOLDS, WARM_UP, QUICK_ROWS = 5, 20, 10  # --quick reads every tenth row
QUALITY = ("in_scope_acc", "macro_f1", "oos_recall", "false_oos_rate")
COST = ("train_s", "parse_p50_ms", "peak_rss_mb")

Component = dict[str, Any]
Row = dict[str, Any]

TOKENS: Component = {"name": "WhitespaceTokenizer"}
SYNTAX: Component = {"name": "LexicalSyntacticFeaturizer"}
CRF: Component = {"name": "CRFEntityExtractor"}
STOCK: Component = {"name": "LogisticRegressionClassifier"}
LIBLINEAR: Component = {**STOCK, "solver": "liblinear"}


def counts(longest: int | None) -> list[Component]:
    """Rasa's counts of words 1-2 and, unless `longest` is None, of character n-grams."""
    words = {"name": "CountVectorsFeaturizer", "max_ngram": 2}
    characters = {**words, "analyzer": "char_wb", "max_ngram": longest}
    return [words, characters] if longest else [words]


def tfidf(longest: int = 4, **marks: Any) -> list[Component]:
    """Our tf-idf weights of words 1-2 and of character n-grams."""
    words = {"name": "dialogue.nlu.tfidf_featurizer.TfidfFeaturizer", "max_ngram": 2}
    return [{**words, **marks}, {**words, "analyzer": "char_wb", "max_ngram": longest}]


def marked(min_count: int = 3, longest: int = 4) -> list[Component]:
    """The tf-idf weights with marks for unknown words and for the edges of the message."""
    return tfidf(longest, min_count=min_count, mark_edges=True)


def tuned(c: float, solver: str = "liblinear") -> Component:
    """Our classifier with its regularisation."""
    name = "dialogue.nlu.intent_classifier.TunableIntentClassifier"
    return {"name": name, "C": c, "solver": solver}


def diet(epochs: int = 40) -> Component:
    """A small DIET, which extracts the entities, too."""
    return {
        "name": "DIETClassifier",
        "epochs": epochs,
        "entity_recognition": True,
        "number_of_transformer_layers": 1,
        "transformer_size": 128,
        "random_seed": 42,
    }


CANDIDATES: dict[str, list[Component]] = {
    "counts 1-4": [TOKENS, SYNTAX, *counts(4), STOCK, CRF],
    "counts 1-5": [TOKENS, SYNTAX, *counts(5), STOCK, CRF],
    "diet, words": [TOKENS, SYNTAX, *counts(None), diet()],
    "diet, words + chars": [TOKENS, SYNTAX, *counts(4), diet()],
    "tf-idf": [TOKENS, SYNTAX, *tfidf(), STOCK, CRF],
    "tf-idf, liblinear": [TOKENS, *tfidf(), LIBLINEAR, CRF],
    "tf-idf, C=4": [TOKENS, *tfidf(), tuned(4), CRF],
    "marked, liblinear": [TOKENS, *marked(), LIBLINEAR, CRF],
    "marked, C=4": [TOKENS, *marked(), tuned(4), CRF],
    "marked, C=4, lbfgs": [TOKENS, *marked(), tuned(4, "lbfgs"), CRF],
}
# Settings that only the cross-validation compares (entities play no part in it).
VARIANTS: dict[str, list[Component]] = {
    "counts 1-4": [TOKENS, *counts(4), STOCK],
    "tf-idf": [TOKENS, *tfidf(), STOCK],
    "tf-idf, C=4": [TOKENS, *tfidf(), tuned(4)],
    "only edges, C=4": [TOKENS, *tfidf(mark_edges=True), tuned(4)],
    "only unknown, C=4": [TOKENS, *tfidf(min_count=3), tuned(4)],
    "marked, liblinear": [TOKENS, *marked(), LIBLINEAR],
    "marked 2, C=4": [TOKENS, *marked(2), tuned(4)],
    "marked, C=4": [TOKENS, *marked(), tuned(4)],
    "marked, C=4, lbfgs": [TOKENS, *marked(), tuned(4, "lbfgs")],
    "marked, C=10": [TOKENS, *marked(), tuned(10)],
    "marked 1-5, C=4": [TOKENS, *marked(3, 5), tuned(4)],
}


def train(pipeline: list[Component], data: Path, folder: Path) -> float:
    """Train a model into `folder`; the seconds it took, without the imports."""
    from rasa.model_training import train_nlu
    from rasa.shared.utils.io import write_yaml

    config = folder / "config.yml"
    header = {"recipe": "default.v1", "language": "en", "assistant_id": "bench"}
    write_yaml({**header, "pipeline": pipeline}, config)
    begin = time.perf_counter()
    if train_nlu(str(config), str(data), str(folder), fixed_model_name="model") is None:
        raise RuntimeError("nothing was trained")
    return time.perf_counter() - begin


def parse(folder: Path, texts: list[str]) -> dict[str, Any]:
    """The intent of each text, the median time per message and this process's memory peak."""
    from rasa.core.agent import Agent

    agent = Agent.load(str(folder / "model.tar.gz"))

    async def all_of_them() -> tuple[list[str], list[float]]:
        names, times = [], []
        for text in texts[:WARM_UP]:
            await agent.parse_message(text)
        for text in texts:
            begin = time.perf_counter()
            names.append((await agent.parse_message(text))["intent"]["name"])
            times.append(time.perf_counter() - begin)
        return names, times

    names, times = asyncio.run(all_of_them())
    # Not getrusage: its maximum includes the parent at the time of the fork.
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    median = sorted(times)[len(times) // 2]
    return {"names": names, "parse_p50_ms": median * 1000, "peak_rss_mb": int(peak) / 1024}


def own_folds(folder: Path) -> list[tuple[Path, list[Row]]]:
    """(training file, held-out rows) for each fold of our own lines."""
    from rasa.shared.nlu.training_data.loading import load_data
    from rasa.shared.nlu.training_data.training_data import TrainingData

    by_intent = defaultdict(list)
    for example in load_data(str(NLU_DATA)).intent_examples:
        by_intent[example.get("intent")].append(example)
    folds = []
    for fold in range(FOLDS):
        kept, held = [], []
        for name, examples in by_intent.items():
            for i, example in enumerate(examples):
                if i * FOLDS // len(examples) == fold:
                    held.append({"text": example.get("text"), "intent": name, "accept": [name]})
                else:
                    kept.append(example)
        path = folder / f"fold{fold}.yml"
        TrainingData(kept).persist_nlu(str(path))
        folds.append((path, held))
    return folds


def step(task: str, name: str, folder: Path) -> dict[str, Any]:
    """One step for one candidate, in the process made for it."""
    if task == "train":
        return {"train_s": train(CANDIDATES[name], NLU_DATA, folder)}
    if task == "parse":
        return parse(folder, json.loads((folder / "texts.json").read_text()))
    gold, names, seconds = [], [], 0.0
    for data, held in own_folds(folder):
        seconds += train(VARIANTS[name], data, folder)
        names += parse(folder, [row["text"] for row in held])["names"]
        gold += held
    return {"gold": gold, "names": names, "train_s": seconds / FOLDS}


def run_step(task: str, name: str, folder: Path) -> dict[str, Any]:
    """Run a step in a new process."""
    command = [sys.executable, __file__, "--step", task, name, str(folder)]
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "LOG_LEVEL": "ERROR", "TF_CPP_MIN_LOG_LEVEL": "3"}
    paths = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    # Rasa would take what it trained for an earlier candidate from its cache, in no time.
    quiet["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    environment = {**os.environ, **quiet, **paths}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{task} of {name} failed:\n{done.stderr.decode()[-3000:]}")
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


def core_rows(evaldata: Path, quick: bool) -> list[Row]:
    """The core development rows."""
    with (evaldata / "intents.dev.jsonl").open(encoding="utf-8") as lines:
        rows = [row for line in lines if (row := json.loads(line))["tier"] == "core"]
    return rows[::QUICK_ROWS] if quick else rows


def print_row(name: str, result: dict[str, Any], first: dict[str, Any] | None) -> None:
    """One line of the table; costs also as ratios against the first candidate."""
    cells = [f"{result[key]:.3f}" for key in QUALITY]
    for key in COST:
        if key in result:
            ratio = f" ({result[key] / first[key]:.2f}x)" if first else ""
            cells.append(f"{result[key]:.1f}{ratio}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--evaldata", type=Path, default=ROOT / "../shared/evaldata")
    parser.add_argument("--quick", action="store_true", help="every tenth row")
    parser.add_argument("--cross-validate", action="store_true", help="own data only")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these candidates")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        task, name, folder = options.step
        (Path(folder) / "result.json").write_text(json.dumps(step(task, name, Path(folder))))
        return
    sys.dont_write_bytecode = True  # the evaluation folder is read-only
    sys.path.insert(0, str(options.evaldata))
    score_intents = importlib.import_module("score").score_intents
    rows = [] if options.cross_validate else core_rows(options.evaldata, options.quick)
    table = VARIANTS if options.cross_validate else CANDIDATES
    columns = QUALITY + (COST[:1] if options.cross_validate else COST)
    print("| candidate |", " | ".join(columns), "|")
    first = None
    for name in options.only or table:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            if options.cross_validate:
                result = run_step("cross-validate", name, folder)
            else:
                (folder / "texts.json").write_text(json.dumps([row["text"] for row in rows]))
                result = run_step("train", name, folder)
                result |= run_step("parse", name, folder)
        result |= score_intents(result.get("gold", rows), result["names"])
        print_row(name, result, first)
        first = first or result


if __name__ == "__main__":
    main()
