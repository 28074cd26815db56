"""The reverse proxy: its configuration is checked, then run with local ports in the place of its names."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from web.local_whatsapp.network import WEBHOOK_PATH
from web.local_whatsapp.pages import PING_SECONDS
from web.security import MOST_UPLOADED_BYTES

ROOT = Path(__file__).resolve().parents[2]
PROXY = ROOT / "deploy" / "proxy" / "nginx.conf"


class Behind(BaseHTTPRequestHandler):
    """What is behind the proxy in these tests: tells who was asked for what."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"{self.server.name} {self.command} {self.path}".encode()  # type: ignore[attr-defined]
        if self.path == "/who-asks":
            told = str(self.headers.get_all("X-Forwarded-For")).encode()
        self.send_response(200)
        if self.path.startswith("/local-whatsapp/events"):
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.server.go_on.wait(20)  # type: ignore[attr-defined]
            return
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def behind(name: str) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    server.name, server.go_on = name, threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.go_on.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx() -> str:
    """nginx; Debian keeps it where only root's PATH looks."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    return found


def configuration(folder: Path, changes: dict[str, str]) -> Path:
    """A copy of the proxy's configuration; every change has to find its place."""
    text = PROXY.read_text()
    for old, new in {" /tmp/": f" {folder}/", "/dev/stderr": f"{folder}/error.log", **changes}.items():
        assert old in text, old
        text = text.replace(old, new)
    text = text.replace("/dev/stdout", f"{folder}/access.log")
    copy = folder / "nginx.conf"
    copy.write_text(text)
    return copy


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[tuple[int, Path]]:
    """The proxy, running; its port and its access log."""
    program, port, health = nginx(), free_port(), free_port()
    folder = tmp_path_factory.mktemp("proxy")
    # Started by root, nginx would hand its work to a user who cannot write here.
    as_root = "user root;" if os.geteuid() == 0 else ""
    with behind("rasa") as rasa, behind("web") as web:
        changes = {
            "http://rasa:5005": f"http://127.0.0.1:{rasa.server_port}",
            "http://web:4000": f"http://127.0.0.1:{web.server_port}",
            "listen 4000;": f"listen 127.0.0.1:{port};",
            "listen 127.0.0.1:4001;": f"listen 127.0.0.1:{health};",
            "worker_processes auto;": f"worker_processes 1; daemon off; {as_root}",
        }
        copy = configuration(folder, changes)
        started = [program, "-e", str(folder / "start.log"), "-c", str(copy)]
        process = subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and status(health, "/") != 200:
                time.sleep(0.05)
            yield port, folder / "access.log"
        finally:
            process.terminate()
            process.wait(10)


