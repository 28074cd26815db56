"""A real Prometheus looks at the whole system while a customer orders: every panel shows something."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from shop import handoffs
from shop.service import Shop
from shop.work import Work
from tests.e2e.system import Phone, System
from tests.e2e.twilio_server import free_ports

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
PATIENCE_SECONDS = 60.0


def expressions() -> list[tuple[str, str, str]]:
    """Dashboard, panel and expression, of every panel."""
    return [
        (board.stem, f"{panel['id']} {panel['title']}", target["expr"])
        for board in DASHBOARDS
        for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]
        for target in panel["targets"]
    ]


def alerts() -> list[tuple[str, str]]:
    """Name and expression of every alert."""
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [(rule["alert"], rule["expr"]) for group in groups for rule in group["rules"]]


@dataclass
class Prometheus:
    """A running server."""

    address: str

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; one that failed fails the test with its error."""
        answer = httpx.get(f"{self.address}/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", answer.get("error")
        return answer["data"]

    def samples(self, metric: str) -> float:
        """How many samples of a metric were scraped, over all its series."""
        found = self.ask("query", query=f"sum(count_over_time({metric}[10m]))")["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the next scrapes bring."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.3)

    def scrape_twice(self) -> None:
        """Wait until all processes were asked at least twice more."""
        before = self.samples("up")
        self.wait(lambda: self.samples("up") >= before + 3 * 4)


@pytest.fixture(scope="module")
def prometheus(
    system: System, system_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """Debian's Prometheus with our configuration, but for the addresses; it has seen an order."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    system_shop.run(end_calls)
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", folder)
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for job in config["scrape_configs"]:
        page = urlsplit(system.metrics_pages()[job["job_name"]])
        assert page.path == job.get("metrics_path", "/metrics")
        job["static_configs"] = [{"targets": [page.netloc]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (port,) = free_ports(1)
    arguments = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    try:
        server = Prometheus(f"http://127.0.0.1:{port}")
        server.wait(lambda: _is_up(server) and server.samples("up") > 0)
        server.scrape_twice()
        order(Phone(system, "+2348077700011"))
        server.scrape_twice()
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _is_up(server: Prometheus) -> bool:
    try:
        return httpx.get(f"{server.address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def end_calls(work: Work) -> None:
    """Customers of other tests have waited for a person for long, and nobody came."""
    for handoff in work.handoffs.find_all_open(1000):
        handoffs.hand_back(work, handoff.id, handoff.taken_by or "Ada")


def order(phone: Phone) -> None:
    """From hello to the receipt, with something in between that nobody understands."""
    phone.say("hello")
    phone.say("qwrtz plmkn vbgtr")
    phone.say("2 large colas")
    phone.say("checkout")
    links = re.findall(r"http\S+/payments/sandbox/\S+", phone.say("yes"))
    assert httpx.post(links[0], data={"outcome": "paid"}).status_code == 200
    assert "Payment received" in phone.hear()


def test_all_processes_are_scraped(prometheus: Prometheus) -> None:
    targets = prometheus.ask("targets")["activeTargets"]
    assert {target["labels"]["job"]: target["health"] for target in targets} == dict.fromkeys(
        ("web", "rasa", "sender", "actions"), "up"
    )


@pytest.mark.parametrize(("board", "panel", "expression"), expressions())
def test_every_panel_shows_something(prometheus: Prometheus, board: str, panel: str, expression: str) -> None:
    assert prometheus.ask("query", query=expression)["result"], "no data"


@pytest.mark.parametrize(("alert", "expression"), alerts())
def test_every_alert_can_be_evaluated(prometheus: Prometheus, alert: str, expression: str) -> None:
    prometheus.ask("query", query=expression)


def test_a_system_at_work_alerts_nobody(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {alert for alert, _ in alerts()}
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule["state"] == "firing"} == set()


def test_what_was_ordered_is_what_is_told(prometheus: Prometheus) -> None:
    def value(query: str) -> float:
        (found,) = prometheus.ask("query", query=query)["result"]
        return float(found["value"][1])

    assert value('chatcart_orders{status="paid"}') >= 1
    assert value("sum(chatcart_not_understood_total)") >= 1
    assert value('sum(chatcart_messages_total{intent="payment_confirmed"})') >= 1
    assert value('chatcart_queue_entries_total{queue="outbound", outcome="done"}') >= 5
    assert value("sum(chatcart_invariant_violations)") == 0
