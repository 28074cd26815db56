"""What Twilio posts for an incoming WhatsApp message, checked and parsed."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from whatsapp.choices import TOKEN
from whatsapp.identity import Identity, InvalidAddress, number_of
from whatsapp.redaction import Redacted, redact

MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_FIELDS = 200
SAID = ("Body", "ButtonText", "ListTitle")
"""The fields that say what the customer reads as said, the first that is there."""
MOST_CHARACTERS = 4096
MOST_COORDINATE_CHARACTERS = 32
MOST_LATITUDE = 90
MOST_LONGITUDE = 180
# A tenth of a metre; what a phone measures is coarser.
COORDINATE_STEP = Decimal("0.000001")


class MalformedRequest(ValueError):
    """A webhook body that Twilio does not send."""


class Kind(str, enum.Enum):
    """What a message on the inbound stream is."""

    TEXT = "text"
    UNREADABLE = "unreadable"
    """A picture, voice note or contact: answered politely."""
    LOCATION = "location"
    """A pin on the map; `data` holds latitude, longitude, address and label, all strings."""
    CARD_NUMBER = "card_number"
    """A message from which a card number was removed, whatever else it says."""
    TOO_MANY = "too_many"
    """More messages in a minute than anybody types: answered once."""
    EVENT = "event"
    """Something that the shop itself has to tell."""


@dataclass(frozen=True)
class InboundMessage:
    """One message on its way to the dialogue.

    `id` is Twilio's MessageSid or the outbox row's id; `conversation` the pseudonym of the number;
    `address` the number, sealed. An event carries its intent in `event` and its values in `data`, which
    also holds where a location is. `choice` is the token of a pressed button or a picked row.
    """

    id: str
    conversation: str
    address: str
    kind: Kind
    text: str = ""
    profile_name: str | None = None
    event: str | None = None
    data: dict[str, Any] | None = None
    choice: str | None = None

    def to_json(self) -> str:
        """The form in which it waits on the stream."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, body: str) -> InboundMessage:
        """The message that `to_json` wrote."""
        values = json.loads(body)
        return cls(**{**values, "kind": Kind(values["kind"])})


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of a form body, blank ones included.

    Raises:
        MalformedRequest: not UTF-8, too many fields, NUL bytes, or a field given twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise MalformedRequest("not a form that Twilio sends") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedRequest("a field is given twice")
    if any("\0" in part for pair in pairs for part in pair):
        raise MalformedRequest("a NUL byte in a field")
    return fields


def is_signed(url: str, fields: Mapping[str, str], signature: str | None, auth_tokens: Sequence[str]) -> bool:
    """Whether Twilio signed these fields for this URL with one of the tokens.

    Source: Twilio, "Validating signatures from Twilio" (HMAC-SHA1 over URL and sorted fields).
    """
    if not signature:
        return False
    return any(RequestValidator(token).validate(url, dict(fields), signature) for token in auth_tokens)


def parse_message(fields: Mapping[str, str], identity: Identity, home_number: str) -> InboundMessage:
    """The message that Twilio's fields describe, without any number in clear.

    Raises:
        MalformedRequest: no usable MessageSid or sender.
    """
    message_id = fields.get("MessageSid") or fields.get("SmsMessageSid") or ""
    if not MESSAGE_ID.fullmatch(message_id):
        raise MalformedRequest("no usable MessageSid")
    try:
        number = number_of(fields.get("From", ""))
    except InvalidAddress:
        raise MalformedRequest("no usable From") from None

    def redacted(name: str) -> Redacted:
        return redact(_cut(fields.get(name, "").strip()), home_number, number)

    said = redacted(next((name for name in SAID if fields.get(name)), "Body"))
    address, label = redacted("Address"), redacted("Label")
    place = _coordinates(fields)
    choice = fields.get("ButtonPayload") or fields.get("ListId") or ""
    choice = choice if TOKEN.fullmatch(choice) else ""
    # The profile name does not count: it comes with every message, and would lock its customer out.
    if said.card_removed or address.card_removed or label.card_removed:
        kind, data = Kind.CARD_NUMBER, None
    elif place is not None:
        kind, data = Kind.LOCATION, {**place, "address": address.text, "label": label.text}
    else:
        kind, data = Kind.TEXT if said.text or choice else Kind.UNREADABLE, None
    return InboundMessage(
        id=message_id,
        conversation=identity.pseudonym(number),
        address=identity.seal(number),
        kind=kind,
        text=said.text,
        profile_name=redacted("ProfileName").text or None,
        data=data,
        choice=choice or None,
    )


def _cut(text: str) -> str:
    """A text of bearable length; one that is cut ends with a letter, not with half of a number."""
    if len(text) <= MOST_CHARACTERS:
        return text
    end = MOST_CHARACTERS
    while end and not text[end - 1].isalpha():
        end -= 1
    return text[:end]


def _coordinates(fields: Mapping[str, str]) -> dict[str, str] | None:
    """Where a pin is; None without a pin, and for one that is nowhere on Earth."""
    latitude = _coordinate(fields.get("Latitude", ""), MOST_LATITUDE)
    longitude = _coordinate(fields.get("Longitude", ""), MOST_LONGITUDE)
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}


def _coordinate(given: str, most: int) -> str | None:
    if len(given) > MOST_COORDINATE_CHARACTERS:
        return None
    try:
        degrees = Decimal(given)
    except InvalidOperation:
        return None
    if not degrees.is_finite() or degrees.copy_abs() > most:
        return None
    # Adding zero turns -0 into 0; normalising drops the zeros behind.
    return f"{(degrees.quantize(COORDINATE_STEP) + 0).normalize():f}"
