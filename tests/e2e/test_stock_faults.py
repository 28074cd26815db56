"""What stock Rasa 3.6.21 gets wrong, fault by fault, in the order in which they were found: here it is right.

Each fault was reproduced in a stock project; these run against the whole system.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.exceptions import HTTPException
from twilio.request_validator import RequestValidator

from tests.e2e.rows import cart_of, latest_order_of, pseudonym
from tests.e2e.sabotage import (
    ReluctantPhones,
    all_answers,
    another_rasa,
    answers,
    close_connections,
    events_of,
    redis_of,
    redis_valve,
    session_of,
)
from tests.e2e.system import Phone, System
from web.local_whatsapp.network import WEBHOOK_PATH

TWILIO_WAITS_SECONDS = 15.0
"""Twilio gives a webhook so long to answer."""
APOLOGY = "<Message>Sorry, we cannot take messages right now."
MEDIA = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/picture", "MediaContentType0": "image/jpeg"}
PIN = {"Latitude": "6.601838", "Longitude": "3.351486", "Label": "Blue gate", "Address": "12 Allen Avenue"}
UNKNOWN_TOKEN = "0123456789abcdef" * 2
SHOPPING = {
    "1 cola": ("Cola", 1),
    "2 zobo": ("Zobo", 2),
    "3 meat pies": ("Meat Pie", 3),
    "1 moi moi": ("Moi Moi", 1),
    "2 chapman": ("Chapman", 2),
    "3 puff puff": ("Puff Puff", 3),
    "1 fruit salad": ("Fruit Salad", 1),
    "2 fudge brownies": ("Fudge Brownie", 2),
}
"""What one can say, and what it adds to the cart."""


@pytest.fixture
def phone(new_phone: Callable[[], Phone]) -> Phone:
    """A customer's phone."""
    return new_phone()


def post_signed(
    system: System,
    fields: Mapping[str, str],
    signature: str | None,
    client: httpx.Client | None = None,
    port: int | None = None,
) -> httpx.Response:
    """Post a form with any signature, to any of the servers."""
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    server = f"http://127.0.0.1:{port or system.settings.rasa_port}"
    post = client.post if client else httpx.post
    return post(server + WEBHOOK_PATH, data=dict(fields), headers=headers, timeout=60)


def signature_of(system: System, fields: Mapping[str, str], token: str | None = None) -> str:
    """Twilio's signature, or that of somebody with another token."""
    url = system.settings.public_base_url + WEBHOOK_PATH
    return RequestValidator(token or system.settings.whatsapp.auth_tokens[0]).compute_signature(url, fields)


def test_forged_or_missing_signature(system: System, phone: Phone) -> None:
    """Stock accepts it; here it is refused, and nothing of it is kept or answered."""
    fields = phone.fields("2 colas")
    genuine = signature_of(system, fields)
    for signature in (None, "", "AAAA", signature_of(system, fields, "another token")):
        assert post_signed(system, fields, signature).status_code == 403
    assert post_signed(system, {**fields, "Body": "99 colas"}, genuine).status_code == 403
    assert answers(phone) == []
    assert post_signed(system, fields, genuine).status_code == 200, "the id was not used up"
    assert len(answers(phone)) == 1
    assert cart_of(system, phone) == {"Cola": 2}


def test_same_message_sid_twice(system: System, phone: Phone) -> None:
    """Stock answers twice; here once, whether the second comes at once or after the answer."""
    fields = phone.fields("2 colas")
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(system.post, [fields] * 4)} == {200}
    assert len(answers(phone)) == 1
    assert system.post(fields).status_code == 200
    assert len(answers(phone)) == 1
    assert cart_of(system, phone) == {"Cola": 2}


def test_1_mb_body(system: System, phone: Phone) -> None:
    """Stock works for 25.7 s and answers 500; here it is refused, and 20 KB are answered as any text."""
    large = system.post(phone.fields("2 colas " * 131_072), timeout=TWILIO_WAITS_SECONDS)
    assert large.status_code == 413
    assert answers(phone) == []
    assert system.post(phone.fields("blah " * 4_000)).status_code == 200
    assert len(answers(phone)) == 1
    assert system.post(phone.fields("2 colas")).status_code == 200
    assert "2 × Cola" in answers(phone)[1]


def test_no_body(system: System, phone: Phone) -> None:
    """Stock answers 500; here a picture without caption is told that only text can be read."""
    captions: list[dict[str, str]] = [{"Body": ""}, {"Body": " "}, {}]
    for caption in captions:
        fields = {**phone.fields(""), **MEDIA}
        del fields["Body"]
        assert system.post({**fields, **caption}).status_code == 200
    told = answers(phone)
    assert len(told) == 3
    assert all("I can only read text" in text for text in told)


