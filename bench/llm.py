"""What a language model adds, and whether others wait for it.

    python -m bench.llm [--rows intents.jsonl] [--menu menu.json] [--base-url URL --model NAME]

Rows are `{"text", "intent", "accept"}`; without a file, the evaluation set beside the checkout is read
(CHATCART_EVALDATA), of which nothing is part of the project, else a few messages of our own. An oracle is no
model: it knows the answers, and shows what a model could add at most. With an address, a real server is
measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from actions.proposing import UNSURE
from bench import llm_accuracy, llm_waiting
from bench.llm_accuracy import Outcome, Row
from bench.place import open_place
from bench.report import print_head, print_row
from deploy.local.servers import EmbeddedValkey
from deploy.prepare import ROOT
from settings import LlmSettings, RedisSettings, read_settings
from tests.assist.stand_in import standing_in
from tests.environment import ENVIRONMENT

SETS = Path(os.environ.get("CHATCART_EVALDATA", ROOT.parent / "shared" / "evaldata"))
OWN = Path(__file__).parent / "llm_messages.jsonl"
ORACLES = (("upper bound (an oracle)", 0.0), ("upper bound, wrong in 20 %", 0.2))
"""No models: they know the answers, and are wrong in a share of the cases."""


def default_rows() -> tuple[Path, Path | None]:
    """The rows and the menu that are there."""
    rows = SETS / "intents.dev.jsonl"
    return (rows, SETS / "menu_fastfood_multidogo.json") if rows.exists() else (OWN, None)


def calibration(rows: Iterable[Row]) -> None:
    """Print how often guesses that an action may doubt are right, by how sure the pipeline is of them: why it
    doubts those under `UNSURE`."""
    print(f"\nThe bot doubts a guess under {UNSURE:.2f}")
    print_head(["confidence", "guesses", "right"])
    for name, share, count in llm_accuracy.by_confidence(rows):
        print_row([name, str(count), f"{share:.3f}"])


async def accuracy(
    rows: list[Row], menu: Path | None, llm: LlmSettings | None, most_asked: int | None
) -> None:
    """Print what is understood of the unsure messages, without and with help. A real model is asked about
    `most_asked` of them, evenly spread (None: all)."""
    asked = llm_accuracy.unsure(rows, menu)
    alone = Outcome(len(asked), sum(row["guess"] in row["accept"] for row in asked))
    measured = [("without", alone)]
    with TemporaryDirectory(prefix="chatcart-bench-") as folder:
        valkey = EmbeddedValkey(Path(folder))
        redis = RedisSettings("127.0.0.1", valkey.port, valkey.password, False)
        settings = replace(read_settings(), redis=redis)
        try:
            for name, wrong in ORACLES:
                async with standing_in(llm_accuracy.oracle(asked, wrong)) as server:
                    answer = llm_accuracy.ask(asked, settings, LlmSettings(server.base_url, name), menu)
                    measured.append((name, await answer))
            if llm is not None:
                some = asked[:: -(-len(asked) // most_asked)] if most_asked else asked
                right = sum(row["guess"] in row["accept"] for row in some)
                measured.append((f"without, of {len(some)}", Outcome(len(some), right)))
                measured.append((llm.model, await llm_accuracy.ask(some, settings, llm, menu)))
        finally:
            valkey.stop()
    print(f"\n{len(rows)} messages; the bot is unsure of {len(asked)} of them, by its own rules")
    print_head(["model", "unsure", "of 1,000", "understood", "asked in vain", "calls of 1,000", "p50 ms"])
    for name, outcome in measured:
        print_row(cells_of(name, outcome, len(rows), len(asked)))


def cells_of(name: str, outcome: Outcome, all_rows: int, unsure: int) -> list[str]:
    """One row of the table; calls are told of all messages, also where some alone were asked about."""
    calls = outcome.calls * unsure / max(outcome.messages, 1)
    return [
        name,
        str(outcome.messages),
        f"{1000 * unsure / all_rows:.0f}",
        f"{outcome.understood / max(outcome.messages, 1):.3f}",
        f"{outcome.in_vain / max(outcome.messages, 1):.3f}",
        f"{1000 * calls / all_rows:.0f}",
        f"{1000 * outcome.p50:.0f}",
    ]


def waiting() -> bool:
    """Print what other customers notice while the model hangs; whether the target is met."""
    with open_place() as place:
        without, beside = llm_waiting.measure(place)
    print_head(["turns of others", "without ms", "beside a hanging model ms", "median ratio"])
    met = True
    for name, at in (("p50", 0), ("p95", 1)):
        ratio = statistics.median(b[at] / w[at] for w, b in zip(without, beside, strict=True))
        told = [statistics.median(figures[at] for figures in each) for each in (without, beside)]
        print_row([name, *(f"{1000 * each:.1f}" for each in told), f"{ratio:.2f}"])
        met = met and ratio <= llm_waiting.TARGET
    return met


def main() -> None:
    """Measure and print; exit with 1 where others wait more than a fifth longer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    found, menu = default_rows()
    parser.add_argument("--rows", type=Path, default=found)
    parser.add_argument("--menu", type=Path, default=menu)
    parser.add_argument("--base-url", default="")
    parser.add_argument("--model", default="model")
    parser.add_argument("--most", type=int, default=2000, help="rows that are read")
    parser.add_argument("--most-asked", type=int, help="messages that the real model is asked about")
    parser.add_argument("--deadline", type=float, default=1.5, help="seconds for the real model")
    given = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    lines = given.rows.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("tier", "core") == "core"]
    step = max(1, len(rows) // given.most)
    llm = (
        LlmSettings(given.base_url, given.model, deadline_seconds=given.deadline) if given.base_url else None
    )
    print(f"{os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.1f}")
    guessed = llm_accuracy.guessed(rows[::step], given.menu)
    calibration(guessed)
    asyncio.run(accuracy(guessed, given.menu, llm, given.most_asked))
    sys.exit(0 if waiting() else 1)


if __name__ == "__main__":
    main()
