"""`rasa data validate`, whose warnings are read: it ends with 0 whatever it finds."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.prepare import ROOT, rasa_command, rasa_environment
from tests.environment import ENVIRONMENT

# Responses that only actions name, and events that nobody can type, are no mistakes; the tests of the
# actions compare the former with the domain.
RESPONSE_OF_AN_ACTION = re.compile(r"The utterance '(\w+)' is not used in any story or rule")
INTENT_WITHOUT_EXAMPLES = re.compile(r"The intent '(\w+)' is listed in the domain file, but is not found in")
INTERNAL = {
    "handoff_closed",
    "handoff_taken",
    "order_status_changed",
    "payment_confirmed",
    "payment_expired",
    "payment_failed",
    "payment_in_review",
    "payment_refunded",
    "payment_reminder",
    "payment_sent_back",
    "send_card_number",
    "send_media",
    "send_too_long",
    "send_too_many",
    "share_location",
    "staff_message",
}


@pytest.fixture(scope="module")
def warnings() -> list[str]:
    """What `rasa data validate` complains about."""
    arguments = [rasa_command(), "data", "validate"]
    env = {**os.environ, **rasa_environment(), **ENVIRONMENT, "PYTHONWARNINGS": "default"}
    done = subprocess.run(arguments, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [line for line in (done.stdout + done.stderr).splitlines() if "UserWarning" in line]


def test_nothing_is_wrong_but_what_only_actions_use(warnings: list[str]) -> None:
    in_code = "\n".join(path.read_text() for path in (ROOT / "actions").glob("*.py"))
    in_code += (ROOT / "dialogue" / "consumer.py").read_text()
    for warning in warnings:
        response = RESPONSE_OF_AN_ACTION.search(warning)
        intent = INTENT_WITHOUT_EXAMPLES.search(warning)
        if response:
            name = response.group(1)
            # Rasa's own way to ask for a slot, and one response for each way to pay.
            by_form = re.match(r"utter_(ask_\w+_form|pay_by)_", name)
            assert by_form or name in in_code or name.rsplit("_", 1)[0] in in_code or _by_part(name), warning
        elif intent:
            assert intent.group(1) in INTERNAL, warning
        else:
            pytest.fail(warning)


def test_internal_events_have_no_examples() -> None:
    for path in Path(ROOT / "data" / "nlu").rglob("*.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            assert entry["intent"] not in INTERNAL


def _by_part(name: str) -> bool:
    """Responses that are named by a state, a status of an order, a way to pay or an intent."""
    return name.startswith(("utter_next_", "utter_status_", "utter_pay_by_", "utter_did_you_mean_"))