def ask(
    port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def status(port: int, path: str) -> int | None:
    try:
        return ask(port, path)[0]
    except OSError:
        return None


def test_nginx_accepts_the_configuration(tmp_path):
    changes = {"rasa:5005": "127.0.0.1:5005", "web:4000": "127.0.0.1:4000"}
    copy = configuration(tmp_path, changes)
    command = [nginx(), "-e", str(tmp_path / "start.log"), "-t", "-c", str(copy)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr + (tmp_path / "start.log").read_text()


def test_the_proxys_names_and_ports_are_those_of_the_services(services, settings):
    text = PROXY.read_text()
    upstreams = set(re.findall(r"http://(\w+:\d+);", text))
    assert upstreams == {f"rasa:{settings.rasa_port}", f"web:{settings.port}"}
    assert services["proxy"]["volumes"] == ["./deploy/proxy/nginx.conf:/etc/nginx/nginx.conf:ro"]
    assert PROXY == ROOT / "deploy/proxy/nginx.conf"


def test_the_proxys_paths_and_limits_are_those_of_the_code():
    text = PROXY.read_text()
    assert WEBHOOK_PATH.startswith("/webhooks/") and "location ~ ^/webhooks/ {" in text
    page = (ROOT / "web" / "local_whatsapp" / "pages.py").read_text()
    assert '"/local-whatsapp/events"' in page and "location = /local-whatsapp/events {" in text
    seconds = re.search(r"proxy_read_timeout (\d+)s;", text)
    assert seconds is not None and int(seconds[1]) > 2 * PING_SECONDS
    # The dialogue plane's code cannot be imported here.
    assert "MOST_BYTES = 64 * 1024" in (ROOT / "dialogue" / "channel.py").read_text()
    assert "client_max_body_size 64k;" in text


@pytest.mark.parametrize(
    ("path", "served_by"),
    [
        ("/webhooks/whatsapp/webhook", "rasa"),
        ("/webhooks/whatsapp/webhook?hub.mode=subscribe&hub.challenge=1.2%2F3", "rasa"),
        ("/webhooks/whatsapp/status", "rasa"),
        ("/webhooks", "web"),
        ("/webhooksx/whatsapp", "web"),
        ("/", "web"),
        ("/health/ready", "web"),
        ("/payments/webhooks/sandbox", "web"),
        ("/payments/sandbox/sbx_a-b", "web"),
        ("/console/orders?page=2", "web"),
        # Rasa's own API: these are the web app's to refuse.
        ("/model/parse", "web"),
        ("/conversations/x/tracker", "web"),
        ("/webhooks/../model", "web"),
        ("/webhooks/%2e%2e/model", "web"),
        ("/webhooks/..%2fmodel", "web"),
    ],
)
def test_the_proxy_sends_webhooks_to_rasa_and_the_rest_to_the_web_app(proxy, path, served_by):
    port, _ = proxy
    assert ask(port, path) == (200, f"{served_by} GET {path}")


@pytest.mark.parametrize(
    "path",
    [
        "/conversations/x/../../webhooks/tracker",
        "/model/../webhooks/whatsapp/webhook",
        "//webhooks/whatsapp/webhook",
        "/%77ebhooks/whatsapp/webhook",
        "/webhooks/%2e/whatsapp",
        "/webhooks/a%20b",
    ],
)
def test_a_path_that_could_be_read_two_ways_reaches_nobody(proxy, path):
    port, _ = proxy
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics/",
        "/metrics?x=1",
        "/%6detrics",
        "/health/../metrics",
        "/webhooks/whatsapp/metrics",
        "/webhooks/whatsapp/metrics/",
        "/webhooks/whatsapp/%6Detrics",
    ],
)
def test_metrics_are_not_for_the_outside(proxy, path):
    port, _ = proxy
    assert ask(port, path)[0] == 404


def test_the_proxy_limits_bodies(proxy):
    port, _ = proxy
    assert ask(port, WEBHOOK_PATH, b"x" * 64 * 1024)[0] == 200
    assert ask(port, WEBHOOK_PATH, b"x" * (64 * 1024 + 1))[0] == 413
    assert ask(port, "/payments/webhooks/sandbox", b"x" * 1024 * 1024)[0] == 200
    assert ask(port, "/payments/webhooks/sandbox", b"x" * (1024 * 1024 + 1))[0] == 413
    assert ask(port, "/console/products/new", b"x" * MOST_UPLOADED_BYTES)[0] == 200
    assert ask(port, "/console/products/new", b"x" * (6 * 1024 * 1024 + 1))[0] == 413


def test_a_body_over_its_limit_is_answered_in_the_words_of_who_is_asked(proxy):
    port, _ = proxy
    answered, page = ask(port, "/console/products/new", b"x" * (6 * 1024 * 1024 + 1))
    assert answered == 413 and "at most 5 MB" in page and "Nothing was changed" in page
    for path in (WEBHOOK_PATH, "/payments/webhooks/sandbox"):
        assert ask(port, path, b"x" * (1024 * 1024 + 1)) == (413, '{"error":"too large"}')


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.9", "198.51.100.9"),
        ("2001:db8::7", "2001:db8::7"),
        # The TLS proxy adds whom it sees to what the stranger said.
        ("203.0.113.99, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.1.2.3, 172.20.0.1", "203.0.113.7"),
        (None, "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
    ],
)
def test_who_asks_is_known_behind_whatever_ends_tls(proxy, told, known):
    port, _ = proxy
    headers = {} if told is None else {"X-Forwarded-For": told}
    assert ask(port, "/who-asks", headers=headers) == (200, str([known]))


def test_events_pass_the_proxy_at_once(proxy):
    port, _ = proxy
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/local-whatsapp/events?phone=%2B2348031234567")
    assert connection.getresponse().readline() == b"data: first\n"
    connection.close()


def test_the_proxys_log_tells_nothing_about_a_person(proxy):
    port, log = proxy
    ask(port, "/webhooks/whatsapp/webhook?hub.verify_token=verify-me&phone=2348031234567")
    assert "GET /webhooks/whatsapp/webhook 200" in log.read_text()
    assert not re.search(r"verify-me|2348031234567", log.read_text())
