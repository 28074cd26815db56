"""What the model takes for what: trained on four fifths of data/nlu, read with the last.

    .venvs/commerce/bin/python -m bench.nlu_report

Rasa's own commands split, train and test; a page and its pictures stand in .state/nlu-report, and what stood
there before is kept beside it and compared.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.prepare import ROOT, rasa_command, rasa_environment

REPORT = ROOT / ".state" / "nlu-report"
BEFORE = ROOT / ".state" / "nlu-report-before"
PICTURES = ("intent_confusion_matrix.png", "intent_histogram.png")
FRACTION, SEED = "0.8", "7"
MOST_CONFUSIONS, MOST_ERRORS = 15, 60


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
    """Split, train and test into a folder."""
    rasa("data", "split", "nlu", "--training-fraction", FRACTION, "--random-seed", SEED, "--out", str(folder))
    train, test = folder / "training_data.yml", folder / "test_data.yml"
    model = ["--out", str(folder), "--fixed-model-name", "model"]
    rasa("train", "nlu", "--nlu", str(train), "--config", "config.yml", *model)
    rasa("test", "nlu", "--nlu", str(test), "--model", str(folder / "model.tar.gz"), "--out", str(REPORT))


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
        f"<p>Right: {now.get('accuracy', 0):.3f}; before: {_accuracy(before)}.</p>"
        f"<h2>Worst confusions</h2><ol>{_confusions(now)}</ol><h2>Wrong messages</h2><ul>{_errors()}</ul>"
        "<h2>By intent</h2><table><tr><th>intent<th>examples<th>precision<th>recall<th>F1<th>before</tr>"
        f"{rows}</table>{pictures}"
    )


def _accuracy(figures: dict[str, Any]) -> str:
    return f"{figures['accuracy']:.3f}" if "accuracy" in figures else "none"


def _row(name: str, now: dict[str, Any], before: dict[str, Any]) -> str:
    one, old = now[name], before.get(name, {})
    told = "".join(f"<td>{one[key]:.2f}" for key in ("precision", "recall", "f1-score"))
    was = f"{old['f1-score']:.2f}" if old else ""
    return f"<tr><td>{html.escape(name)}<td>{one['support']:.0f}{told}<td>{was}</tr>"


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
    (REPORT / "index.html").write_text(page(intent_figures(REPORT), intent_figures(BEFORE)), encoding="utf-8")
    print(f"the report is in {(REPORT / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