def test_location(system: System, phone: Phone) -> None:
    """Stock makes pseudo-JSON of it and loses the coordinates; here it is a place, and this shop answers."""
    assert system.post({**phone.fields(""), **PIN}).status_code == 200
    (told,) = answers(phone)
    assert "we do not deliver" in told
    (heard,) = events_of(phone, "user")
    assert heard["text"] == ""
    assert heard["metadata"]["event"] == {
        "latitude": "6.601838",
        "longitude": "3.351486",
        "label": "Blue gate",
        "address": "12 Allen Avenue",
    }


def test_button_payload_and_list_id(system: System, phone: Phone) -> None:
    """Stock ignores them; here what the customer reads counts, and an unknown token does nothing."""
    pressed = {**phone.fields(""), "ButtonPayload": UNKNOWN_TOKEN, "ButtonText": "2 colas"}
    assert system.post(pressed).status_code == 200
    assert "2 × Cola" in answers(phone)[-1]
    picked = {**phone.fields(""), "ListId": "/payment_confirmed{}", "ListTitle": "Burgers"}
    assert system.post(picked).status_code == 200
    assert "1. Classic Beef Burger" in answers(phone)[-1]
    command = {**phone.fields("cart"), "ButtonPayload": "/clear_cart", "ButtonText": "Clear my cart"}
    assert system.post(command).status_code == 200
    assert "2 × Cola" in answers(phone)[-1]
    assert len(answers(phone)) == 3
    assert cart_of(system, phone) == {"Cola": 2}


def test_customer_types_a_command(system: System, phone: Phone) -> None:
    """Stock executes it with confidence 1.0; here it is a text: no order, no payment, no restart."""
    phone.say("2 colas")
    assert "Shall I place it?" in type_command(phone, "/checkout"), "as the word would be understood"
    type_command(phone, '/select_product{"quantity":"-5"}')
    assert cart_of(system, phone) == {"Cola": 2}
    assert latest_order_of(system, phone) == {}
    phone.say("checkout")
    assert "/payments/sandbox/" in phone.say("yes")
    assert "Payment received" not in type_command(phone, " /payment_confirmed{}")
    order = latest_order_of(system, phone)
    assert (order["status"], order["payment"]) == ("awaiting_payment", "pending")
    assert "Fresh start" in type_command(phone, "/restart"), "what the word means to a shop"
    assert events_of(phone, "restart") == []


def type_command(phone: Phone, command: str) -> str:
    """What is answered to a command, which was heard as a text."""
    answer = phone.say(command)
    heard = events_of(phone, "user")[-1]
    assert heard["text"] == command.lstrip(" /")
    assert len(heard["parse_data"]["intent_ranking"]) > 1, "no intent was given"
    return answer


