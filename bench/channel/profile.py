"""Where Chatcart's processes spend their time under load: their main threads, looked at as they run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bench.channel.conversation import lines
from bench.channel.place import open_place
from bench.channel.running import LOGS, MeasuredSystem, Started

PROFILES = LOGS.parent / "bench-channel-profiles"
LOOKING = Path(__file__).parent / "profiling"
API_MILLISECONDS, TURNS = 50, 10


async def profile(conversations: int) -> None:
    """Load Chatcart alone, and print the file with what each process did."""
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir(parents=True)
    async with open_place(stock=False) as place:
        system = place.chatcart
        _look_at(system)
        system.start()
        await place.load.delay(API_MILLISECONDS)
        await place.load.run(system, conversations, lines(TURNS))
        (PROFILES / "on").touch()
        outcome = await place.load.run(system, conversations, lines(TURNS))
        (PROFILES / "on").unlink()
    print(f"{outcome.per_second:.1f} replies /s at {conversations} conversations, while looked at")
    for name, seconds in outcome.cpu.items():
        print(f"  {name}: {seconds / max(len(outcome.replies), 1) * 1000:.1f} ms of processor a reply")
    for file in sorted(PROFILES.glob("*.txt")):
        print(f"  {file}: {file.read_text().splitlines()[0]}")


def _look_at(system: MeasuredSystem) -> None:
    parts = system.parts()

    def looked_at() -> Mapping[str, Started]:
        return {name: _with_looking(part) for name, part in parts.items()}

    system.parts = looked_at  # type: ignore[method-assign]


def _with_looking(part: Started) -> Started:
    path = os.pathsep.join((str(LOOKING), part.environment["PYTHONPATH"]))
    environment = {**part.environment, "PYTHONPATH": path, "BENCH_PROFILE": str(PROFILES)}
    return replace(part, environment=environment)
