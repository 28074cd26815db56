"""`make test`: every test, fast ones first, on servers that are made for this run.

python -m tests.run            everything
python -m tests.run NAME ...   only these steps
python -m tests.run channel    the WhatsApp channel: each fault of stock Rasa, a crash at each step

Two workers take one step after the other, each with a PostgreSQL and a Valkey of its own, and a whole system
of its own where a step needs one. What a step printed is shown when it ends; one that hangs is ended, too.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey
from deploy.prepare import ROOT, environment, model_path, rasa_command, rasa_environment
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
CHANNEL_TESTS = ("e2e/test_stock_faults.py", "e2e/test_crash.py")
DIALOGUE_TESTS = ("settings", "whatsapp", "dialogue", "understanding")
WORKERS = 2
STEP_SECONDS = 25 * 60.0
# Beyond this something hangs that no step knows: the stacks of all threads are printed, and the run ends.
RUN_SECONDS = 80 * 60.0

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One part of the run: with an environment, and a file for what it prints; True means passed."""

    name: str
    run: Callable[[Environment, TextIO], bool]
    needs_model: bool = False


class Steps:
    """The steps that are left, in order; who takes one that needs the model waits until it is made."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._left = list(steps)
        self._lock = threading.Lock()
        self._trained = threading.Event()
        if all(step.name != TRAIN for step in steps):
            self._trained.set()

    def take(self) -> Step | None:
        """The next step, or None."""
        with self._lock:
            step = self._left.pop(0) if self._left else None
        if step and step.needs_model:
            self._trained.wait()
        return step

    def ended(self, step: Step) -> None:
        """Say that a step is over, however it ended."""
        if step.name == TRAIN:
            self._trained.set()


def main() -> None:
    """Run the steps and end with 1 if any failed."""
    faulthandler.dump_traceback_later(RUN_SECONDS, exit=True)
    steps = _chosen(sys.argv[1:])
    left = Steps(steps)
    with ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(_work, left) for _ in steps[:WORKERS]]
        failed = [name for worker in workers for name in worker.result()]
    if failed:
        sys.exit(f"chatcart: failed: {', '.join(failed)}")
    print("chatcart: every step passed")


def _chosen(names: Sequence[str]) -> Sequence[Step]:
    """The steps with these names; without names, all."""
    if list(names) == ["channel"]:
        return CHANNEL
    if unknown := set(names) - {step.name for step in STEPS}:
        sys.exit(f"chatcart: no such step: {', '.join(sorted(unknown))}")
    return [step for step in STEPS if not names or step.name in names]


def _work(steps: Steps) -> list[str]:
    """Run steps until none is left; the names of those that failed."""
    failed = []
    with _servers() as servers:
        while step := steps.take():
            try:
                if not _timed(step, servers):
                    failed.append(step.name)
            finally:
                steps.ended(step)
    return failed


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


def _pytest(plane: str, *folders: str, without: Sequence[str] = ()) -> Callable[[Environment, TextIO], bool]:
    def run(env: Environment, printed: TextIO) -> bool:
        paths = [f"tests/{folder}" for folder in folders if (ROOT / "tests" / folder).exists()]
        paths += [f"--ignore=tests/{path}" for path in without]
        return _call([str(environment(plane) / "bin" / "python"), "-m", "pytest", *paths], env, printed)

    return run


def _train(env: Environment, printed: TextIO) -> bool:
    return _call([str(environment("commerce") / "bin" / "python"), "-m", "deploy.model"], env, printed)


def _rasa_test(env: Environment, printed: TextIO) -> bool:
    """Stories through the trained model; without actions, as Rasa does it."""
    results = tempfile.mkdtemp(prefix="chatcart-rasa-test-")
    arguments = ["test", "core", "--model", str(model_path()), "--stories", "tests/stories"]
    arguments += ["--fail-on-prediction-errors", "--out", results]
    passed = _call([rasa_command(), *arguments], {**env, **ENVIRONMENT}, printed)
    shutil.rmtree(results, ignore_errors=True)
    return passed


def _call(arguments: list[str], env: Environment, printed: TextIO) -> bool:
    """Run a command; one that hangs is ended and begun once more, and what it printed tells so."""
    for _ in range(2):
        process = subprocess.Popen(arguments, cwd=ROOT, env=env, stdout=printed, stderr=subprocess.STDOUT)
        try:
            return process.wait(STEP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            _kill(psutil.Process(process.pid))
            process.wait()
            print(f"chatcart: HUNG: ended after {STEP_SECONDS:.0f} s: {arguments}", file=printed, flush=True)
    return False


def _kill(process: psutil.Process) -> None:
    """End a process and all that it started."""
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            one.kill()


PRINTING = threading.Lock()
# The library of the embedded PostgreSQL starts and stops one server at a time: its own lock knows no threads.
STARTING = threading.Lock()
TRAIN = "train"
WHOLE_CHANNEL = Step("channel: whole", _pytest("commerce", *CHANNEL_TESTS), needs_model=True)
CHANNEL = (Step("channel: parts", _pytest("dialogue", "dialogue", "whatsapp")), WHOLE_CHANNEL)
"""What `make test-channel` runs; it is all in `STEPS`, too."""
STEPS = (
    Step("commerce", _pytest("commerce", *COMMERCE_TESTS)),
    Step("dialogue", _pytest("dialogue", *DIALOGUE_TESTS)),
    Step(TRAIN, _train),
    Step("validate", _pytest("commerce", "data")),
    Step("stories", _rasa_test, needs_model=True),
    WHOLE_CHANNEL,
    Step("conversations", _pytest("commerce", CONVERSATIONS), needs_model=True),
    Step("e2e", _pytest("commerce", "e2e", without=(CONVERSATIONS, *CHANNEL_TESTS)), needs_model=True),
    Step("assist", _pytest("commerce", "small_model"), needs_model=True),
)
"""All of `make test`, in the order in which they are taken."""


if __name__ == "__main__":
    main()