def test_twilio_429_or_error(system: System, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock logs it once and the message is lost; here it is repeated until Twilio takes it, once."""
    busy = HTTPException(429, headers={"Retry-After": "1"})
    phones = system.twilio._stand_in.phones
    reluctant = ReluctantPhones(phones, [busy, HTTPException(500), HTTPException(429)])
    monkeypatch.setattr(phones, "add", reluctant.add)
    assert system.post(phone.fields("2 colas")).status_code == 200
    told = answers(phone)
    assert len(told) == 1
    assert "2 × Cola" in told[0]
    assert reluctant.asked == told * 4


def test_action_server_down_or_action_raises(system: System, phone: Phone) -> None:
    """Stock says nothing, and takes the action for executed; here the turn is repeated: one normal answer."""
    down = system.taps["rasa_actions"].set(b"POST /webhook", after=False, kill=lambda: system.kill("actions"))
    assert system.post(phone.fields("2 colas")).status_code == 200
    assert down.sprung.wait(20)
    system.start("actions")
    assert len(answers(phone)) == 1
    assert "2 × Cola" in answers(phone)[0]

    raises = system.taps["actions_postgres"].set(b"COMMIT", after=False, kill=lambda: None)
    assert system.post(phone.fields("1 zobo")).status_code == 200
    assert raises.sprung.wait(20)
    assert "1 × Zobo" in answers(phone)[-1]
    assert len(answers(phone)) == 2
    assert cart_of(system, phone) == {"Cola": 2, "Zobo": 1}


def test_redis_down(system: System, phone: Phone) -> None:
    """Stock answers 500 or nothing; here the answer itself apologises, and later everything goes on."""
    fields = phone.fields("2 colas")
    with redis_valve(system) as valve:
        valve.refuses = True
        close_connections(system)
        answer = system.post(fields)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/xml")
        assert APOLOGY in answer.text
    assert answers(phone) == []
    assert "2 × Cola" in phone.say("2 colas", 30)
    assert len(answers(phone)) == 1
    assert cart_of(system, phone) == {"Cola": 2}


def test_redis_stalled(system: System, phone: Phone) -> None:
    """Stock freezes as a whole; here the process goes on, and apologises before Twilio stops waiting."""
    with redis_valve(system) as valve, ThreadPoolExecutor(1) as pool:
        phone.say("hello", 30)
        valve.stall()
        started = time.monotonic()
        posted = pool.submit(system.post, phone.fields("2 colas"), 60)
        while not posted.done():
            health = httpx.get(f"{system.settings.rasa_url}/webhooks/whatsapp/", timeout=5)
            assert health.status_code == 200
            time.sleep(0.2)
        took = time.monotonic() - started
        assert posted.result().status_code == 200
        assert APOLOGY in posted.result().text
        assert took < TWILIO_WAITS_SECONDS
    told = answers(phone)
    assert len(told) == 2, "Redis had taken it in, and answered too late"
    assert "2 × Cola" in told[1]


def test_three_messages_at_once(system: System, phone: Phone) -> None:
    """Stock answers the third late, as its lock polls; here all three, in order, each once."""
    texts = list(SHOPPING)[:3]
    for text in texts:
        assert system.post(phone.fields(text)).status_code == 200
    assert_shopped(phone, texts)


def test_killed_mid_message(system: System, phone: Phone) -> None:
    """Stock leaves a lock behind that makes the next message wait 34 s; here both are answered, each once."""
    texts = list(SHOPPING)[:2]
    trap = system.taps["rasa_actions"].set(b"POST /webhook", after=False, kill=lambda: system.kill("rasa"))
    assert system.post(phone.fields(texts[0])).status_code == 200
    assert trap.sprung.wait(20)
    system.start("rasa")
    assert system.post(phone.fields(texts[1])).status_code == 200
    assert_shopped(phone, texts)


def test_two_processes_one_conversation(system: System, phone: Phone) -> None:
    """Stock gives both the same ticket and loses events; here all are served once and in order."""
    with another_rasa(system) as (port, process_id):
        consumers = redis_of(system).xinfo_consumers("chatcart:inbound", "workers")
        assert any(f":{process_id}:" in consumer["name"] for consumer in consumers)
        for number, text in enumerate(SHOPPING):
            fields = phone.fields(text)
            server = port if number % 2 else None
            answer = post_signed(system, fields, signature_of(system, fields), port=server)
            assert answer.status_code == 200
        assert_shopped(phone, list(SHOPPING))


LEAST_TURNS_KEPT = 3
"""Of a long conversation, a session keeps the last turns (`dialogue/bounded_history.py`)."""


def assert_shopped(phone: Phone, texts: list[str]) -> None:
    """Each text was answered once, in order, and is in the cart and in the session."""
    told = answers(phone)
    assert len(told) == len(texts)
    for text, answer in zip(texts, told, strict=True):
        name, quantity = SHOPPING[text]
        assert f"{quantity} × {name}" in answer
    assert list(cart_of(phone.system, phone).items()) == [SHOPPING[text] for text in texts]
    heard = [event["text"] for event in events_of(phone, "user")]
    assert len(heard) >= min(len(texts), LEAST_TURNS_KEPT)
    assert heard == texts[-len(heard) :]


def test_128_conversations(system: System) -> None:
    """Stock loses 14 to 22 answers to closed connections; here each of 128 customers gets one."""
    phones = [Phone(system, f"+2347030000{number:03d}") for number in range(128)]

    def ask(phone: Phone) -> int:
        fields = phone.fields("menu")
        return post_signed(system, fields, signature_of(system, fields), client).status_code

    with httpx.Client(limits=httpx.Limits(max_connections=128)) as client, ThreadPoolExecutor(128) as pool:
        assert set(pool.map(ask, phones)) == {200}
    told = all_answers(system, *phones, seconds=120)
    assert [len(texts) for texts in told] == [1] * 128
    assert all("1. Burgers" in texts[0] for texts in told)


def test_old_sessions_in_the_tracker(system: System, phone: Phone) -> None:
    """Stock keeps every turn for ever; here a session ends by itself, and stays as small as it was."""
    sizes = []
    for _ in range(4):
        redis_of(system).delete(f"chatcart:inbound:rate:{pseudonym(system, phone)}")  # a minute later
        for _ in range(10):
            assert system.post(phone.fields("cart")).status_code == 200
        told = answers(phone, 60)
        sizes.append(len(session_of(phone)))
    assert len(told) == 40
    assert max(sizes[1:]) < sizes[0] * 1.25, f"characters after 10, 20, 30, 40 messages: {sizes}"
    seconds = redis_of(system).ttl(f"chatcart:session:{pseudonym(system, phone)}")
    assert 0 < seconds <= system.settings.session_minutes * 60


def test_upside_down_exclamation_mark_and_blank_lines_and_buttons(system: System, phone: Phone) -> None:
    """Stock makes @ of ¡, and several messages of one; here ¡ stays, and one answer is one message."""
    for text in ("¡2 colas!", "menu", "checkout"):
        assert system.post(phone.fields(text)).status_code == 200
    added, menu, review = answers(phone)
    assert "2 × Cola" in added
    assert "1. Burgers" in menu and "6. Desserts" in menu
    assert review.count("\n\n") >= 2 and "*yes*" in review and "*no*" in review
    assert events_of(phone, "user")[0]["text"] == "¡2 colas!"
