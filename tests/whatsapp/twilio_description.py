"""Twilio's Messages API as Twilio's own OpenAPI description has it: a small server that checks each request
with it, and Prism (npm @stoplight/prism-cli), which serves it.

The description stays where it is published (shared/specs beside the repository): nothing of it is here.
"""

from __future__ import annotations

import copy
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from deploy.local.servers import free_port
from tests.shop.payments.local_server import LocalServer, Reply

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "specs" / "twilio_api_v2010.json"
API = "https://api.twilio.com"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
FORM = "application/x-www-form-urlencoded"
PRISM_SECONDS = 90.0


@cache
def content() -> dict[str, Any]:
    """Twilio's description."""
    return dict(json.loads(DESCRIPTION.read_text()))


@cache
def description() -> OpenAPI:
    """The same, to check with; read once."""
    return OpenAPI.from_dict(content())


def example(method: str, status: str) -> dict[str, Any]:
    """The first example of an answer of the Messages API, which is Prism's answer, too."""
    examples = content()["paths"][MESSAGES][method]["responses"][status]["content"]["application/json"]
    return dict(next(iter(examples["examples"].values()))["value"])


def field_names() -> set[str]:
    """What a message that is created may say."""
    schema = content()["paths"][MESSAGES]["post"]["requestBody"]["content"][FORM]["schema"]
    return set(schema["properties"])


class DescribedTwilio(LocalServer):
    """Answers with the description's examples what the description allows, and anything else with 422.

    Stricter than the description in one thing: a field that it does not name is refused. Twilio would
    say nothing and leave it out.
    """

    def __init__(self) -> None:
        self.forms: list[dict[str, list[str]]] = []
        super().__init__()

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """One request, checked first."""
        asked = MockRequest(API, method, path, args=dict(parse_qsl(query)), headers=headers, data=body)
        asked.content_type = headers.get("content-type", FORM)
        try:
            description().validate_request(asked)
        except Exception as error:  # whatever it is, the caller has to hear of it
            return 422, {"code": 422, "message": f"{error} {error.__cause__}", "status": 422}
        if method == "GET":
            return 200, example("get", "200") | {"next_page_uri": None}
        form = parse_qs(body.decode(), keep_blank_values=True)
        unknown = form.keys() - field_names()
        if unknown:
            return 422, {"code": 422, "message": f"not in the description: {unknown}", "status": 422}
        self.forms.append(form)
        return 201, example("post", "201")


def prism_command() -> list[str] | None:
    """How Prism is started here: as CHATCART_TEST_PRISM says, or as it is installed; None: not at all."""
    named = os.environ.get("CHATCART_TEST_PRISM") or shutil.which("prism")
    return shlex.split(named) if named else None


@contextmanager
def prism(command: list[str]) -> Iterator[str]:
    """Prism with the description; its address."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as served:
        json.dump(_for_prism(), served)
        served.flush()
        process = subprocess.Popen(
            [*command, "mock", "--host", "127.0.0.1", "--port", str(port), served.name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)


def _for_prism() -> dict[str, Any]:
    """The description with OpenAPI's default encoding of lists written out; Prism reads no list without."""
    described = copy.deepcopy(content())
    form = described["paths"][MESSAGES]["post"]["requestBody"]["content"][FORM]
    lists = [name for name, schema in form["schema"]["properties"].items() if schema.get("type") == "array"]
    form["encoding"] = {name: {"style": "form", "explode": True} for name in lists}
    return described


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PRISM_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("Prism did not start")
