"""`make test-faults RUNS=20`: the promises about money and stock, broken into as hard as we can, run by run.

Each run has servers of its own (the embedded PostgreSQL, Debian's 15 where it is installed, Valkey, and a
whole system), another seed for hypothesis, and another order of the tests. SEED=n repeats run n alone.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers import EmbeddedValkey
from deploy.prepare import ROOT, rasa_environment
from tests.faults.postgres import PostgresServer, available

DATABASE_TESTS = ("tests/faults/fast", "tests/faults/whole")
SYSTEM_TESTS = ("tests/faults/system",)
QUICK = ("-cfsync=off", "-cmax_wal_size=2GB")
"""No machine loses its power here: a server that is killed keeps what it told the kernel."""
MOST_SECONDS = 900
COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


@dataclass(frozen=True)
class Result:
    """What became of one part of a run."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    log: Path

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.name} {self.passed} passed, {self.failed} failed{skipped} in {self.seconds:.0f} s"


def main() -> None:
    """Run all runs; end with 1 if any promise was broken."""
    arguments = _arguments()
    logs = Path(tempfile.mkdtemp(prefix="chatcart-faults-logs-"))
    if "15" not in available():
        print("chatcart: PostgreSQL 15 is not installed here (/usr/lib/postgresql/15/bin): left out")
    violations = 0
    for number in range(1, arguments.runs + 1):
        seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
        started = time.monotonic()
        results = _run(seed, logs / f"run-{number}", arguments.parts)
        failed = sum(result.failed for result in results)
        violations += failed
        told = "; ".join(map(str, results))
        print(
            f"run {number} (SEED={seed}): {failed} violations in {time.monotonic() - started:.0f} s: {told}",
            flush=True,
        )
        for result in results:
            if result.failed:
                print(_failures(result.log), flush=True)
    print(f"{arguments.runs} runs, {violations} violations")
    if violations:
        sys.exit(f"chatcart: see {logs}")
    shutil.rmtree(logs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None, help="the seed of the run to repeat")
    parser.add_argument("parts", nargs="*", help="18, 15, system; all without names")
    return parser.parse_args()


def _run(seed: int, logs: Path, parts: list[str]) -> list[Result]:
    """One run: the databases one after the other, the system beside them."""
    logs.mkdir()
    versions = [version for version in available() if not parts or version in parts]

    def databases() -> list[Result]:
        return [_database_tests(version, seed, logs) for version in versions]

    def system() -> list[Result]:
        wanted = not parts or "system" in parts
        return [_pytest("system", SYSTEM_TESTS, seed, logs, {})] if wanted else []

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(databases), pool.submit(system)
        return [*first.result(), *second.result()]


def _database_tests(version: str, seed: int, logs: Path) -> Result:
    with _servers(version) as environment:
        return _pytest(f"PostgreSQL {version}", DATABASE_TESTS, seed, logs, environment)


@contextmanager
def _servers(version: str) -> Iterator[dict[str, str]]:
    """A PostgreSQL of this version and a Valkey, for one run."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-faults-"))
    folder.chmod(0o755)
    postgres = PostgresServer(folder / "postgres", available()[version], *QUICK)
    valkey = EmbeddedValkey(folder)
    try:
        yield {
            "CHATCART_TEST_DATABASE_URL": postgres.database_url("chatcart_faults"),
            "CHATCART_TEST_REDIS_PORT": str(valkey.port),
            "CHATCART_TEST_REDIS_PASSWORD": valkey.password,
        }
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _pytest(
    name: str, folders: tuple[str, ...], seed: int, logs: Path, environment: dict[str, str]
) -> Result:
    log = logs / f"{name.replace(' ', '-')}.log"
    command = [sys.executable, "-m", "pytest", "--tb=short", f"--hypothesis-seed={seed}", *folders]
    started = time.monotonic()
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **rasa_environment(), "CHATCART_FAULTS_SEED": str(seed), **environment},
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
        try:
            code = process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
    counts = {kind: int(count) for count, kind in COUNTED.findall(log.read_text(errors="replace")[-2000:])}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    # A run that ended otherwise than by its tests (stuck, nothing collected) is a violation, too.
    failed = failed or int(code != 0)
    return Result(
        name, counts.get("passed", 0), failed, counts.get("skipped", 0), time.monotonic() - started, log
    )


def _failures(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines if line.startswith(("FAILED", "ERROR"))) or f"  see {log}"


if __name__ == "__main__":
    main()
