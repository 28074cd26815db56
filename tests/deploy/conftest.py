"""What the tests of the container set-up and of the operators' programs share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The file as it is written."""
    parsed = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(parsed, dict)
    return parsed


@pytest.fixture(scope="module")
def services(document) -> dict[str, Any]:
    return document["services"]


def run_program(module: str, *arguments: str, typed: str = "", **environment: str) -> tuple[int, str, str]:
    """Run an operator's program as a process, with this on its standard input; its exit code, output and
    errors."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
