"""What Twilio posts for an incoming WhatsApp message, checked and parsed."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from whatsapp.identity import Identity, InvalidAddress, mask_numbers, number_of

MOST_FIELDS = 200
MOST_CHARACTERS = 4096


class MalformedRequest(ValueError):
    """A webhook body that Twilio does not send."""


class Kind(str, enum.Enum):
    """What a message on the inbound stream is."""

    TEXT = "text"
    UNREADABLE = "unreadable"
    """A picture, voice note, location or contact: answered politely."""
    EVENT = "event"
    """Something that the shop itself has to tell."""


@dataclass(frozen=True)
class InboundMessage:
    """One message on its way to the dialogue.

    `id` is Twilio's MessageSid or the outbox row's id; `conversation` the pseudonym of the number;
    `address` the number, sealed. An event carries its intent in `event` and its values in `data`.
    """

    id: str
    conversation: str
    address: str
    kind: Kind
    text: str = ""
    profile_name: str | None = None
    event: str | None = None
    data: dict[str, Any] | None = None

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
        MalformedRequest: no MessageSid, or no usable sender.
    """
    message_id = fields.get("MessageSid") or fields.get("SmsMessageSid") or ""
    if not message_id:
        raise MalformedRequest("no MessageSid")
    try:
        number = number_of(fields.get("From", ""))
    except InvalidAddress:
        raise MalformedRequest("no usable From") from None
    text = (fields.get("Body") or fields.get("ButtonText") or "").strip()[:MOST_CHARACTERS]
    return InboundMessage(
        id=message_id,
        conversation=identity.pseudonym(number),
        address=identity.seal(number),
        kind=Kind.TEXT if text else Kind.UNREADABLE,
        # A number without a country code may be of the shop's country, or of the customer's own.
        text=mask_numbers(mask_numbers(text, home_number), number),
        profile_name=fields.get("ProfileName") or None,
    )
