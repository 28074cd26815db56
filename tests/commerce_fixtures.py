"""Fixtures of the commerce plane: a real PostgreSQL and Valkey, a shop, and the specification's rows.

Servers are the ones that DATABASE_URL and REDIS_HOST name, else embedded ones for this run.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from db.engine import make_engine, make_sessions
from db.models import Base, Customer, Product
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey
from deploy.prepare import migrate
from settings import FeatureFlags, RedisSettings, Settings
from shop.assembly import make_sandbox
from shop.payments.sandbox import SandboxProvider
from shop.service import Caller, Shop
from shop.staff import Passwords
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import Identity
from whatsapp.redis import connect

ALL_ON = FeatureFlags(
    payment_processing=True, customer_recognition=True, order_tracking=True, multi_language=True
)


class FrozenClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """A folder for the embedded servers, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(state_dir: Path) -> Iterator[str]:
    """A database of its own, empty but for the migrations."""
    named = os.environ.get("CHATCART_TEST_DATABASE_URL")
    if named:
        migrate(named)
        yield named
        return
    server = EmbeddedPostgres(state_dir)
    url = server.database_url("chatcart_unit_tests")
    migrate(url)
    yield url
    server.stop()


@pytest.fixture(scope="session")
def redis_settings(state_dir: Path) -> Iterator[RedisSettings]:
    """A real Valkey (or the Redis that CHATCART_TEST_REDIS_PORT names)."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if port:
        yield RedisSettings("127.0.0.1", int(port), os.environ.get("CHATCART_TEST_REDIS_PASSWORD"), False)
        return
    server = EmbeddedValkey(state_dir)
    yield RedisSettings("127.0.0.1", server.port, server.password, False)
    server.stop()


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to the test database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Iterator[sessionmaker[Session]]:
    """Sessions on empty tables; each test finds them empty.

    Rows are deleted, without triggers and checks: to truncate, PostgreSQL makes new files, which takes 150
    times as long.
    """
    names = [table.name for table in Base.metadata.sorted_tables]
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("; ".join(f"DELETE FROM {name}" for name in names)))
        connection.execute(text("INSERT INTO catalogue_version DEFAULT VALUES"))
    yield make_sessions(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One session, committed at the end of the test."""
    with sessions.begin() as session:
        yield session


@pytest.fixture
async def redis(redis_settings: RedisSettings) -> AsyncIterator[Any]:
    """An empty Redis."""
    client = connect(redis_settings)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def clock() -> FrozenClock:
    """The time, which stands still until a test moves it."""
    return FrozenClock()


@pytest.fixture
def sandbox(settings: Settings, sessions: sessionmaker[Session]) -> SandboxProvider:
    """The sandbox payment provider."""
    return make_sandbox(settings, sessions)


@pytest.fixture
def make_shop(
    sessions: sessionmaker[Session], settings: Settings, sandbox: SandboxProvider, clock: FrozenClock
) -> Callable[..., Shop]:
    """Makes a shop; keyword arguments switch feature flags."""

    def make(**flags: bool) -> Shop:
        return Shop(sessions, settings.shop, replace(ALL_ON, **flags), {"sandbox": sandbox}, clock)

    return make


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """A shop with all features on."""
    return make_shop()


@pytest.fixture
def make_product(sessions: sessionmaker[Session]) -> Callable[..., Product]:
    """Makes a product in its own transaction; the specification's `Test Burger` unless told otherwise."""

    def make(**values: Any) -> Product:
        defaults = {
            "name": "Test Burger",
            "price": Decimal("5500.00"),
            "category": "Burgers",
            "stock_quantity": 50,
            "sku": f"SKU-{values.get('name', 'Test Burger')}",
        }
        with sessions.begin() as session:
            product = Product(**{**defaults, **values})
            session.add(product)
        return product

    return make


@pytest.fixture
def test_burger(make_product: Callable[..., Product]) -> Product:
    """The specification's product: `Test Burger`, 5500.00, in `Burgers`."""
    return make_product()


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    """Passwords that are hashed with less work than real ones, so that tests need not wait."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=1024))


@pytest.fixture
def caller(settings: Settings) -> Callable[..., Caller]:
    """Makes a caller: the specification's `Test Customer`, with a new message unless one is named."""
    identity = Identity(settings.privacy)
    count = iter(range(1, 10_000))

    def make(number: str = CUSTOMER_NUMBER, message_id: str | None = None, command_number: int = 1) -> Caller:
        return Caller(
            lookup=identity.pseudonym(number),
            message_id=message_id or f"SM{next(count):032d}",
            command_number=command_number,
            address=identity.seal(number),
            profile_name="Test Customer",
        )

    return make


@pytest.fixture
def customer(shop: Shop, caller: Callable[..., Caller]) -> Customer:
    """`Test Customer`, known to the shop."""
    from shop.customers import recognise

    who = caller()
    return shop.run(lambda work: recognise(work, who.lookup, who.address, who.profile_name))
