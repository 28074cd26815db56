"""What an action server tells Prometheus: actions, transactions, refusals, repeated commands."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from rasa_sdk.executor import ActionExecutor

from actions.greeting import Greet
from actions.server import make_executor
from db.timing import time_statements
from settings import Settings
from settings.metrics import make_registry, serve_metrics
from shop import cart
from shop.errors import QuantityTooLarge, ShopError
from shop.metrics import ShopMetrics
from shop.observing import module_of
from shop.service import Caller, Shop


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty one."""
    return CollectorRegistry()


@pytest.fixture
def watched(sessions, settings: Settings, sandbox, clock, registry) -> Shop:
    """A shop whose figures are in the registry."""
    providers = {"sandbox": sandbox}
    return Shop(sessions, settings.shop, settings.flags, providers, clock, observer=ShopMetrics(registry))


def call(action: str, caller: Caller, text: str = "") -> dict[str, object]:
    """What Rasa posts."""
    message = {"text": text, "intent": {"name": "greet"}, "entities": []}
    message["metadata"] = {"message_id": caller.message_id, "address": caller.address}
    tracker = {
        "sender_id": caller.lookup,
        "slots": {},
        "latest_message": message,
        "events": [],
        "active_loop": {},
        "paused": False,
        "latest_action_name": None,
        "followup_action": None,
    }
    return {"next_action": action, "sender_id": caller.lookup, "tracker": tracker, "domain": {}}


async def test_an_action_is_timed_by_its_name_and_no_other(watched, settings, registry, caller):
    executor: ActionExecutor = make_executor(watched, settings, registry)
    await executor.run(call("action_say_what_next", caller()))
    with pytest.raises(Exception, match="action_of_an_attacker"):
        await executor.run(call("action_of_an_attacker", caller()))
    counted = [
        (sample.labels["action"], sample.value)
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "chatcart_action_seconds_count"
    ]
    assert counted == [("action_say_what_next", 1.0)]


def test_a_command_is_timed_and_a_repeated_one_counted(watched, registry, caller, test_burger):
    who = caller()
    for _ in range(2):
        watched.execute(who, "action_add:add", str, lambda work, customer: "done")
    labels = {"command": "action_add:add"}
    assert registry.get_sample_value("chatcart_transaction_seconds_count", labels) == 2
    assert registry.get_sample_value("chatcart_commands_replayed_total", labels) == 1


def test_a_refusal_is_counted_where_it_comes_from(watched, registry, caller, test_burger):
    with pytest.raises(ShopError) as refused:
        watched.execute(
            caller(), "add", str, lambda work, customer: cart.add(work, customer, str(test_burger.id), 10_000)
        )
    assert isinstance(refused.value, QuantityTooLarge)
    watched.observer.failed(refused.value)
    labels = {"module": module_of(refused.value), "category": "user_input", "error": "QuantityTooLarge"}
    assert labels["module"].startswith("shop.")
    assert registry.get_sample_value("chatcart_errors_total", labels) == 1


async def test_a_bug_in_an_action_is_the_systems_failure(watched, settings, registry, caller, monkeypatch):
    async def forgetful(self: Greet, conversation: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Greet, "answer", forgetful)
    with pytest.raises(KeyError):
        await make_executor(watched, settings, registry).run(call("action_greet", caller()))
    labels = {"module": "actions.base", "category": "system", "error": "KeyError"}
    assert registry.get_sample_value("chatcart_errors_total", labels) == 1


def test_statements_are_timed(engine, sessions):
    told: list[float] = []
    time_statements(engine, told.append)
    with sessions() as session:
        session.connection().exec_driver_sql("SELECT pg_sleep(0.05)")
    assert told[-1] >= 0.05


def test_an_error_of_somebody_else_comes_from_elsewhere():
    try:
        int("x")
    except ValueError as error:
        assert module_of(error) == "elsewhere"


@pytest.mark.parametrize("count", [1, 2])
def test_each_action_server_takes_a_port_of_its_own(free_range: Callable[[int], range], count: int):
    ports = free_range(count)
    taken = [serve_metrics(make_registry(), "127.0.0.1", ports) for _ in range(count)]
    assert taken == list(ports)
    for port in ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"process_resident_memory_bytes" in answer.read()


def test_without_a_free_port_the_process_goes_on(free_range, caplog):
    ports = free_range(1)
    assert serve_metrics(make_registry(), "127.0.0.1", ports) == ports[0]
    assert serve_metrics(make_registry(), "127.0.0.1", ports) is None
    assert "METRICS_PORT" in caplog.text


@pytest.fixture
def free_range() -> Callable[[int], range]:
    """Finds ports in a row that nobody listens on."""

    def find(count: int) -> range:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                first = int(probe.getsockname()[1])
            try:
                for port in range(first, first + count):
                    with socket.socket() as another:
                        another.bind(("127.0.0.1", port))
            except OSError:
                continue
            return range(first, first + count)

    return find
