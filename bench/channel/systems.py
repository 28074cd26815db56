"""The two systems side by side: Chatcart as `make run` starts it, and the stock project."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import yaml

from bench.channel.running import RASA, MeasuredSystem, Started
from bench.channel.stock_model import MODEL
from deploy.local.processes import commands, is_ready, process_environment
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey, free_port
from deploy.prepare import ROOT, environment, prepare_database, prepare_model, rasa_command, rasa_environment
from settings import read_settings
from tests.environment import ENVIRONMENT

WEBHOOK = "/webhooks/whatsapp/webhook"
STOCK_WEBHOOK = "/webhooks/twilio/webhook"
TRACKERS, LOCKS = 1, 2
"""Numbers of the stock project's databases on the same Valkey."""
NO_LIMITS = {"OUTBOUND_PER_SECOND": "0", "INBOUND_PER_MINUTE": "0"}
"""Chatcart's limits of messages lifted, for the machine's limits to show. Stock Rasa has none."""


def free_ports(count: int) -> list[str]:
    """Different ports that nobody listens on."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return [str(port) for port in ports]


class Chatcart(MeasuredSystem):
    """The whole system, with embedded servers."""

    def __init__(self, home: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey, api: str) -> None:
        port, rasa_port, actions_port = free_ports(3)
        database_url = postgres.database_url("chatcart_bench")
        self._home = home
        self._environment = {
            **ENVIRONMENT,
            **NO_LIMITS,
            **rasa_environment(),
            "PORT": port,
            "RASA_PORT": rasa_port,
            "ACTIONS_PORT": actions_port,
            "DATABASE_URL": database_url,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(valkey.port),
            "REDIS_PASSWORD": valkey.password,
            "STATE_DIR": str(home),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "TWILIO_API_BASE_URL": api,
        }
        with patch.dict(os.environ, self._environment):
            self._settings = read_settings()
        webhook = f"http://127.0.0.1:{rasa_port}{WEBHOOK}"
        super().__init__("Chatcart", webhook, f"http://127.0.0.1:{port}{WEBHOOK}")
        prepare_database(database_url, _silent)
        self._model = prepare_model(home / "logs" / "training.log", print)

    def parts(self) -> Mapping[str, Started]:
        """The processes that `make run` starts."""
        surroundings = process_environment(self._home, self._environment)
        return {
            command.name: Started(command.arguments, ROOT, surroundings)
            for command in commands(self._settings, self._model)
        }

    def is_ready(self, name: str) -> bool:
        """As `make run` tells it; of several action servers the port tells."""
        return is_ready(name.partition(".")[0], self._settings)


class Stock(MeasuredSystem):
    """Rasa as it is installed: `rasa run` with the twilio channel, and an action server."""

    def __init__(self, home: Path, project: Path, valkey: EmbeddedValkey, api: str) -> None:
        self._rasa_port, self._actions_port = free_ports(2)
        self._project = project
        self._home = home
        self._environment = {
            **os.environ,
            **rasa_environment(),
            "BENCH_TWILIO_API": api,
            "SANIC_HOST": "127.0.0.1",
        }
        webhook = f"http://127.0.0.1:{self._rasa_port}{STOCK_WEBHOOK}"
        super().__init__("stock", webhook, webhook)
        self._write_configuration(valkey)

    def parts(self) -> Mapping[str, Started]:
        """The two processes; only rasa is sent to the stand-in."""
        python = str(environment("dialogue") / "bin" / "python")
        redirect = {"PYTHONPATH": str(self._project / "redirect")}
        rasa = (
            rasa_command(), "run", "--enable-api", "--model", str(self._project / "models" / MODEL),
            "--interface", "127.0.0.1", "--port", self._rasa_port,
            "--credentials", str(self._home / "credentials.yml"),
            "--endpoints", str(self._home / "endpoints.yml"),
        )  # fmt: skip
        actions = (python, "-m", "rasa_sdk", "--actions", "actions", "--port", self._actions_port)
        return {
            "actions": Started(actions, self._project, self._environment),
            RASA: Started(rasa, self._project, {**self._environment, **redirect}),
        }

    def is_ready(self, name: str) -> bool:
        """Whether rasa has a model, the action server its health."""
        addresses = {
            "actions": f"http://127.0.0.1:{self._actions_port}/health",
            RASA: f"http://127.0.0.1:{self._rasa_port}/status",
        }
        try:
            with urllib.request.urlopen(addresses[name], timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _write_configuration(self, valkey: EmbeddedValkey) -> None:
        server = {"type": "redis", "url": "127.0.0.1", "port": valkey.port, "password": valkey.password}
        endpoints = {
            "action_endpoint": {"url": f"http://127.0.0.1:{self._actions_port}/webhook"},
            "tracker_store": {**server, "db": TRACKERS},
            "lock_store": {**server, "db": LOCKS},
        }
        twilio = {
            "account_sid": ENVIRONMENT["TWILIO_ACCOUNT_SID"],
            "auth_token": ENVIRONMENT["TWILIO_AUTH_TOKEN"],
            "twilio_number": ENVIRONMENT["TWILIO_WHATSAPP_NUMBER"],
        }
        for name, content in (("endpoints", endpoints), ("credentials", {"twilio": twilio})):
            file = self._home / f"{name}.yml"
            file.touch(mode=0o600)
            file.write_text(yaml.safe_dump(content))


class StandInProcess(MeasuredSystem):
    """The stand-in of Twilio's API."""

    NAME = "twilio"

    def __init__(self, home: Path) -> None:
        (self._port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{self._port}"
        super().__init__("stand-in", "", "")

    def parts(self) -> Mapping[str, Started]:
        """One process."""
        arguments = (sys.executable, "-m", "bench.channel.stand_in", self._port)
        return {self.NAME: Started(arguments, ROOT, dict(os.environ))}

    def is_ready(self, name: str) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/Accounts/Messages.json", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def start(self) -> float:
        """Start it."""
        self._spawn(self.NAME)
        self._wait(self.NAME)
        return 0.0


def _silent(_: str) -> None:
    """Nobody wants to read it here."""
