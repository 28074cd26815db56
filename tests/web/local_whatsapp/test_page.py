"""The local WhatsApp: a phone in the browser, in front of the real webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from tests.environment import CUSTOMER_NUMBER, ENVIRONMENT

ACCOUNT, TOKEN = ENVIRONMENT["TWILIO_ACCOUNT_SID"], ENVIRONMENT["TWILIO_AUTH_TOKEN"]
API = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
WEBHOOK_PATH = "/webhooks/whatsapp/webhook"
TO_CUSTOMER = {"To": f"whatsapp:{CUSTOMER_NUMBER}", "From": "whatsapp:+14155238886"}
TYPED = {"phone": "+234 803 123 4567", "name": "Ada", "text": "2 burgers & a coke"}


def test_the_page_names_the_shop_and_runs_no_foreign_script(web):
    answer = web.get("/")
    assert answer.status_code == 200
    assert "Mama&#39;s &lt;Kitchen&gt;" in answer.text
    assert "<Kitchen>" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", [f"/static/local_whatsapp/{name}" for name in ("main.js", "phone.js", "markup.js", "page.css")]
)
def test_the_page_finds_its_parts(web, path):
    assert web.get(path).status_code == 200


def test_what_is_typed_reaches_the_webhook_as_twilio_sends_it(web, webhook):
    answer = web.post("/local-whatsapp/messages", json=TYPED)
    assert answer.status_code == 202
    ((path, fields, signature),) = webhook.posts
    assert path == WEBHOOK_PATH
    assert RequestValidator(TOKEN).validate("https://shop.example" + WEBHOOK_PATH, fields, signature)
    assert fields["MessageSid"] == answer.json()["sid"]
    assert fields["From"] == f"whatsapp:{CUSTOMER_NUMBER}"
    assert fields["To"] == "whatsapp:+14155238886"
    assert (fields["Body"], fields["ProfileName"]) == (TYPED["text"], "Ada")


def test_every_message_has_an_id_of_its_own(web):
    sids = {web.post("/local-whatsapp/messages", json=TYPED).json()["sid"] for _ in range(3)}
    assert len(sids) == 3


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({**TYPED, "phone": "12"}, 400),
        ({**TYPED, "phone": ""}, 400),
        ({**TYPED, "text": "  \n"}, 400),
        ({**TYPED, "text": "a" * 4097}, 400),
        ({**TYPED, "text": "a" * 70_000}, 413),
        ({"text": "no phone"}, 400),
        (["not", "an", "object"], 400),
    ],
)
def test_what_cannot_be_sent_is_explained_and_not_sent(web, webhook, typed, status):
    answer = web.post("/local-whatsapp/messages", json=typed)
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert webhook.posts == []


def test_a_body_that_is_no_json_is_explained(web):
    answer = web.post("/local-whatsapp/messages", content=b"{not json")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_webhook_that_refuses_is_explained(web, webhook):
    webhook.status = 403
    answer = web.post("/local-whatsapp/messages", json=TYPED)
    assert answer.status_code == 502
    assert "403" in answer.json()["error"]


def test_a_bot_that_is_not_up_yet_is_explained(web, webhook):
    webhook.shutdown()
    webhook.server_close()
    answer = web.post("/local-whatsapp/messages", json=TYPED)
    assert answer.status_code == 502
    assert answer.json()["error"] == "The bot does not answer yet. Wait a moment and try again."


def create(web: TestClient | httpx.Client, body: str = "Hello", token: str = TOKEN, **fields: Any) -> Any:
    """Send to a phone through the stand-in of Twilio's API."""
    return web.post(API, data={**TO_CUSTOMER, "Body": body, **fields}, auth=(ACCOUNT, token))


def test_the_stand_in_wants_the_accounts_credentials(web):
    assert create(web, token="wrong").status_code == 401
    assert web.post(API, data={**TO_CUSTOMER, "Body": "x"}).status_code == 401
    assert web.get(API).json()["code"] == 20003


def test_the_stand_in_creates_and_lists_as_twilio_does(web):
    created = [create(web, body).json() for body in ("first", "second")]
    listed = web.get(API, params={"To": TO_CUSTOMER["To"]}, auth=(ACCOUNT, TOKEN)).json()["messages"]
    assert [one["body"] for one in listed] == ["second", "first"]
    assert [one["sid"] for one in listed] == [one["sid"] for one in reversed(created)]
    assert listed[0]["to"] == TO_CUSTOMER["To"]
    elsewhere = web.get(API, params={"To": "whatsapp:+2348000000000"}, auth=(ACCOUNT, TOKEN))
    assert elsewhere.json()["messages"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"body": "a" * 1601}, 21617),
        ({"body": ""}, 21602),
        ({"To": CUSTOMER_NUMBER}, 21211),
        ({"From": ""}, 21211),
    ],
)
def test_the_stand_in_refuses_what_twilio_refuses(web, fields, code):
    answer = create(web, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_body_that_just_fits_is_taken(web):
    assert create(web, "a" * 1600).status_code == 201


def test_a_picture_needs_no_words(web):
    assert create(web, "", MediaUrl="http://x/burger.jpg").json()["num_media"] == "1"


def test_the_events_of_what_is_no_phone_are_refused(web):
    assert web.get("/local-whatsapp/events", params={"phone": "12"}).status_code == 400


def told(lines: Iterator[str], count: int) -> list[dict[str, Any]]:
    """The next messages of an event stream."""
    messages: list[dict[str, Any]] = []
    for line in lines:
        if line.startswith("data:"):
            messages.append(json.loads(line.removeprefix("data:")))
            if len(messages) == count:
                break
    return messages


def test_the_phone_shows_both_sides_as_they_come_and_again_after_reloading(listening, webhook):
    webhook.document = "<Response><Message>Sorry, not now.</Message></Response>"
    listening.post("/local-whatsapp/messages", json=TYPED)
    path = {"url": "/local-whatsapp/events", "params": {"phone": CUSTOMER_NUMBER}}
    with listening.stream("GET", **path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        typed, apology = told(lines, 2)
        assert (typed["direction"], typed["body"]) == ("in", TYPED["text"])
        assert (apology["direction"], apology["body"]) == ("out", "Sorry, not now.")
        assert create(listening, "Added.\n2 × Burger", MediaUrl="http://x/1.jpg").status_code == 201
        (reply,) = told(lines, 1)
        assert (reply["body"], reply["media"]) == ("Added.\n2 × Burger", ["http://x/1.jpg"])
    with listening.stream("GET", **path) as stream:
        assert [one["sid"] for one in told(stream.iter_lines(), 3)] == [
            typed["sid"],
            apology["sid"],
            reply["sid"],
        ]
