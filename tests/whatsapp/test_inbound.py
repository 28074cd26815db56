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
from whatsapp.redaction import CARD_MARK

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
        {"Body": "", "Latitude": "", "Longitude": ""},
        {"Body": "  \n", "Latitude": "91", "Longitude": "3.4"},
    ],
)
def test_a_voice_note_or_a_place_nowhere_is_unreadable(identity, content):
    message = parse_message({**FIELDS, **content}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.UNREADABLE, "")


def test_a_picture_with_a_caption_is_its_caption(identity):
    message = parse_message({**FIELDS, "Body": "two of these", "NumMedia": "1"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.TEXT, "two of these")


PIN = {**FIELDS, "Body": "", "Latitude": "6.6018", "Longitude": "3.3515"}


def test_a_pin_on_the_map_is_a_location(identity):
    place = {"Address": "12 Allen Avenue, Ikeja 100271", "Label": "Ikeja City Mall"}
    message = parse_message({**PIN, **place}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.LOCATION, "")
    assert message.data == {
        "latitude": "6.6018",
        "longitude": "3.3515",
        "address": "12 Allen Avenue, Ikeja 100271",
        "label": "Ikeja City Mall",
    }


def test_a_pin_without_a_name_or_with_words_is_a_location_too(identity):
    message = parse_message({**PIN, "Body": "my gate"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.LOCATION, "my gate")
    assert message.data == {"latitude": "6.6018", "longitude": "3.3515", "address": "", "label": ""}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("6.60180012345", "6.6018"),
        ("-33.8567844", "-33.856784"),
        ("0", "0"),
        ("-0.0", "0"),
        ("90", "90"),
        ("-90.000000", "-90"),
        ("1.0E-5", "0.00001"),
        ("1e-99999999", "0"),
        ("+10", "10"),
    ],
)
def test_a_coordinate_is_kept_with_six_decimals_at_most(identity, given, kept):
    message = parse_message({**PIN, "Latitude": given, "Longitude": given}, identity, SHOP_NUMBER)
    assert message.data is not None
    assert (message.data["latitude"], message.data["longitude"]) == (kept, kept)


@pytest.mark.parametrize(
    "malformed",
    [
        {"Latitude": "90.000001"},
        {"Latitude": "-91"},
        {"Longitude": "180.1"},
        {"Longitude": "-181"},
        {"Latitude": "NaN"},
        {"Latitude": "sNaN"},
        {"Longitude": "Infinity"},
        {"Longitude": "-inf"},
        {"Latitude": "1e999999999999999999999"},
        {"Latitude": "here"},
        {"Latitude": "6,6018"},
        {"Latitude": ""},
        {"Longitude": " "},
        {"Longitude": "3." + "0" * 60},
    ],
)
def test_a_malformed_pin_is_unreadable_unless_there_are_words(identity, malformed):
    message = parse_message({**PIN, **malformed}, identity, SHOP_NUMBER)
    assert (message.kind, message.data) == (Kind.UNREADABLE, None)
    message = parse_message({**PIN, **malformed, "Body": "menu"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text, message.data) == (Kind.TEXT, "menu", None)


def test_half_a_pin_is_unreadable(identity):
    fields = {name: value for name, value in PIN.items() if name != "Longitude"}
    assert parse_message(fields, identity, SHOP_NUMBER).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "typed",
    [
        {"Body": "2 burgers, my card is 4111 1111 1111 1111"},
        {"Body": "", "ButtonText": "4111111111111111"},
        {"Body": "cvv 123"},
        {"Body": "4111111111111111", "Latitude": "6.6", "Longitude": "3.3"},
        {"Body": "", "Latitude": "6.6", "Longitude": "3.3", "Label": "4111-1111-1111-1111"},
        {"Body": "", "Latitude": "6.6", "Longitude": "3.3", "Address": "4111.1111.1111.1111"},
        {"Body": "4111111111111111", "NumMedia": "1"},
    ],
)
def test_whatever_else_it_says_a_message_with_a_card_number_is_one(identity, typed):
    message = parse_message({**FIELDS, **typed}, identity, SHOP_NUMBER)
    assert (message.kind, message.data) == (Kind.CARD_NUMBER, None)
    assert "1111" not in message.to_json()
    assert "123" not in message.text


def test_a_card_number_as_a_profile_name_is_removed_without_locking_its_customer_out(identity):
    message = parse_message({**FIELDS, "ProfileName": "Ada 4111 1111 1111 1111"}, identity, SHOP_NUMBER)
    assert (message.kind, message.text) == (Kind.TEXT, FIELDS["Body"])
    assert message.profile_name == f"Ada {CARD_MARK}"


@pytest.mark.parametrize("field", ["ProfileName", "Address", "Label", "Body"])
def test_no_field_that_is_kept_holds_a_number(identity, field):
    waiting = parse_message({**PIN, field: "me 0803 765 4321"}, identity, SHOP_NUMBER).to_json()
    assert "765" not in waiting


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


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "4111111111111111", "0803 765 4321"])
@pytest.mark.parametrize("inside", range(1, 20))
def test_a_number_that_the_cut_goes_through_leaves_nothing_behind(identity, number, inside):
    body = "a" * (4096 - inside) + number + " b" * 40
    text = parse_message({**FIELDS, "Body": body}, identity, SHOP_NUMBER).text
    assert not any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    "message",
    [
        InboundMessage("SM1", "c", "sealed", Kind.TEXT, "jollof 🍚", "Ada"),
        InboundMessage("SM2", "c", "sealed", Kind.UNREADABLE),
        InboundMessage("7", "c", "sealed", Kind.EVENT, event="payment_confirmed", data={"amount": "5912.50"}),
        InboundMessage("SM3", "c", "sealed", Kind.LOCATION, data={"latitude": "6.6", "longitude": "3.3"}),
        InboundMessage("SM4", "c", "sealed", Kind.CARD_NUMBER, CARD_MARK),
    ],
)
def test_a_message_survives_the_stream(message):
    assert InboundMessage.from_json(message.to_json()) == message
    json.loads(message.to_json())


@pytest.mark.parametrize("kind", ["text", "unreadable", "event"])
def test_a_message_that_waited_while_a_new_version_came_is_read(kind):
    waiting = {
        "id": "SM1",
        "conversation": "c",
        "address": "sealed",
        "kind": kind,
        "text": "2 burgers",
        "profile_name": None,
        "event": None,
        "data": None,
    }
    assert InboundMessage.from_json(json.dumps(waiting)) == InboundMessage(
        "SM1", "c", "sealed", Kind(kind), "2 burgers"
    )
