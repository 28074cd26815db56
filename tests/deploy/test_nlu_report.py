"""`make nlu-report`: the same messages are read before and after, and the difference is told by intent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import nlu_report

LEARNT = [("greet", f"hello number {number} over there") for number in range(200)]


def figures(greet: float, accuracy: float) -> dict[str, Any]:
    """What Rasa says of one intent."""
    one = {"precision": 1.0, "recall": 1.0, "f1-score": greet, "support": 40, "confused_with": {}}
    return {"greet": one, "accuracy": accuracy, "macro avg": {**one, "support": 40}}


def test_what_is_held_out_stays_the_same_when_examples_are_added(tmp_path: Path) -> None:
    file = tmp_path / "held-out.yml"
    first = nlu_report.kept(LEARNT, file)
    assert 20 < len(first) < 60
    added = [("greet", f"how body number {number}") for number in range(200)]
    assert nlu_report.kept([*LEARNT, *added], file) == first
    assert nlu_report.kept(LEARNT[::-1], tmp_path / "another.yml") == first, "by the line alone"


def test_reports_of_other_messages_are_not_compared(tmp_path: Path) -> None:
    now, before = tmp_path / "now", tmp_path / "before"
    for folder in (now, before):
        folder.mkdir()
        (folder / nlu_report.ITS_HELD_OUT).write_text("nlu: []")
    assert nlu_report.comparable(now, before)
    (before / nlu_report.ITS_HELD_OUT).write_text("nlu: [1]")
    assert not nlu_report.comparable(now, before)
    (before / nlu_report.ITS_HELD_OUT).unlink()
    assert not nlu_report.comparable(now, before)


def test_the_difference_is_told_by_intent() -> None:
    page = nlu_report.page(figures(0.95, 0.9), figures(0.9, 0.85))
    assert "Of 40 messages that were held out, right: 0.900; before, of the same messages: 0.850" in page
    assert "<td>0.90<td>+0.05</tr>" in page
    assert "no report" in nlu_report.page(figures(0.95, 0.9), {})
