"""Chatcart's processes on one machine: how each is started, and how to tell that it is ready."""

from __future__ import annotations

import os
import shlex
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from deploy.prepare import ROOT, environment, serving_command
from settings import Settings
from whatsapp.redis import SENDER_BEAT_KEY, connection_options

MARK = "CHATCART_LAUNCHED_FROM"
"""Every process that is started here carries it, so that leftovers of a killed start are known."""
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Command:
    """A process by the name that the Procfile gives it."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        """The command as a shell takes it."""
        return "exec " + shlex.join(self.arguments)


def commands(settings: Settings, model: Path) -> list[Command]:
    """The four processes, as the Procfile has them; of action servers as many as are wanted."""
    python = str(environment("commerce") / "bin" / "python")
    rasa = [
        *serving_command(), "run", "--model", str(model), "--interface", settings.bind_host,
        "--port", str(settings.rasa_port), "--credentials", "credentials.yml",
        "--endpoints", "endpoints.yml",
    ]  # fmt: skip
    return [
        *_action_servers(settings, python),
        Command("web", (python, "-m", "web")),
        Command("sender", (python, "-m", "jobs")),
        Command("rasa", tuple(rasa)),
    ]


def _action_servers(settings: Settings, python: str) -> list[Command]:
    names = ["actions", *(f"actions.{number}" for number in range(2, settings.actions_processes + 1))]
    return [Command(name, (python, "-m", "actions.server")) for name in names]


def is_ready(name: str, settings: Settings) -> bool:
    """Whether a process does its work."""
    if name == "sender":
        return _sender_beats(settings)
    addresses = {
        "actions": f"http://127.0.0.1:{settings.actions_port}/health",
        "web": f"http://127.0.0.1:{settings.port}/health/live",
        "rasa": f"http://127.0.0.1:{settings.rasa_port}/webhooks/whatsapp/",
    }
    try:
        with urllib.request.urlopen(addresses[name], timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def end_leftovers(state_dir: Path) -> int:
    """End the processes that an earlier start of this STATE_DIR left behind; how many."""
    mark = str(state_dir.resolve())
    leftovers = []
    for process in psutil.process_iter(["pid"]):
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                process.send_signal(signal.SIGTERM)
                leftovers.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    _, alive = psutil.wait_procs(leftovers, timeout=STOP_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
    return len(leftovers)


def process_environment(state_dir: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process: ours, the mark, and what the launcher found out."""
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        MARK: str(state_dir.resolve()),
        **extra,
    }


def wait_until_ready(names: list[str], settings: Settings, seconds: float) -> list[str]:
    """Wait for processes; the names of those that are not ready in time."""
    waiting = list(names)
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        waiting = [name for name in waiting if not is_ready(name, settings)]
        if waiting:
            time.sleep(0.2)
    return waiting


def _sender_beats(settings: Settings) -> bool:
    client = redis.Redis(**connection_options(settings.redis))
    try:
        return bool(client.exists(SENDER_BEAT_KEY))
    except redis.RedisError:
        return False
