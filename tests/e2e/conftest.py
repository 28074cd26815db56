"""One running system for all end-to-end tests, and one of its own for a module of other settings."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.engine import make_engine, make_sessions
from shop.assembly import make_providers
from shop.service import Shop
from tests.e2e.staff import Staff
from tests.e2e.system import Phone, System
from tests.environment import ENVIRONMENT


@contextmanager
def running(state_dir: Path, settings: Mapping[str, str]) -> Iterator[System]:
    """The whole system, ready; afterwards it is gone, and the environment is what it was."""
    before = dict(os.environ)
    system = System(state_dir, {**ENVIRONMENT, **settings})
    try:
        system.start()
        yield system
    finally:
        system.stop()
        os.environ.clear()
        os.environ.update(before)


def new_state_dir() -> Path:
    """A folder for a system's files, which PostgreSQL's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-e2e-"))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system, ready."""
    with running(new_state_dir(), {}) as system:
        yield system


@pytest.fixture(scope="module")
def system_dir() -> Iterator[Path]:
    """A folder for the files of a module's own system."""
    folder = new_state_dir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def delivering(request: pytest.FixtureRequest, system_dir: Path) -> Iterator[System]:
    """The whole system of a shop that delivers, with the settings that the module names: DELIVERING."""
    with running(system_dir, request.module.DELIVERING) as system:
        yield system


@pytest.fixture(scope="module")
def staff(delivering: System) -> Shop:
    """That shop as its staff works with it."""
    settings = delivering.settings
    sessions = make_sessions(make_engine(delivering.database_url))
    return Shop(sessions, settings.shop, settings.flags, make_providers(settings, sessions))


@pytest.fixture(scope="session")
def system_shop(system: System) -> Shop:
    """The shop of the system that all share, as its staff works with it."""
    settings = system.settings
    sessions = make_sessions(make_engine(system.database_url))
    return Shop(sessions, settings.shop, settings.flags, make_providers(settings, sessions))


@pytest.fixture
def staff_of(system_shop: Shop) -> Callable[[Phone], Staff]:
    """Makes a member of staff who looks after the customer with a phone."""
    return lambda phone: Staff(system_shop, phone)


@pytest.fixture
def new_phone(system: System) -> Callable[[], Phone]:
    """Makes phones with numbers that nobody had before."""
    return lambda: Phone(system, f"+23480{random.randint(20_000_000, 99_999_999)}")
