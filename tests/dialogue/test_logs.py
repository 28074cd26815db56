"""Rasa's own lines go out in the form of ours, without what customers said."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging
from rasa.utils.common import configure_logging_and_warnings
from rasa.utils.io import configure_colored_logging
from rasa.utils.log_utils import configure_structlog

configure_logging_and_warnings(None, None)  # what `rasa run` does before it makes the channels
configure_colored_logging(None)
configure_structlog(None)

from dialogue.channel import WhatsAppInput

WhatsAppInput.from_credentials({})

import structlog
from rasa.utils.common import update_sanic_log_level
from sanic.log import error_logger

update_sanic_log_level()  # what it does after
logging.getLogger("rasa.core.run").info("Rasa server is up and running.")
error_logger.error("a request failed")
structlog.get_logger("rasa.core.processor").warning("processor.slots.failed", text="my name is Ada")
structlog.get_logger("rasa.core.processor").debug("processor.slots.debug", text="my name is Ada")
try:
    raise KeyError("slot")
except KeyError:
    structlog.get_logger("rasa.core.nlg").exception("interpolator.failed", response="Hi Ada")
"""


def test_rasas_lines_are_json_and_say_nothing_of_a_person(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # What libraries warn of while they are imported comes before there is anything to set up.
    first = done.stderr.index("{")
    lines = [json.loads(line) for line in done.stderr[first:].splitlines()]
    told = [(line["level"], line["logger"], line["message"]) for line in lines]
    assert told == [
        ("INFO", "rasa.core.run", "Rasa server is up and running."),
        ("ERROR", "sanic.error", "a request failed"),
        ("WARNING", "rasa.core.processor", "processor.slots.failed"),
        ("ERROR", "rasa.core.nlg", "interpolator.failed"),
    ]
    assert "KeyError: 'slot'" in lines[3]["exc_info"]
    assert "Ada" not in done.stderr + done.stdout
