"""What real life does: twice, late, the other way round, not at all; and what Twilio answers then."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import yaml
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from tests.environment import CUSTOMER_NUMBER, ENVIRONMENT
from web.local_whatsapp import twilio_api
from whatsapp import window
from whatsapp.identity import Identity

ACCOUNT, TOKEN = ENVIRONMENT["TWILIO_ACCOUNT_SID"], ENVIRONMENT["TWILIO_AUTH_TOKEN"]
API = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
CALLBACK = "https://shop.example/webhooks/whatsapp/status"


def say(web: Any, text: str) -> str:
    answer = web.post(
        "/local-whatsapp/messages", json={"phone": CUSTOMER_NUMBER, "name": "Ada", "text": text}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["sid"])


def press(web: Any, action: str, status: int = 200, **values: Any) -> dict[str, Any]:
    control = {"phone": CUSTOMER_NUMBER, "action": action, **values}
    answer = web.post("/local-whatsapp/controls", json=control)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def send(web: Any, body: str, **fields: str) -> Any:
    """The bot writes to the customer."""
    form = {
        "To": f"whatsapp:{CUSTOMER_NUMBER}",
        "From": "whatsapp:+14155238886",
        "Body": body,
        "StatusCallback": CALLBACK,
        **fields,
    }
    return web.post(API, data=form, auth=(ACCOUNT, TOKEN))


def typed(webhook) -> list[str]:
    """The words of what came to the webhook, in order."""
    return [fields["Body"] for path, fields, _ in webhook.posts if path.endswith("/webhook")]


def statuses(webhook, count: int) -> list[tuple[str, str]]:
    """The status callbacks that came, with their error codes."""
    deadline = time.monotonic() + 10
    while True:
        told = [each for each in webhook.posts if each[0].endswith("/status")]
        if len(told) >= count:
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.02)
    assert all(RequestValidator(TOKEN).validate(CALLBACK, fields, sign) for _, fields, sign in told)
    return [(fields["MessageStatus"], fields.get("ErrorCode", "")) for _, fields, _ in told]


def test_the_last_message_comes_twice_with_one_id(web, webhook):
    assert press(web, "send_twice")["told"] == "This phone has sent nothing yet."
    sid = say(web, "2 burgers")
    press(web, "send_twice")
    first, second = (fields for _, fields, _ in webhook.posts)
    assert first == second and first["MessageSid"] == sid


@pytest.mark.parametrize(
    ("order", "came"), [("oldest first", ["one", "two", "three"]), ("newest first", ["three", "two", "one"])]
)
def test_messages_are_held_and_let_go_in_either_order(web, webhook, order, came):
    assert press(web, "hold")["held"]
    for text in ("one", "two", "three"):
        say(web, text)
    assert typed(webhook) == []
    assert not press(web, "release", order=order)["held"]
    assert typed(webhook) == came
    say(web, "four")
    assert typed(webhook)[-1] == "four"


def test_what_is_held_waits_on_while_the_bot_is_down(web, webhook):
    press(web, "hold")
    say(web, "one")
    webhook.status = 503
    press(web, "release")
    webhook.status = 200
    webhook.shutdown()
    webhook.server_close()
    press(web, "hold")
    say(web, "two")
    assert press(web, "release", status=502)["error"].startswith("The bot does not answer")


def test_a_phone_without_network_sends_and_gets_nothing_until_it_has_one(listening, webhook):
    assert press(listening, "lose_network")["offline"]
    say(listening, "anybody there?")
    assert send(listening, "Your order is ready").status_code == 201
    assert statuses(webhook, 2) == [("queued", ""), ("sent", "")]
    assert typed(webhook) == []
    press(listening, "find_network")
    assert typed(webhook) == ["anybody there?"]
    assert statuses(webhook, 3)[2] == ("delivered", "")


def test_twilio_tells_what_became_of_a_message(listening, webhook):
    url = f"/local-whatsapp/events?phone=%2B{CUSTOMER_NUMBER[1:]}"
    with listening.stream("GET", url) as stream:
        lines = stream.iter_lines()
        next(lines)  # somebody looks at this phone
        assert send(listening, "Hello").status_code == 201
        assert [status for status, _ in statuses(webhook, 4)] == ["queued", "sent", "delivered", "read"]


def test_who_asks_for_no_callback_gets_none(listening, webhook):
    send(listening, "Hello", StatusCallback="")
    send(listening, "Hello", StatusCallback="https://elsewhere.example/status")
    send(listening, "Hello")
    statuses(webhook, 3)
    assert {fields["MessageStatus"] for _, fields, _ in webhook.posts} == {"queued", "sent", "delivered"}
    assert len(webhook.posts) == 3


@pytest.mark.parametrize(("kind", "status", "code"), [("429", 429, 20429), ("21610", 400, 21610)])
def test_twilio_refuses_the_next_messages_at_once(web, kind, status, code):
    assert press(web, "fail", kind=kind, count=2)["faults"] == 2
    for _ in range(2):
        answer = send(web, "Hello")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (answer.headers.get("Retry-After") == "1") == (status == 429)
    assert send(web, "Hello").status_code == 201


@pytest.mark.parametrize("kind", ["63016", "63018"])
def test_whatsapp_refuses_a_message_that_twilio_took(listening, webhook, kind):
    press(listening, "fail", kind=kind)
    assert send(listening, "Hello").status_code == 201
    assert statuses(webhook, 3) == [("queued", ""), ("sent", ""), ("undelivered", kind)]


@pytest.mark.parametrize(("kind", "arrived"), [("timeout", 0), ("answer_lost", 1)])
def test_twilio_does_not_answer(webhook, listening, monkeypatch, kind, arrived):
    press(listening, "fail", kind=kind)
    with pytest.raises(httpx.ReadTimeout):
        listening.post(
            API,
            data={"To": f"whatsapp:{CUSTOMER_NUMBER}", "From": "whatsapp:+1", "Body": "Hello"},
            auth=(ACCOUNT, TOKEN),
            timeout=0.3,
        )
    listed = listening.get(API, params={"To": f"whatsapp:{CUSTOMER_NUMBER}"}, auth=(ACCOUNT, TOKEN))
    assert len(listed.json()["messages"]) == arrived
    assert twilio_api.HANG_SECONDS > 10, "longer than the sender waits"


def test_faults_are_forgotten_and_bounded(web):
    press(web, "fail", kind="429", count=3)
    assert press(web, "fail", kind="none")["faults"] == 0
    for wrong in ({"kind": "500"}, {"kind": "429", "count": 21}, {"kind": "429", "count": "x"}, {}):
        press(web, "fail", status=400, **wrong)
    press(web, "nothing", status=400)


async def test_25_hours_close_window_and_session(web, redis, settings):
    conversation = Identity(settings.privacy).pseudonym(CUSTOMER_NUMBER)
    async with redis.pipeline() as pipeline:
        window.open_in(pipeline, conversation)
        pipeline.set(f"chatcart:session:{conversation}", "{}")
        await pipeline.execute()
    assert "the clock are as they were" in press(web, "jump")["told"]
    assert not await window.is_open(redis, conversation)
    assert await redis.keys("chatcart:session:*") == []


def test_what_is_recorded_is_a_transcript(web: TestClient):
    say(web, "hi")
    send(web, "👋 Welcome to *Mama's <Kitchen>*!")
    press(web, "record")
    say(web, "2 colas")
    send(web, "Added.\n\n🛒 *Your cart*\n1. 2 × Cola · ₦1,600.00\n*Total: ₦1,720.00*")
    answer = web.get("/local-whatsapp/transcript", params={"phone": CUSTOMER_NUMBER, "title": "two colas"})
    assert "attachment" in answer.headers["content-disposition"]
    assert yaml.safe_load(answer.text) == {
        "conversation": "two colas",
        "talk": [
            {
                "customer says": "2 colas",
                "bot sends": ["Added.", "🛒 *Your cart*", "1. 2 × Cola · ₦1,600.00"],
            }
        ],
    }
    assert web.get("/local-whatsapp/transcript", params={"phone": "12"}).status_code == 400
