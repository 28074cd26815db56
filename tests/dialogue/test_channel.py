"""The webhook: what it takes, what it refuses, and what it says when it cannot keep a message."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from sanic.compat import Header
from sanic.request import Request
from twilio.request_validator import RequestValidator

from dialogue.channel import MOST_BYTES, WhatsAppInput
from settings import read_settings
from tests.environment import CUSTOMER_NUMBER

PATH = "/webhooks/whatsapp/webhook"
BASE = "http://127.0.0.1:4000"
FIELDS = {"MessageSid": "SM1", "From": f"whatsapp:{CUSTOMER_NUMBER}", "Body": "hi", "ButtonText": ""}
FORM = "application/x-www-form-urlencoded"


def signed(fields: dict[str, str], url: str = BASE + PATH, token: str = "test-token") -> str:
    """Twilio's own signature."""
    return RequestValidator(token).compute_signature(url, fields)


def request(
    body: bytes,
    signature: str | None = None,
    *,
    path: str = PATH,
    content_type: str | None = FORM,
    **headers: str,
) -> Request:
    """A request as Sanic hands it over."""
    given = {"host": "attacker.example", **headers}
    if content_type is not None:
        given["content-type"] = content_type
    if signature is not None:
        given["x-twilio-signature"] = signature
    made = Request(path.encode(), Header(given), "1.1", "POST", None, None)
    made.body = body
    return made


def posted(fields: dict[str, str] = FIELDS) -> Request:
    """A request of Twilio's."""
    return request(urlencode(fields).encode(), signed(fields))


@pytest.fixture
def channel(monkeypatch) -> WhatsAppInput:
    """The channel; its Redis is out of reach."""
    monkeypatch.setenv("REDIS_PORT", "1")
    return WhatsAppInput(read_settings())


def refused(channel: WhatsAppInput, made: Request) -> int | None:
    """The status of the refusal; None where the request is taken."""
    fields, answer = channel._checked(made)
    return None if fields is not None else answer.status


def test_what_twilio_posts_is_taken_with_its_blank_fields(channel):
    fields, _ = channel._checked(posted())
    assert fields == FIELDS


def test_the_address_that_was_signed_is_the_public_one_whatever_the_headers_say(channel):
    headers = {"x-forwarded-host": "shop.example", "x-forwarded-proto": "https"}
    body = urlencode(FIELDS).encode()
    assert refused(channel, request(body, signed(FIELDS), **headers)) is None
    elsewhere = signed(FIELDS, f"https://shop.example{PATH}")
    assert refused(channel, request(body, elsewhere, **headers)) == 403


def test_a_query_is_part_of_the_address(channel):
    body, path = urlencode(FIELDS).encode(), f"{PATH}?shop=1"
    assert refused(channel, request(body, signed(FIELDS, BASE + path), path=path)) is None
    assert refused(channel, request(body, signed(FIELDS), path=path)) == 403


@pytest.mark.parametrize("signature", [None, "", "AAAA", signed(FIELDS, token="another")])
def test_without_twilios_signature_nothing_is_taken(channel, signature):
    assert refused(channel, request(urlencode(FIELDS).encode(), signature)) == 403


def test_an_altered_body_is_refused(channel):
    altered = urlencode({**FIELDS, "Body": "200 burgers"}).encode()
    assert refused(channel, request(altered, signed(FIELDS))) == 403


def test_the_next_token_is_taken_during_rotation(monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_NEXT", "next-token")
    made = request(urlencode(FIELDS).encode(), signed(FIELDS, token="next-token"))
    assert refused(WhatsAppInput(read_settings()), made) is None


def test_64_kilobytes_are_taken_and_one_more_byte_is_not(channel):
    fields = {"Body": "a" * (MOST_BYTES - len("Body="))}
    assert refused(channel, posted(fields)) is None
    fields["Body"] += "a"
    assert refused(channel, posted(fields)) == 413


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "multipart/form-data; boundary=x", "text/plain"]
)
def test_what_is_no_form_is_refused(channel, content_type):
    made = request(urlencode(FIELDS).encode(), signed(FIELDS), content_type=content_type)
    assert refused(channel, made) == 415


def test_a_form_may_name_its_character_set(channel):
    made = request(urlencode(FIELDS).encode(), signed(FIELDS), content_type=f"{FORM}; charset=UTF-8")
    assert refused(channel, made) is None


@pytest.mark.parametrize("body", [b"Body=%ff", b"Body=1&Body=2", b"Body=%00"])
def test_a_form_that_twilio_does_not_send_is_refused(channel, body):
    assert refused(channel, request(body, "AAAA")) == 400


async def test_a_signed_message_without_sender_is_refused(channel):
    assert (await channel._receive(posted({"MessageSid": "SM1", "Body": "hi"}))).status == 400


async def test_when_redis_is_down_the_answer_apologises(channel, caplog):
    answer = await channel._receive(posted())
    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert b"<Message>Sorry, we cannot take messages right now." in answer.body
    assert CUSTOMER_NUMBER not in caplog.text


async def test_a_forged_message_gets_no_apology(channel):
    answer = await channel._receive(request(urlencode(FIELDS).encode(), "AAAA"))
    assert answer.status == 403


async def test_a_delivery_that_cannot_be_noted_is_told_again(channel, caplog):
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "63016", "To": FIELDS["From"]}
    assert (await channel._status(posted(fields))).status == 503
    assert CUSTOMER_NUMBER not in caplog.text


@pytest.mark.parametrize("changed", [{"MessageSid": ""}, {"MessageSid": "S\nM"}, {"ErrorCode": "x"}])
async def test_what_is_no_status_is_refused(channel, changed):
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "63016", **changed}
    assert (await channel._status(posted(fields))).status == 400


async def test_a_forged_delivery_callback_is_refused(channel):
    assert (await channel._status(request(b"MessageSid=SM1&MessageStatus=read", "AAAA"))).status == 403


def handshake(**values: str) -> Request:
    """Meta's verification of a webhook."""
    query = urlencode({f"hub.{name}": value for name, value in values.items()})
    return Request(f"{PATH}?{query}".encode(), Header({}), "1.1", "GET", None, None)


async def test_who_knows_the_token_gets_the_challenge_back(channel):
    answer = await channel._handshake(
        handshake(mode="subscribe", verify_token="test-verify-token", challenge="1158201444")
    )
    assert (answer.status, answer.body) == (200, b"1158201444")


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "subscribe", "verify_token": "guess"},
        {"mode": "subscribe", "verify_token": "tökén"},
        {"mode": "subscribe"},
        {"mode": "unsubscribe", "verify_token": "test-verify-token"},
        {"verify_token": "test-verify-token"},
        {},
    ],
)
async def test_who_does_not_know_the_token_gets_nothing_back(channel, values):
    answer = await channel._handshake(handshake(**values, challenge="1158201444"))
    assert answer.status == 403
    assert b"1158201444" not in answer.body


def test_rasa_finds_the_channel_by_its_name():
    assert WhatsAppInput.name() == "whatsapp"
    assert isinstance(WhatsAppInput.from_credentials(None), WhatsAppInput)
