"""PostgreSQL is restarted in earnest, between a COMMIT and its answer: the same command again, one order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import make_engine
from db.models import CommandResult, Order, OutboxEvent, Payment
from deploy.prepare import migrate
from shop import orders
from shop.payments import flow
from tests.e2e.tap import Tap, TapLoop
from tests.faults.crowd import Crowd, bring_buyers
from tests.faults.ledger import check_orders, check_stock
from tests.faults.postgres import PostgresServer, available

STOCK = 5


@pytest.fixture(scope="module", params=["18", "15"])
def server(request) -> Iterator[PostgresServer]:
    """A server that may be stopped in the middle of everything."""
    versions = available()
    if request.param not in versions:
        pytest.skip(f"PostgreSQL {request.param} is not installed")
    folder = Path(tempfile.mkdtemp(prefix="chatcart-restart-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "postgres", versions[request.param])
    yield server
    server.stop(at_once=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def database_url(server):
    """Its database, in place of the one that other tests share."""
    url = server.database_url("chatcart_restart")
    migrate(url)
    return url


@pytest.fixture(scope="module")
def engine(database_url):
    """Connections that look past the tap."""
    engine = make_engine(database_url, 2)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def tap(server, tmp_path_factory) -> Iterator[Tap]:
    """A tap on the server's socket."""
    loop = TapLoop()
    tap = loop.unix(server.socket)
    folder = tmp_path_factory.mktemp("tap")
    tap.listen_unix(folder / ".s.PGSQL.5432")
    tap.url = server.database_url("chatcart_restart", folder)
    yield tap
    loop.stop()


@pytest.fixture
def tapped(tap, make_replica, scripted):
    """A shop that reaches the server through the tap."""
    return make_replica(scripted, tap.url, pool_size=4)


@pytest.mark.parametrize("after", [True, False], ids=["after the COMMIT", "before the COMMIT"])
def test_restarted_while_an_order_is_made(
    server, tap, tapped, make_product, sessions, settings, engine, after
):
    cake = make_product(name="Cake", stock_quantity=STOCK)
    buyer, other = bring_buyers(sessions, settings, [[(cake, 2, ())]] * 2)
    told = buyer.says()
    trap = tap.set(b"COMMIT", after=after, kill=server.restart, armed_by=b"INSERT INTO orders")
    done = Crowd().patiently(lambda: buyer.confirms(tapped, told))
    assert trap.sprung.is_set()
    engine.dispose()
    assert buyer.confirms(tapped, told) == done
    assert other.confirms(tapped).result.placed is not None, "everybody goes on"
    with sessions() as session:
        assert session.query(Order).count() == session.query(Payment).count() == 2
        assert session.query(CommandResult).count() == 2
        check_stock(session, {cake.id: STOCK})
        check_orders(session)


@pytest.mark.parametrize("after", [True, False], ids=["after the COMMIT", "before the COMMIT"])
def test_restarted_while_a_payment_is_applied(
    server, tap, tapped, scripted, make_product, sessions, settings, engine, after
):
    cake = make_product(name="Cake", stock_quantity=STOCK)
    (buyer,) = bring_buyers(sessions, settings, [[(cake, 2, ())]])
    placed = buyer.confirms(tapped).result.placed
    flow.open_payment(tapped, placed.payment_reference)
    scripted.pay(placed.payment_reference)
    note = scripted.event(placed.payment_reference, "evt-1")
    trap = tap.set(b"COMMIT", after=after, kill=server.restart, armed_by=b"UPDATE orders")
    Crowd().patiently(lambda: flow.receive(tapped, "sandbox", *note))
    assert trap.sprung.is_set()
    engine.dispose()
    assert flow.receive(tapped, "sandbox", *note) == "duplicate"
    told = buyer.says()
    state = tapped.execute(
        told, "tell", orders.OrderState, lambda work, who: orders.complete_payment(work, who, placed.number)
    )
    assert state.result.status == "paid"
    with sessions() as session:
        assert session.query(Payment).one().status == "verified"
        assert [event.event for event in session.query(OutboxEvent)] == ["payment_confirmed"]
        check_stock(session, {cake.id: STOCK})
