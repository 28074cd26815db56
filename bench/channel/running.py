"""A system of processes that is measured: started, waited for, looked at, ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.prepare import ROOT

LOGS = ROOT / ".state" / "bench-channel"
"""What the processes of the last run printed, by system."""
RASA = "rasa"
READY_SECONDS = 180.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.05


class NotReady(Exception):
    """A process ended or did not become ready; the message names its log."""


@dataclass(frozen=True)
class Started:
    """What is needed to start a process."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


class MeasuredSystem(ABC):
    """Processes by name, the one that is called rasa among them.

    Args:
        title: what the tables call it.
        webhook: where messages are posted.
        signed_url: the address that Twilio would sign.
    """

    def __init__(self, title: str, webhook: str, signed_url: str) -> None:
        self.title = title
        self.webhook = webhook
        self.signed_url = signed_url
        self._logs = LOGS / title
        shutil.rmtree(self._logs, ignore_errors=True)
        self._logs.mkdir(parents=True)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @abstractmethod
    def parts(self) -> Mapping[str, Started]:
        """Every process, rasa last."""

    @abstractmethod
    def is_ready(self, name: str) -> bool:
        """Whether a process does its work."""

    def start(self) -> float:
        """Start everything; the seconds that rasa took to be ready, the others being there.

        Raises:
            NotReady
        """
        others = [name for name in self.parts() if name != RASA]
        for name in others:
            self._spawn(name)
        for name in others:
            self._wait(name)
        return self.start_rasa()

    def start_rasa(self) -> float:
        """Start rasa, again where it runs; the seconds until it is ready.

        Raises:
            NotReady
        """
        self._end([RASA])
        started = time.monotonic()
        self._spawn(RASA)
        self._wait(RASA)
        return time.monotonic() - started

    def stop(self) -> None:
        """End everything that was started."""
        self._end(list(self._processes))

    def memory_mb(self) -> float:
        """What rasa and its children hold in memory."""
        return sum(process.memory_info().rss for process in self._family(RASA)) / 2**20

    def cpu_seconds(self) -> dict[str, float]:
        """The processor time that each process has taken so far."""
        return {name: sum(map(_cpu, self._family(name))) for name in self._processes}

    def _family(self, name: str) -> list[psutil.Process]:
        process = psutil.Process(self._processes[name].pid)
        return [process, *process.children(recursive=True)]

    def _spawn(self, name: str) -> None:
        part = self.parts()[name]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                part.arguments,
                cwd=part.folder,
                env=dict(part.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, name: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready(name):
            if self._processes[name].poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{self.title}: {name} is not ready; see {self._logs / name}.log")
            time.sleep(LOOK_SECONDS)

    def _end(self, names: Sequence[str]) -> None:
        ending = [self._processes.pop(name) for name in names if name in self._processes]
        for process in ending:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in ending:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
