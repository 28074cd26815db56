"""`make test`: every test, fast ones first, on one PostgreSQL and one Valkey made for this run.

python -m tests.run            everything
python -m tests.run NAME ...   only these steps
python -m tests.run channel    the WhatsApp channel: each fault of stock Rasa, a crash at each step
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
DIALOGUE_TESTS = ("settings", "whatsapp", "dialogue", "understanding")


@dataclass(frozen=True)
class Step:
    """One part of the run; True means passed."""

    name: str
    run: Callable[[dict[str, str]], bool]


def main() -> None:
    """Run the steps and end with 1 if any failed."""
    chosen = sys.argv[1:]
    state_dir = Path(tempfile.mkdtemp(prefix="chatcart-test-"))
    state_dir.chmod(0o755)
    postgres, valkey = EmbeddedPostgres(state_dir), EmbeddedValkey(state_dir)
    servers = {
        "CHATCART_TEST_DATABASE_URL": postgres.database_url("chatcart_unit_tests"),
        "CHATCART_TEST_REDIS_PORT": str(valkey.port),
        "CHATCART_TEST_REDIS_PASSWORD": valkey.password,
    }
    try:
        steps = CHANNEL if chosen == ["channel"] else [step for step in STEPS if _wanted(step, chosen)]
        failed = [step.name for step in steps if not _timed(step, servers)]
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(state_dir, ignore_errors=True)
    if failed:
        sys.exit(f"chatcart: failed: {', '.join(failed)}")
    print("chatcart: every step passed")


def _wanted(step: Step, chosen: list[str]) -> bool:
    return not chosen or step.name in chosen


def _timed(step: Step, servers: dict[str, str]) -> bool:
    print(f"\n== {step.name}", flush=True)
    started = time.monotonic()
    passed = step.run({**os.environ, **rasa_environment(), **servers})
    print(
        f"== {step.name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return passed


def _pytest(plane: str, *folders: str) -> Callable[[dict[str, str]], bool]:
    def run(env: dict[str, str]) -> bool:
        paths = [f"tests/{folder}" for folder in folders if (ROOT / "tests" / folder).exists()]
        return _call([str(environment(plane) / "bin" / "python"), "-m", "pytest", *paths], env)

    return run


def _train(_: dict[str, str]) -> bool:
    prepare_model(ROOT / ".state" / "logs" / "training.log", print)
    return True


def _rasa_test(env: dict[str, str]) -> bool:
    """Stories through the trained model; without actions, as Rasa does it."""
    results = tempfile.mkdtemp(prefix="chatcart-rasa-test-")
    arguments = ["test", "core", "--model", str(model_path()), "--stories", "tests/stories"]
    arguments += ["--fail-on-prediction-errors", "--out", results]
    passed = _call([rasa_command(), *arguments], {**env, **ENVIRONMENT})
    shutil.rmtree(results, ignore_errors=True)
    return passed


def _call(arguments: list[str], env: dict[str, str]) -> bool:
    return subprocess.run(arguments, cwd=ROOT, env=env, check=False).returncode == 0


CHANNEL = (
    Step("channel: parts", _pytest("dialogue", "dialogue", "whatsapp")),
    Step("channel: whole", _pytest("commerce", "e2e/test_stock_faults.py", "e2e/test_crash.py")),
)
"""What `make test-channel` runs; it is all in `STEPS`, too."""
STEPS = (
    Step("commerce", _pytest("commerce", *COMMERCE_TESTS)),
    Step("dialogue", _pytest("dialogue", *DIALOGUE_TESTS)),
    Step("train", _train),
    Step("validate", _pytest("commerce", "data")),
    Step("stories", _rasa_test),
    Step("e2e", _pytest("commerce", "e2e")),
)


if __name__ == "__main__":
    main()
