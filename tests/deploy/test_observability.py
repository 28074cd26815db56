"""Prometheus' and Grafana's files agree with each other, with docker-compose and with what operators read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
OPERATORS = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
METRIC = re.compile(r"\bchatcart_[a-z_]+\b")
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read(PROMETHEUS / "alerts.yml")["groups"] for rule in group["rules"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
)
def test_promtool_agrees(arguments):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_the_services_where_they_tell(services, settings: Settings):
    asked = {
        job["job_name"]: (job["static_configs"][0]["targets"], job.get("metrics_path", "/metrics"))
        for job in read(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    }
    assert asked == {
        "web": ([f"web:{settings.port}"], "/metrics"),
        "rasa": ([f"rasa:{settings.rasa_port}"], "/webhooks/whatsapp/metrics"),
        "sender": ([f"sender:{settings.metrics_port}"], "/metrics"),
        "actions": ([f"actions:{settings.metrics_port + 1}"], "/metrics"),
    }
    assert set(asked) <= set(services)


def test_every_alert_says_how_urgent_it_is_and_is_explained():
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert f"| `{rule['alert']}` |" in OPERATORS, "What to look at, what wakes you"
    explained = re.findall(r"^\| `([A-Z]\w+)` \| (?:page|ticket)", OPERATORS, re.MULTILINE)
    assert explained == [rule["alert"] for rule in rules()]


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_named_and_takes_its_figures_from_our_prometheus(board):
    document = json.loads(board.read_text(encoding="utf-8"))
    assert document["uid"] == board.stem
    source = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"] and panel["targets"]
        assert panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_every_metric_that_is_shown_or_alerts_is_explained():
    expressions = [
        target["expr"]
        for board in BOARDS
        for panel in json.loads(board.read_text())["panels"]
        for target in panel["targets"]
    ]
    expressions += [rule["expr"] for rule in rules()]
    used = {SUFFIXES.sub("", name) for expression in expressions for name in METRIC.findall(expression)}
    explained = set(METRIC.findall(OPERATORS))
    assert used <= explained
    assert len(used) > 30


def test_grafana_is_provisioned_from_what_compose_mounts(document):
    services = document["services"]
    provider = read(GRAFANA / "provisioning" / "dashboards" / "chatcart.yml")["providers"][0]
    mounts = dict(mount.split(":")[:2] for mount in services["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./deploy/grafana/grafana.ini"] == "/etc/grafana/grafana.ini"
    mounts = dict(mount.split(":")[:2] for mount in services["prometheus"]["volumes"])
    assert mounts["./deploy/prometheus"] == "/etc/prometheus"
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["observability"]
        assert all(port.startswith("127.0.0.1:") for port in services[name].get("ports", ()))
