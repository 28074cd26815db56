"""The whole system as processes of its own, with a stand-in of Twilio's API and taps between the parts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import psycopg2
import redis
from twilio.request_validator import RequestValidator

from deploy.local.processes import Command, commands, is_ready, process_environment
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey
from deploy.prepare import ROOT, prepare_database, prepare_model, rasa_environment
from settings import Settings, read_settings
from tests.e2e.tap import Tap, TapLoop
from tests.e2e.twilio_server import TwilioServer, free_ports
from web.local_whatsapp.network import WEBHOOK_PATH
from web.local_whatsapp.phones import PhoneMessage
from whatsapp.conversation_queue import INBOUND, OUTBOUND, waiting_key
from whatsapp.identity import Identity

READY_SECONDS = 120.0
PORTS = ("PORT", "RASA_PORT", "ACTIONS_PORT", "METRICS_PORT")


class System:
    """Starts everything; `taps` are by name: rasa_redis, rasa_actions, actions_postgres, sender_redis,
    sender_twilio, web_postgres, sender_postgres."""

    def __init__(self, state_dir: Path, environment: Mapping[str, str]) -> None:
        self._state_dir = state_dir
        self._postgres = EmbeddedPostgres(state_dir)
        self._valkey = EmbeddedValkey(state_dir)
        self._redis = redis.Redis(port=self._valkey.port, password=self._valkey.password)
        self.database_url = self._postgres.database_url("chatcart_e2e")
        self._loop = TapLoop()
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.twilio = TwilioServer(environment)
        self.settings = self._read_settings(environment)
        self.taps = self._make_taps()
        prepare_database(self.database_url, print)
        # Tests change their own environment; the processes keep the one they were made with.
        self._environment = dict(os.environ)
        model = prepare_model(state_dir / "logs" / "training.log", print)
        self._commands = {command.name: command for command in commands(self.settings, model)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start processes (all without names) and wait until they are ready."""
        chosen = names or tuple(self._commands)
        for name in chosen:
            self._processes[name] = self._spawn(self._commands[name])
        deadline = time.monotonic() + READY_SECONDS
        for name in chosen:
            while not is_ready(name, self.settings):
                assert self._processes[name].poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
                assert time.monotonic() < deadline, f"{name} is not ready: {self.log(name)[-2000:]}"
                time.sleep(0.1)

    def pid(self, name: str) -> int:
        """The number of a process."""
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """End a process as a crash does."""
        process = self._processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End everything."""
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.twilio.stop()
        self._valkey.stop()
        self._postgres.stop()
        self._loop.stop()

    def log(self, name: str) -> str:
        """What a process printed."""
        return (self._state_dir / "logs" / f"{name}.log").read_text(errors="replace")

    def metrics_pages(self) -> dict[str, str]:
        """Where each process tells its metrics."""
        settings = self.settings
        return {
            "web": f"http://127.0.0.1:{settings.port}/metrics",
            "rasa": f"{settings.rasa_url}/webhooks/whatsapp/metrics",
            "sender": f"http://127.0.0.1:{settings.metrics_port}/metrics",
            "actions": f"http://127.0.0.1:{settings.metrics_port + 1}/metrics",
        }

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""
        connection = psycopg2.connect(self.database_url.replace("+psycopg2", ""))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def sent_to(self, number: str) -> list[PhoneMessage]:
        """What the bot sent to a number, the first first."""
        if self.settings.whatsapp.dev_mode:
            return self._arrived_at_the_local_whatsapp(number)
        return self.twilio.sent_to(number)

    def _arrived_at_the_local_whatsapp(self, number: str) -> list[PhoneMessage]:
        account = self.settings.whatsapp
        answer = httpx.get(
            f"{self.settings.public_base_url}/2010-04-01/Accounts/{account.account_sid}/Messages.json",
            params={"To": f"whatsapp:{number}"},
            auth=(account.account_sid, account.auth_tokens[0]),
        )
        return [
            PhoneMessage(one["sid"], "out", one["body"], (), parsedate_to_datetime(one["date_sent"]))
            for one in reversed(answer.json()["messages"])
        ]

    def has_work_for(self, number: str) -> bool:
        """Whether a message from or to a number is under way."""
        conversation = Identity(self.settings.privacy).pseudonym(number)
        keys = (waiting_key(queue, conversation) for queue in (INBOUND, OUTBOUND))
        return any(self._redis.exists(key) for key in keys)

    def post(self, fields: Mapping[str, str], timeout: float = 15.0) -> httpx.Response:
        """Post a form to the webhook as Twilio does."""
        token = self.settings.whatsapp.auth_tokens[0]
        url = self.settings.public_base_url + WEBHOOK_PATH
        signature = RequestValidator(token).compute_signature(url, dict(fields))
        headers = {"X-Twilio-Signature": signature}
        webhook = self.settings.rasa_url + WEBHOOK_PATH
        return httpx.post(webhook, data=fields, headers=headers, timeout=timeout)

    def _read_settings(self, environment: Mapping[str, str]) -> Settings:
        port = self._ports["PORT"]
        # Replies go to the web app's own local WhatsApp, as with `make run`.
        local = environment.get("WHATSAPP_DEV_MODE") == "true"
        os.environ.update(
            {
                **environment,
                **{name: str(self._ports[name]) for name in PORTS},
                "DATABASE_URL": self.database_url,
                "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(self._valkey.port),
                "REDIS_PASSWORD": self._valkey.password,
                "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
                **({} if local else {"TWILIO_API_BASE_URL": self.twilio.address}),
            }
        )
        return read_settings()

    def _make_taps(self) -> dict[str, Tap]:
        socket_file = ".s.PGSQL.5432"
        home = Path(self.database_url.split("host=", 1)[1])
        taps = {
            "rasa_redis": self._loop.tcp(self._valkey.port),
            "sender_redis": self._loop.tcp(self._valkey.port),
            "rasa_actions": self._loop.tcp(self.settings.actions_port),
            "sender_twilio": self._loop.tcp(self.twilio.port),
            "actions_postgres": self._loop.unix(home / socket_file),
            "web_postgres": self._loop.unix(home / socket_file),
            "sender_postgres": self._loop.unix(home / socket_file),
        }
        for name, tap in taps.items():
            if name.endswith("postgres"):
                tap.listen_unix(self._state_dir / name / socket_file)
            else:
                tap.listen_tcp()
        return taps

    def _tapped(self, name: str) -> dict[str, str]:
        """The addresses by which a process finds the others: through its taps."""
        base = self.database_url.split("host=", 1)[0]
        redis_tap = self.taps.get(f"{name}_redis")
        found = {"REDIS_PORT": str(redis_tap.port)} if redis_tap else {}
        if name == "rasa":
            found["ACTIONS_URL"] = f"http://127.0.0.1:{self.taps['rasa_actions'].port}"
        if name == "sender" and self.settings.whatsapp.api_base_url:
            found["TWILIO_API_BASE_URL"] = f"http://127.0.0.1:{self.taps['sender_twilio'].port}"
        if f"{name}_postgres" in self.taps:
            found["DATABASE_URL"] = f"{base}host={self._state_dir / f'{name}_postgres'}"
        return found

    def _spawn(self, command: Command) -> subprocess.Popen[bytes]:
        log = self._state_dir / "logs" / f"{command.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        extra = {**rasa_environment(), **self._tapped(command.name)}
        with log.open("ab") as written:
            return subprocess.Popen(
                command.arguments,
                cwd=ROOT,
                env=process_environment(self._state_dir, {**self._environment, **extra}),
                stdout=written,
                stderr=written,
                start_new_session=True,
            )


class Phone:
    """A customer's phone."""

    def __init__(self, system: System, number: str, name: str = "Ada") -> None:
        self.system = system
        self.number = number
        self._name = name
        self._read = 0
        self._count = 0

    @property
    def last_sid(self) -> str:
        """The MessageSid of the last message that was written."""
        return f"SM{int(self.number[1:]):020d}{self._count:012d}"

    def fields(self, text: str) -> dict[str, str]:
        """A new message, as Twilio posts it."""
        self._count += 1
        return {
            "MessageSid": self.last_sid,
            "AccountSid": self.system.settings.whatsapp.account_sid,
            "From": f"whatsapp:{self.number}",
            "To": f"whatsapp:{self.system.settings.whatsapp.number}",
            "ProfileName": self._name,
            "Body": text,
            "NumMedia": "0",
        }

    def say(self, text: str, seconds: float = 30.0) -> str:
        """Write a message; what the bot answers."""
        answer = self.system.post(self.fields(text))
        assert answer.status_code == 200, answer.text
        return self.hear(seconds)

    def send(self, fields: Mapping[str, str], seconds: float = 30.0) -> str:
        """Send something without words; what the bot answers."""
        answer = self.system.post({**self.fields(""), **fields})
        assert answer.status_code == 200, answer.text
        return self.hear(seconds)

    def hear(self, seconds: float = 30.0) -> str:
        """The next thing the bot sends."""
        deadline = time.monotonic() + seconds
        while len(self.system.sent_to(self.number)) <= self._read:
            assert time.monotonic() < deadline, f"the bot sent nothing for {seconds} s"
            time.sleep(0.02)
        # More messages of the same turn may be on their way.
        while self.system.has_work_for(self.number) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.unheard()

    def unheard(self) -> str:
        """What the bot has sent since the last time."""
        sent = self.system.sent_to(self.number)
        new, self._read = sent[self._read :], len(sent)
        return "\n".join(message.body for message in new)
