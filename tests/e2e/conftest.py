"""One running system for all end-to-end tests."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.system import Phone, System
from tests.environment import ENVIRONMENT


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system, ready."""
    before = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="chatcart-e2e-"))
    folder.chmod(0o755)
    system = System(folder, ENVIRONMENT)
    try:
        system.start()
        yield system
    finally:
        system.stop()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def new_phone(system: System) -> Callable[[], Phone]:
    """Makes phones with numbers that nobody had before."""
    return lambda: Phone(system, f"+23480{random.randint(20_000_000, 99_999_999)}")
