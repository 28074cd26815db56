"""Twilio's own description of its API accepts whatever we send: checked in this process, and by Prism.

Prism takes part where it is installed, or where CHATCART_TEST_PRISM says how to start it, for example
`npx --yes @stoplight/prism-cli`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

pytest.importorskip("openapi_core", reason="openapi-core is on the commerce plane")

from settings import read_settings
from tests.environment import CUSTOMER_NUMBER
from tests.whatsapp.twilio_description import (
    DESCRIPTION,
    DescribedTwilio,
    description,
    example,
    prism,
    prism_command,
)
from whatsapp.outbound import MOST_CHARACTERS
from whatsapp.twilio_api import TwilioMessages, TwilioRestException

if not DESCRIPTION.exists():
    pytest.skip(f"Twilio's OpenAPI description is not at {DESCRIPTION}", allow_module_level=True)

BURGER, COLA = "https://shop.example/pictures/burger.jpg", "https://shop.example/pictures/cola.jpg?v=1&w=2"
TEMPLATE = "HX" + "0123456789abcdef" * 2
VARIABLES = {"1": "Your cart: 2 × Test Burger\n₦11,000.00", "2": "Checkout", "3": "a1b2c3"}
KINDS: dict[str, dict[str, Any]] = {
    "text": {"body": "2 × Test Burger · ₦11,000.00"},
    "long text": {"body": "🍔" * MOST_CHARACTERS},
    "right to left": {"body": "مرحبا\n\n*bold* & a=b + 100%"},
    "picture": {"body": "Test Burger", "media": (BURGER,)},
    "picture without words": {"body": "", "media": (BURGER,)},
    "pictures": {"body": "Both", "media": (BURGER, COLA)},
    "buttons": {"body": "in words", "content_sid": TEMPLATE, "content_variables": VARIABLES},
    "template without variables": {"body": "in words", "content_sid": TEMPLATE},
}
"""Every kind of message that `TwilioMessages.create` sends, by its arguments."""


@pytest.fixture
def described(monkeypatch) -> Iterator[DescribedTwilio]:
    """The server that checks; TWILIO_API_BASE_URL names it."""
    description()  # takes a second, which no time-out of a test should count
    with DescribedTwilio() as server:
        monkeypatch.setenv("TWILIO_API_BASE_URL", server.url)
        yield server


@pytest.fixture(scope="module")
def prism_url() -> Iterator[str]:
    """Where Prism listens."""
    command = prism_command()
    if command is None:
        pytest.skip("needs Prism: neither on the path nor named in CHATCART_TEST_PRISM")
    with prism(command) as url:
        yield url


@pytest.fixture(params=["description", "prism"])
def messages(request, monkeypatch) -> TwilioMessages:
    """Our side; on the other one is the server that checks, or Prism."""
    if request.param == "prism":
        monkeypatch.setenv("TWILIO_API_BASE_URL", request.getfixturevalue("prism_url"))
    else:
        request.getfixturevalue("described")
    # A public address that Twilio can reach is told with each message, for its delivery callbacks.
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://shop.example")
    return TwilioMessages(read_settings())


@pytest.mark.parametrize("kind", KINDS)
def test_the_description_accepts_every_kind_of_message(messages, kind):
    assert messages.create(CUSTOMER_NUMBER, **{"media": (), **KINDS[kind]}) == example("post", "201")["sid"]


def test_a_message_arrives_in_the_fields_that_the_description_names(described):
    messages = TwilioMessages(read_settings())
    for kind in ("pictures", "buttons"):
        messages.create(CUSTOMER_NUMBER, **{"media": (), **KINDS[kind]})
    pictures, buttons = described.forms
    assert pictures["To"] == [f"whatsapp:{CUSTOMER_NUMBER}"]
    assert (pictures["Body"], pictures["MediaUrl"]) == (["Both"], [BURGER, COLA])
    assert buttons["ContentSid"] == [TEMPLATE]
    assert json.loads(buttons["ContentVariables"][0]) == VARIABLES


def test_the_look_up_of_a_message_is_accepted_and_its_answer_understood(described):
    messages = TwilioMessages(read_settings())
    sent = example("get", "200")["messages"][0]
    since = parsedate_to_datetime(sent["date_created"])
    assert messages.was_sent(CUSTOMER_NUMBER, sent["body"], since)
    assert not messages.was_sent(CUSTOMER_NUMBER, sent["body"], since + timedelta(seconds=1))
    assert not messages.was_sent(CUSTOMER_NUMBER, "another text", since)


def test_a_message_that_twilio_does_not_have_is_looked_up_in_vain(messages):
    # Prism's first example leads to a second page that the description refuses; this one has no page more.
    messages._client.http_client.session.headers["Prefer"] = "example=readEmptySentdateGreater"
    assert not messages.was_sent(CUSTOMER_NUMBER, "hi", datetime.now(timezone.utc))


def test_a_message_without_its_recipient_is_refused(messages):
    with pytest.raises(TwilioRestException) as refusal:
        messages._client.messages.create(to=None, from_="whatsapp:+14155238886", body="hi")
    assert refusal.value.status in (400, 422)


def test_a_template_that_is_no_template_is_refused(messages):
    with pytest.raises(TwilioRestException) as refusal:
        messages.create(CUSTOMER_NUMBER, "hi", (), "HX1")
    assert refusal.value.status in (400, 422)


def test_a_field_that_the_description_does_not_name_is_refused(described):
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": "Basic eDp5"}
    path = f"/2010-04-01/Accounts/{read_settings().whatsapp.account_sid}/Messages.json"
    status, _ = described.answer("POST", path, "", headers, b"To=whatsapp%3A%2B1&ContentVariable=x")
    assert status == 422
