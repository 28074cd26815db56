"""What Twilio posts: taken as it is sent, refused when it was not Twilio who sent it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.environment import CUSTOMER_NUMBER
from whatsapp.inbound import (
    InboundMessage,
    Kind,
    MalformedRequest,
    is_signed,
    parse_form,
    parse_message,
)

URL = "http://127.0.0.1:4000/webhooks/whatsapp/webhook"
SHOP_NUMBER = "+14155238886"
FIELDS = {
    "MessageSid": "SM0123456789",
    "From": f"whatsapp:{CUSTOMER_NUMBER}",
    "To": f"whatsapp:{SHOP_NUMBER}",
    "ProfileName": "Ada 🍔",
    "Body": "2 burgers & a coke = 100%",
    "ButtonText": "",
}


def signature(fields: dict[str, str], token: str = "test-token", url: str = URL) -> str:
    """Twilio's own signature."""
    return RequestValidator(token).compute_signature(url, fields)


def test_a_form_keeps_blank_values_and_every_character():
    assert parse_form(urlencode(FIELDS).encode()) == FIELDS


def test_a_form_with_unknown_fields_is_taken():
    assert parse_form(b"MessageSid=SM1&NewThisYear=yes") == {"MessageSid": "SM1", "NewThisYear": "yes"}


def test_an_empty_body_has_no_fields():
    assert parse_form(b"") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"Body=\xff\xfe",
        b"Body=%ff%fe",
        b"Body=%ED%A0%80",
        "&".join(f"f{number}=1" for number in range(400)).encode(),
        b"Body=one&Body=two",
        b"From=%2B1&From=",
        b"Body=a%00b",
        b"Body=a\0b",
        b"Bo%00dy=ab",
    ],
    ids=["raw", "escaped", "surrogate", "400 fields", "twice", "twice blank", "NUL", "raw NUL", "NUL name"],
)
def test_a_form_that_twilio_does_not_send_is_refused(body):
    with pytest.raises(MalformedRequest):
        parse_form(body)


def test_what_twilio_signed_is_taken():
    assert is_signed(URL, FIELDS, signature(FIELDS), ["test-token"])


@pytest.mark.parametrize("given", [None, "", "x", "é" * 28, "A" * 28])
def test_no_signature_or_an_invented_one_is_refused(given):
    assert not is_signed(URL, FIELDS, given, ["test-token"])


def test_another_accounts_signature_is_refused():
    assert not is_signed(URL, FIELDS, signature(FIELDS, token="another"), ["test-token"])


@pytest.mark.parametrize(
    "altered",
    [
        {**FIELDS, "Body": "200 burgers"},
        {**FIELDS, "From": "whatsapp:+2348031234568"},
        {**FIELDS, "Extra": "1"},
        {name: value for name, value in FIELDS.items() if name != "To"},
    ],
)
def test_a_field_that_was_altered_added_or_taken_away_breaks_the_signature(altered):
    assert not is_signed(URL, altered, signature(FIELDS), ["test-token"])


def test_a_blank_field_is_part_of_what_is_signed():
    without = {name: value for name, value in FIELDS.items() if name != "ButtonText"}
    assert not is_signed(URL, without, signature(FIELDS), ["test-token"])


@pytest.mark.parametrize(
    "url", [URL + "?a=b", URL.replace("whatsapp/webhook", "whatsapp/status"), URL.replace("http:", "https:")]
)
def test_a_signature_counts_for_one_address_only(url):
    assert not is_signed(url, FIELDS, signature(FIELDS), ["test-token"])


@pytest.mark.parametrize("token", ["test-token", "next-token"])
def test_while_tokens_rotate_both_sign(token):
    assert is_signed(URL, FIELDS, signature(FIELDS, token=token), ["test-token", "next-token"])


def test_a_text_message_has_an_id_a_conversation_and_a_sealed_address(identity):
    message = parse_message(FIELDS, identity, SHOP_NUMBER)
    assert (message.id, message.kind, message.text) == ("SM0123456789", Kind.TEXT, FIELDS["Body"])
    assert message.conversation == identity.pseudonym(CUSTOMER_NUMBER)
    assert identity.unseal(message.address) == CUSTOMER_NUMBER
    assert message.profile_name == "Ada 🍔"


def test_a_pressed_button_says_its_text(identity):
    message = parse_message({**FIELDS, "Body": "", "ButtonText": "Checkout"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.TEXT, "Checkout")


@pytest.mark.parametrize(
    "content",
    [
        {"Body": "", "NumMedia": "1", "MediaUrl0": "https://api.twilio.com/voice.ogg"},
        {"Body": "  \n", "Latitude": "6.5", "Longitude": "3.4"},
    ],
)
def test_a_voice_note_or_a_place_is_unreadable(identity, content):
    message = parse_message({**FIELDS, **content}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.UNREADABLE, "")


def test_a_picture_with_a_caption_is_its_caption(identity):
    message = parse_message({**FIELDS, "Body": "two of these", "NumMedia": "1"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.TEXT, "two of these")


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
@pytest.mark.parametrize("how", ["absent", "blank"])
def test_a_message_without_id_or_sender_is_refused(identity, missing, how):
    fields = {**FIELDS, missing: ""}
    if how == "absent":
        del fields[missing]
    with pytest.raises(MalformedRequest):
        parse_message(fields, identity, SHOP_NUMBER)


def test_the_older_name_of_the_id_is_understood(identity):
    fields = {**FIELDS, "MessageSid": "", "SmsMessageSid": "SM9"}
    assert parse_message(fields, identity, SHOP_NUMBER).id == "SM9"


@pytest.mark.parametrize("number", [CUSTOMER_NUMBER, "0803 123 4567", "0803-765-4321", "(415) 555-2671"])
def test_a_number_typed_at_an_american_shop_by_a_nigerian_is_masked(identity, number):
    message = parse_message({**FIELDS, "Body": f"call {number}"}, identity, SHOP_NUMBER)
    assert message.text == "call •••"


def test_nothing_that_waits_holds_a_number_in_clear(identity):
    waiting = parse_message({**FIELDS, "Body": f"I am {CUSTOMER_NUMBER}"}, identity, SHOP_NUMBER).to_json()
    assert "8031234567" not in waiting


def test_a_very_long_text_is_cut(identity):
    message = parse_message({**FIELDS, "Body": "a" * 60_000}, identity, SHOP_NUMBER)
    assert len(message.text) == 4096


@pytest.mark.parametrize(
    "message",
    [
        InboundMessage("SM1", "c", "sealed", Kind.TEXT, "jollof 🍚", "Ada"),
        InboundMessage("SM2", "c", "sealed", Kind.UNREADABLE),
        InboundMessage("7", "c", "sealed", Kind.EVENT, event="payment_confirmed", data={"amount": "5912.50"}),
    ],
)
def test_a_message_survives_the_stream(message):
    assert InboundMessage.from_json(message.to_json()) == message
    json.loads(message.to_json())
