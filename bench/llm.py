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
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

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
WRONG = 0.2


def default_rows() -> tuple[Path, Path | None]:
    """The rows and the menu that are there."""
    rows = SETS / "intents.dev.jsonl"
    return (rows, SETS / "menu_fastfood_multidogo.json") if rows.exists() else (OWN, None)


async def accuracy(rows: list[Row], menu: Path | None, llm: LlmSettings | None) -> None:
    """Print what is understood of the unsure messages, without and with help."""
    asked = llm_accuracy.unsure(rows)
    alone = Outcome(len(asked), sum(row["guess"] in row["accept"] for row in asked))
    measured = [("without", alone)]
    with TemporaryDirectory(prefix="chatcart-bench-") as folder:
        valkey = EmbeddedValkey(Path(folder))
        redis = RedisSettings("127.0.0.1", valkey.port, valkey.password, False)
        settings = replace(read_settings(), redis=redis)
        try:
            for name, wrong in (("oracle, always right", 0.0), (f"oracle, wrong in {WRONG:.0%}", WRONG)):
                async with standing_in(llm_accuracy.oracle(asked, wrong)) as server:
                    answer = llm_accuracy.ask(asked, settings, LlmSettings(server.base_url, name), menu)
                    measured.append((name, await answer))
            if llm is not None:
                measured.append((llm.model, await llm_accuracy.ask(asked, settings, llm, menu)))
        finally:
            valkey.stop()
    print_head(["model", "unsure", "of 1,000", "understood", "asked in vain", "calls of 1,000", "p50 ms"])
    for name, outcome in measured:
        print_row(cells_of(name, outcome, len(rows)))


def cells_of(name: str, outcome: Outcome, all_rows: int) -> list[str]:
    """One row of the table."""
    return [
        name,
        str(outcome.messages),
        f"{1000 * outcome.messages / all_rows:.0f}",
        f"{outcome.understood / max(outcome.messages, 1):.3f}",
        f"{outcome.in_vain / max(outcome.messages, 1):.3f}",
        f"{1000 * outcome.calls / all_rows:.0f}",
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
    given = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    lines = given.rows.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("tier", "core") == "core"]
    step = max(1, len(rows) // given.most)
    llm = LlmSettings(given.base_url, given.model) if given.base_url else None
    print(f"{os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.1f}")
    asyncio.run(accuracy(llm_accuracy.guessed(rows[::step], given.menu), given.menu, llm))
    sys.exit(0 if waiting() else 1)


if __name__ == "__main__":
    main()
