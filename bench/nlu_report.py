"""What the model takes for what: trained on data/nlu but for a fifth of it, which is held out and read.

    .venvs/commerce/bin/python -m bench.nlu_report

The fifth is chosen once and kept in .state/nlu-report-held-out.yml, so that reports are about the same
messages: what is added to data/nlu later is all learnt. (Delete the file to choose anew; nothing is compared
then.) Rasa's own commands train and test; a page and its pictures stand in .state/nlu-report, and what
stood there before is kept beside it and compared.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.nlu_examples import LANGUAGES, examples, plain
from deploy.prepare import ROOT, rasa_command, rasa_environment

REPORT = ROOT / ".state" / "nlu-report"
BEFORE = ROOT / ".state" / "nlu-report-before"
PICTURES = ("intent_confusion_matrix.png", "intent_histogram.png")
HELD_OUT = ROOT / ".state" / "nlu-report-held-out.yml"
ITS_HELD_OUT = "held_out.yml"
"""The same, beside a report that was made with it."""
ONE_OF = 5
MOST_CONFUSIONS, MOST_ERRORS = 15, 60


Line = tuple[str, str]
"""An intent and what means it."""


class ReportFailed(Exception):
    """One of Rasa's commands did not end well; the message names it."""


def rasa(*arguments: str) -> None:
    """Run one of Rasa's commands.

    Raises:
        ReportFailed
    """
    environment = {**os.environ, **rasa_environment()}
    if subprocess.run([rasa_command(), *arguments], cwd=ROOT, env=environment, check=False).returncode != 0:
        raise ReportFailed(f"rasa {' '.join(arguments[:2])} failed")


def evaluate(folder: Path) -> None:
    """Train without what is held out, and read that."""
    learnt = [row for language in LANGUAGES for row in examples(language)]
    held_out = kept(learnt, HELD_OUT)
    train = folder / "training_data.yml"
    as_nlu([row for row in learnt if row not in held_out], train)
    model = ["--out", str(folder), "--fixed-model-name", "model"]
    rasa("train", "nlu", "--nlu", str(train), "--config", "config.yml", *model)
    rasa("test", "nlu", "--nlu", str(HELD_OUT), "--model", str(folder / "model.tar.gz"), "--out", str(REPORT))
    shutil.copy(HELD_OUT, REPORT / ITS_HELD_OUT)


def kept(learnt: Sequence[Line], file: Path) -> frozenset[Line]:
    """What is held out: what the file says; where there is none, one line of five, by its hash."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        as_nlu([row for row in learnt if _number(row[1]) % ONE_OF == 0], file)
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
    return frozenset(
        (entry["intent"], line.removeprefix("- "))
        for entry in entries
        for line in entry["examples"].splitlines()
    )


def as_nlu(rows: Iterable[Line], file: Path) -> None:
    """Write lines as Rasa reads them."""
    by_intent: dict[str, list[str]] = {}
    for intent, line in rows:
        by_intent.setdefault(intent, []).append(line)
    body = ['version: "3.1"', "nlu:"]
    for intent, lines in sorted(by_intent.items()):
        body += [f"  - intent: {intent}", "    examples: |", *(f"      - {line}" for line in lines)]
    file.write_text("\n".join(body) + "\n", encoding="utf-8")


def comparable(report: Path, before: Path) -> bool:
    """Whether both reports were made with the same held-out messages."""
    files = [folder / ITS_HELD_OUT for folder in (report, before)]
    return all(file.exists() for file in files) and files[0].read_bytes() == files[1].read_bytes()


def _number(line: str) -> int:
    return int.from_bytes(hashlib.sha256(plain(line).encode()).digest()[:4], "big")


def intent_figures(folder: Path) -> dict[str, Any]:
    """Rasa's figures for each intent; none if there is no report."""
    path = folder / "intent_report.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def page(now: dict[str, Any], before: dict[str, Any]) -> str:
    """The report as one page."""
    rows = "".join(_row(name, now, before) for name in sorted(now) if isinstance(now[name], dict))
    pictures = "".join(f'<img src="{name}" alt="{name}">' for name in PICTURES)
    return (
        "<!doctype html><meta charset=utf-8><title>Chatcart: what is taken for what</title>"
        "<style>body{font:15px sans-serif;max-width:70rem;margin:2rem auto}td,th{padding:.15rem .8rem;"
        "text-align:left}img{max-width:100%}</style><h1>What is taken for what</h1>"
        f"<p>Of {_count(now)} messages that were held out, right: {now.get('accuracy', 0):.3f}; "
        f"before, of the same messages: {_accuracy(before)}.</p>"
        f"<h2>Worst confusions</h2><ol>{_confusions(now)}</ol><h2>Wrong messages</h2><ul>{_errors()}</ul>"
        "<h2>By intent</h2><table><tr><th>intent<th>examples<th>precision<th>recall<th>F1<th>before"
        "<th>difference</tr>"
        f"{rows}</table>{pictures}"
    )


def _count(figures: dict[str, Any]) -> int:
    return int(figures.get("macro avg", {}).get("support", 0))


def _accuracy(figures: dict[str, Any]) -> str:
    return f"{figures['accuracy']:.3f}" if "accuracy" in figures else "no report"


def _row(name: str, now: dict[str, Any], before: dict[str, Any]) -> str:
    one, old = now[name], before.get(name, {})
    told = "".join(f"<td>{one[key]:.2f}" for key in ("precision", "recall", "f1-score"))
    was = "<td><td>"
    if old:
        was = f"<td>{old['f1-score']:.2f}<td>{one['f1-score'] - old['f1-score']:+.2f}"
    return f"<tr><td>{html.escape(name)}<td>{one['support']:.0f}{told}{was}</tr>"


def _confusions(now: dict[str, Any]) -> str:
    pairs = [
        (times, name, other)
        for name, one in now.items()
        if isinstance(one, dict)
        for other, times in (one.get("confused_with") or {}).items()
    ]
    worst = sorted(pairs, reverse=True)[:MOST_CONFUSIONS]
    return "".join(
        f"<li>{times} × {html.escape(name)} for {html.escape(other)}" for times, name, other in worst
    )


def _errors() -> str:
    path = REPORT / "intent_errors.json"
    errors = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    shown = sorted(errors, key=lambda one: -one["intent_prediction"]["confidence"])[:MOST_ERRORS]
    return "".join(
        f"<li>{html.escape(one['text'])}: {html.escape(one['intent'])}, taken for "
        f"{html.escape(one['intent_prediction']['name'])} ({one['intent_prediction']['confidence']:.2f})"
        for one in shown
    )


def main() -> None:
    """Make the report and say where it is."""
    if REPORT.exists():
        shutil.rmtree(BEFORE, ignore_errors=True)
        REPORT.rename(BEFORE)
    folder = Path(tempfile.mkdtemp(prefix="chatcart-nlu-report-"))
    try:
        evaluate(folder)
    except ReportFailed as failure:
        sys.exit(f"chatcart: {failure}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    before = intent_figures(BEFORE) if comparable(REPORT, BEFORE) else {}
    (REPORT / "index.html").write_text(page(intent_figures(REPORT), before), encoding="utf-8")
    print(f"the report is in {(REPORT / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
