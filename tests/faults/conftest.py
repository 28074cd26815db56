"""What the fault tests share: many buyers, two replicas, a scripted provider, tests in random order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from db.engine import make_engine, make_sessions
from db.models import Product
from settings import Settings
from shop.service import Shop
from tests.commerce_fixtures import ALL_ON, FrozenClock
from tests.faults.crowd import Buyer, bring_buyers
from tests.faults.providers import ScriptedProvider

SEED = os.environ.get("CHATCART_FAULTS_SEED", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of each fault module in a random order where a run asks for that; modules stay together."""
    ours = [item for item in items if "tests/faults" in item.path.as_posix()]
    if not SEED or len(ours) != len(items):
        return
    chance = random.Random(SEED)
    modules = {item.path: chance.random() for item in items}
    items.sort(key=lambda item: (modules[item.path], chance.random()))


@pytest.fixture
def chance() -> random.Random:
    """The run's own chance; another one in every run."""
    return random.Random(SEED or 0)


@pytest.fixture
def scripted() -> ScriptedProvider:
    """A provider that the test directs."""
    return ScriptedProvider()


@pytest.fixture
def make_replica(
    database_url: str, sessions: sessionmaker[Session], settings: Settings, clock: FrozenClock
) -> Iterator[Callable[..., Shop]]:
    """Makes a replica: a shop with connections of its own (20 unless told otherwise)."""
    engines: list[Engine] = []

    def make(provider: Any, url: str = database_url, pool_size: int = 20, **policy: Any) -> Shop:
        engines.append(make_engine(url, pool_size))
        shop_policy = replace(settings.shop, **policy)
        return Shop(make_sessions(engines[-1]), shop_policy, ALL_ON, {provider.name: provider}, clock)

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def scripted_shop(make_replica: Callable[..., Shop], scripted: ScriptedProvider) -> Shop:
    """A replica whose payments go through the scripted provider."""
    return make_replica(scripted)


@pytest.fixture
def make_buyers(sessions: sessionmaker[Session], settings: Settings) -> Callable[..., list[Buyer]]:
    """Makes customers with filled carts: as many as there are carts (lists of lines)."""

    def make(carts: list[list[tuple[Product, int, tuple[Any, ...]]]]) -> list[Buyer]:
        return bring_buyers(sessions, settings, carts)

    return make
