"""`make bench-llm` goes by what the bot goes by: the messages that it asks about are the bot's."""

from __future__ import annotations

import pytest
import yaml

from actions.base import ShopAction
from actions.server import make_executor
from bench.llm_accuracy import GUESSED, by_confidence, unsure
from deploy.prepare import ROOT


def row(guess: str, confidence: float = 0.9, **doubts: object) -> dict[str, object]:
    """A message as the pipeline reads it."""
    told = {"lines": False, "unknown": False, "asked": "zxqv wvut", "accept": [guess]}
    return {"text": "...", "guess": guess, "confidence": confidence, **told, **doubts}


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        (row("out_of_scope"), True),
        (row("browse_menu", 0.29), True),
        (row("browse_menu", 0.31), False),
        (row("complaint", 0.1), False),
        (row("select_product", lines=True), False),
        (row("select_product", lines=True, unknown=True), True),
        (row("search_product"), True),
    ],
)
def test_it_asks_about_what_the_bot_asks_about(message, asked):
    assert bool(unsure([message], None)) is asked


def test_what_actions_doubt_is_what_the_rules_lead_to_them(shop, settings):
    executor = make_executor(shop, settings, None, None)
    actions = [getattr(run, "__self__", None) for run in executor.actions.values()]
    doubting = {each.name() for each in actions if isinstance(each, ShopAction) and each.is_guessed}
    rules = [
        rule
        for path in (ROOT / "data" / "rules").glob("*.yml")
        for rule in yaml.safe_load(path.read_text(encoding="utf-8")).get("rules", ())
    ]
    led_to: set[str] = set()
    for rule in rules:
        steps = rule["steps"]
        for step, following in zip(steps, steps[1:], strict=False):
            if "intent" in step and following.get("action") in doubting:
                led_to.add(step["intent"])
    assert led_to == GUESSED


def test_how_sure_is_compared_with_how_right():
    rows = [row("browse_menu", 0.1), row("browse_menu", 0.9), row("browse_menu", 0.9, accept=["help"])]
    told = {name: (share, count) for name, share, count in by_confidence(rows)}
    assert told["0.00 to 0.30"] == (1.0, 1) and told["0.30 to 1.00"] == (0.5, 2)
