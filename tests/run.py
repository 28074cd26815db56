"""`make test`: every test, fast ones first, on servers that are made for this run.

python -m tests.run            everything
python -m tests.run NAME ...   only these steps
python -m tests.run channel    the WhatsApp channel: each fault of stock Rasa, a crash at each step

Two lanes run at the same time, each with a PostgreSQL and a Valkey of its own, and a whole system of its own
where its steps need one; what a step printed is shown when it ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey
from deploy.prepare import ROOT, environment, model_path, prepare_model, rasa_command, rasa_environment
from tests.environment import ENVIRONMENT

COMMERCE_TESTS = (
    "settings",
    "shop",
    "db",
    "actions",
    "assist",
    "whatsapp",
    "jobs",
    "web",
    "deploy",
    "faults/fast",
)
CONVERSATIONS = "e2e/test_conversations.py"
DIALOGUE_TESTS = ("settings", "whatsapp", "dialogue", "understanding")


Environment = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One part of the run: with an environment, and a file for what it prints; True means passed."""

    name: str
    run: Callable[[Environment, TextIO], bool]


def main() -> None:
    """Run the steps and end with 1 if any failed."""
    chosen = sys.argv[1:]
    failed: list[str] = []
    for lanes in CHANNEL if chosen == ["channel"] else _only(chosen):
        with ThreadPoolExecutor(len(lanes)) as pool:
            for missed in pool.map(_run_lane, lanes):
                failed += missed
    if failed:
        sys.exit(f"chatcart: failed: {', '.join(failed)}")
    print("chatcart: every step passed")


def _only(chosen: Sequence[str]) -> Iterator[tuple[tuple[Step, ...], ...]]:
    """The lanes of the steps that were chosen; without a choice, all."""
    for lanes in STEPS:
        left = (tuple(step for step in lane if not chosen or step.name in chosen) for lane in lanes)
        if wanted := tuple(lane for lane in left if lane):
            yield wanted


def _run_lane(lane: Sequence[Step]) -> list[str]:
    """Run steps one after the other; the names of those that failed."""
    with _servers() as servers:
        return [step.name for step in lane if not _timed(step, servers)]


@contextmanager
def _servers() -> Iterator[Environment]:
    """A PostgreSQL and a Valkey, as the tests find them."""
    state_dir = Path(tempfile.mkdtemp(prefix="chatcart-test-"))
    state_dir.chmod(0o755)
    with STARTING:
        postgres, valkey = EmbeddedPostgres(state_dir), EmbeddedValkey(state_dir)
    try:
        yield {
            "CHATCART_TEST_DATABASE_URL": postgres.database_url("chatcart_unit_tests"),
            "CHATCART_TEST_REDIS_PORT": str(valkey.port),
            "CHATCART_TEST_REDIS_PASSWORD": valkey.password,
        }
    finally:
        with STARTING:
            valkey.stop()
            postgres.stop()
        shutil.rmtree(state_dir, ignore_errors=True)


def _timed(step: Step, servers: Environment) -> bool:
    print(f"== {step.name} begins", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        passed = step.run({**os.environ, **rasa_environment(), **servers}, printed)
        seconds = time.monotonic() - started
        printed.seek(0)
        with PRINTING:
            print(f"\n== {step.name}\n{printed.read()}", end="")
            print(f"== {step.name}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
    return passed


def _pytest(plane: str, *folders: str, without: str = "") -> Callable[[Environment, TextIO], bool]:
    def run(env: Environment, printed: TextIO) -> bool:
        paths = [f"tests/{folder}" for folder in folders if (ROOT / "tests" / folder).exists()]
        if without:
            paths.append(f"--ignore=tests/{without}")
        return _call([str(environment(plane) / "bin" / "python"), "-m", "pytest", *paths], env, printed)

    return run


def _train(_: Environment, printed: TextIO) -> bool:
    prepare_model(ROOT / ".state" / "logs" / "training.log", lambda line: print(line, file=printed))
    return True


def _rasa_test(env: Environment, printed: TextIO) -> bool:
    """Stories through the trained model; without actions, as Rasa does it."""
    results = tempfile.mkdtemp(prefix="chatcart-rasa-test-")
    arguments = ["test", "core", "--model", str(model_path()), "--stories", "tests/stories"]
    arguments += ["--fail-on-prediction-errors", "--out", results]
    passed = _call([rasa_command(), *arguments], {**env, **ENVIRONMENT}, printed)
    shutil.rmtree(results, ignore_errors=True)
    return passed


def _call(arguments: list[str], env: Environment, printed: TextIO) -> bool:
    done = subprocess.run(arguments, cwd=ROOT, env=env, check=False, stdout=printed, stderr=subprocess.STDOUT)
    return done.returncode == 0


PRINTING = threading.Lock()
# The library of the embedded PostgreSQL starts and stops one server at a time: its own lock knows no threads.
STARTING = threading.Lock()
CHANNEL = (
    ((Step("channel: parts", _pytest("dialogue", "dialogue", "whatsapp")),),),
    ((Step("channel: whole", _pytest("commerce", "e2e/test_stock_faults.py", "e2e/test_crash.py")),),),
)
"""What `make test-channel` runs; it is all in `STEPS`, too."""
STEPS = (
    (
        (Step("commerce", _pytest("commerce", *COMMERCE_TESTS)),),
        (
            Step("dialogue", _pytest("dialogue", *DIALOGUE_TESTS)),
            Step("train", _train),
            Step("validate", _pytest("commerce", "data")),
            Step("stories", _rasa_test),
        ),
    ),
    (
        (Step("conversations", _pytest("commerce", CONVERSATIONS)),),
        (
            Step("e2e", _pytest("commerce", "e2e", without=CONVERSATIONS)),
            Step("assist", _pytest("commerce", "small_model")),
        ),
    ),
)
"""One after the other; of each, all lanes at the same time; of a lane, its steps in order."""


if __name__ == "__main__":
    main()
