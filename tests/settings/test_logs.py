"""Logs: a line is an object that a machine reads, or a text that a person reads."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Iterator

import pytest

from settings import read_settings
from settings.logs import configure_logs, shortened

PSEUDONYM = "a" * 12 + "b" * 52


@pytest.fixture(autouse=True)
def root_as_it_was() -> Iterator[None]:
    """Other tests log as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_a_json_line_tells_time_level_logger_message_and_what_goes_with_it(capsys):
    configure_logs("json")
    logging.getLogger("chatcart.test").info("message %s served", "SM1", extra={"milliseconds": 12.5})
    line = json.loads(capsys.readouterr().err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "INFO",
        "logger": "chatcart.test",
        "message": "message SM1 served",
        "milliseconds": 12.5,
    }


def test_a_failure_is_one_json_line_with_its_traceback(capsys):
    configure_logs("json")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("chatcart.test").exception("entry 1-0 failed\nand more")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "entry 1-0 failed\nand more"
    assert "ValueError: no such thing" in json.loads(line)["exc_info"]


def test_a_text_line_tells_the_same(capsys):
    configure_logs("text")
    logging.getLogger("chatcart.test").info("served", extra={"state": "GREETING", "milliseconds": 12.5})
    assert capsys.readouterr().err.endswith("INFO chatcart.test served state=GREETING milliseconds=12.5\n")


def test_a_second_set_up_replaces_the_first(capsys):
    configure_logs("text")
    configure_logs("json")
    logging.getLogger("chatcart.test").warning("once")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["once"]


def test_warnings_of_python_are_no_lines(capsys):
    configure_logs("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("library", ["httpx", "stripe", "twilio"])
def test_libraries_that_would_log_addresses_are_quiet(capsys, library):
    configure_logs("json")
    logging.getLogger(library).info("GET https://api.example/+2348031234567")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "text"),
        ({"APP_ENV": "development"}, "text"),
        ({"LOG_FORMAT": "json"}, "json"),
        (
            {
                "APP_ENV": "production",
                "DATABASE_URL": "postgresql://shop@127.0.0.1/shop",
                "REDIS_HOST": "127.0.0.1",
                "PAYMENT_PROVIDERS": "cash",
            },
            "json",
        ),
    ],
)
def test_production_logs_for_machines(monkeypatch, given, expected):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert read_settings().log_format == expected


def test_a_conversation_is_named_by_the_beginning_of_its_pseudonym():
    assert shortened(PSEUDONYM) == "a" * 12
