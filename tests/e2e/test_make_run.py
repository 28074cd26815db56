"""`make run` with everything named by the environment, and how it ends and starts again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest
from twilio.request_validator import RequestValidator

from deploy.local.processes import MARK
from deploy.local.servers import EmbeddedValkey
from deploy.prepare import ROOT
from tests.e2e.twilio_server import TwilioServer, free_ports
from tests.environment import ENVIRONMENT

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
READY_SECONDS = 120.0
NUMBER = "+2348031230000"


@contextmanager
def postgres_15(folder: Path) -> Iterator[str]:
    """Debian's PostgreSQL 15 on a loopback port, as its own user; its address."""
    (port,) = free_ports(1)
    home = folder / "postgres15"
    home.mkdir()
    shutil.chown(home, "postgres", "postgres")

    def as_postgres(*command: str) -> None:
        arguments = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    as_postgres(str(POSTGRES_15 / "initdb"), "-D", str(home / "data"), "-A", "trust", "-U", "shop")
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1"
    pg_ctl = str(POSTGRES_15 / "pg_ctl")
    as_postgres(pg_ctl, "-w", "-D", str(home / "data"), "-o", options, "-l", str(home / "log"), "start")
    try:
        connection = ("-h", "127.0.0.1", "-p", str(port), "-U", "shop")
        as_postgres(str(POSTGRES_15 / "createdb"), *connection, "whatsapp_bot")
        yield f"postgresql://shop@127.0.0.1:{port}/whatsapp_bot"
    finally:
        as_postgres(pg_ctl, "-D", str(home / "data"), "-m", "fast", "stop")


class Run:
    """One `make run`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as written:
            self.process = subprocess.Popen(
                ["make", "run"],
                cwd=ROOT,
                env=environment,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._log.read_bytes()[self._from :].decode(errors="replace")

    def wait_until_ready(self) -> float:
        """Wait for its own word; how many seconds it needed."""
        deadline = time.monotonic() + READY_SECONDS
        while not (ready := re.search(r"\[ *([\d.]+) s\] ready\n", self.output)):
            assert self.process.poll() is None, self.output[-3000:]
            assert time.monotonic() < deadline, self.output[-3000:]
            time.sleep(0.1)
        return float(ready[1])

    def press_ctrl_c(self) -> None:
        """End it as a person at the terminal does: the whole foreground group gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A STATE_DIR."""
    made = Path(tempfile.mkdtemp(prefix="chatcart-run-"))
    made.chmod(0o755)
    yield made
    for process in psutil.process_iter():  # what a test that failed left running
        with contextlib.suppress(psutil.Error):
            if process.environ().get("STATE_DIR") == str(made):
                process.kill()
    shutil.rmtree(made, ignore_errors=True)


def left_over(state_dir: Path) -> list[str]:
    """Processes that still run from this STATE_DIR."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(state_dir.resolve()):
                found.append(" ".join(process.cmdline()[:4]))
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


@pytest.mark.skipif(not POSTGRES_15.exists(), reason="Debian's PostgreSQL 15 is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="starts PostgreSQL as its own user, which takes root")
def test_an_order_by_webhooks_alone_on_postgresql_15(folder: Path) -> None:
    web, rasa, actions = free_ports(3)
    twilio = TwilioServer(ENVIRONMENT)
    redis = EmbeddedValkey(folder)
    with postgres_15(folder) as database_url:
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "STATE_DIR": str(folder),
            "PORT": str(web),
            "RASA_PORT": str(rasa),
            "ACTIONS_PORT": str(actions),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{web}",
            "DATABASE_URL": database_url,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis.port),
            "REDIS_PASSWORD": redis.password,
            "TWILIO_API_BASE_URL": twilio.address,
        }
        run = Run(environment, folder / "run.log")
        try:
            run.wait_until_ready()
            order_and_pay(environment, twilio)
            run.press_ctrl_c()
            assert left_over(folder) == []
        finally:
            if run.process.poll() is None:
                os.killpg(run.process.pid, signal.SIGTERM)
        with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT o.status::text, p.status::text, o.items_amount + o.tax_amount = o.total_amount,"
                " o.total_amount::text FROM orders o JOIN payments p ON p.order_id = o.id"
            )
            assert cursor.fetchall() == [("paid", "verified", True, "1720.00")]
            cursor.execute("SHOW server_version_num")
            assert cursor.fetchone()[0].startswith("15")
    redis.stop()


def order_and_pay(environment: dict[str, str], twilio: TwilioServer) -> None:
    """A whole order, by signed webhooks and the stand-in API only."""
    sent = 0
    for number, text in enumerate(["hi", "2 colas", "checkout", "yes"], start=1):
        post(environment, f"SM{number:032d}", text)
        sent = twilio.wait_for(NUMBER, sent + 1)
    link = re.findall(r"http\S+/payments/sandbox/\S+", twilio.last(NUMBER))[0]
    assert httpx.post(link, data={"outcome": "paid"}).status_code == 200
    twilio.wait_for(NUMBER, sent + 1)
    assert "Payment received: ₦1,720.00" in twilio.last(NUMBER)


def post(environment: dict[str, str], sid: str, text: str) -> None:
    """Post one message straight to Rasa's port, signed for the public address."""
    path = "/webhooks/whatsapp/webhook"
    fields = {"MessageSid": sid, "From": f"whatsapp:{NUMBER}", "Body": text, "NumMedia": "0"}
    validator = RequestValidator(environment["TWILIO_AUTH_TOKEN"])
    signature = validator.compute_signature(environment["PUBLIC_BASE_URL"] + path, fields)
    address = f"http://127.0.0.1:{environment['RASA_PORT']}{path}"
    assert httpx.post(address, data=fields, headers={"X-Twilio-Signature": signature}).status_code == 200


@pytest.mark.parametrize("victim", ["dialogue run", "valkey-server", "deploy.local"])
def test_after_a_kill_the_next_start_works(folder: Path, victim: str) -> None:
    web, rasa, actions = free_ports(3)
    environment = {
        **os.environ,
        **ENVIRONMENT,
        "STATE_DIR": str(folder),
        "PORT": str(web),
        "RASA_PORT": str(rasa),
        "ACTIONS_PORT": str(actions),
    }
    first = Run(environment, folder / "run.log")
    first.wait_until_ready()
    for process in psutil.process_iter():
        try:
            launched = process.environ().get(MARK) == str(folder.resolve())
            ours = process.ppid() == first.process.pid if victim == "deploy.local" else launched
            if ours and victim in " ".join(process.cmdline()):
                process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    if victim == "dialogue run":
        first.process.wait(30)  # one process ends, so all end
    elif first.process.poll() is None:
        os.killpg(first.process.pid, signal.SIGKILL)
    second = Run(environment, folder / "run.log")
    try:
        second.wait_until_ready()
    finally:
        second.press_ctrl_c()
    assert left_over(folder) == []


def test_a_port_in_use_and_a_wrong_setting_are_one_line_each(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name, value in (("PORT", port), ("TAX_RATE", "seven")):
            environment = {**os.environ, **ENVIRONMENT, "STATE_DIR": str(folder), name: value}
            done = subprocess.run(
                ["make", "-s", "run"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode != 0
            lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
            assert len(lines) == 1, done.stderr
            assert lines[0].startswith(f"chatcart: {name}: ")
