"""Who a WhatsApp number is to us: a pseudonym to find it by, and an encrypted address to answer to."""

from __future__ import annotations

import hashlib
import hmac
import re

import phonenumbers
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from settings import PrivacySettings

WHATSAPP_PREFIX = "whatsapp:"
# A price, or a round number such as a million: nobody's phone.
_AMOUNT = re.compile(r"\d+\.\d{2}|[1-9]\d{0,2}0{5,}")


class InvalidAddress(ValueError):
    """Not a WhatsApp address, or not one that we encrypted."""


class Identity:
    """Turns numbers into pseudonyms and tokens, and tokens back into numbers."""

    def __init__(self, privacy: PrivacySettings) -> None:
        self._index_key = privacy.phone_index_key
        self._fernet = MultiFernet([Fernet(key) for key in privacy.phone_encryption_keys])

    def pseudonym(self, number: str) -> str:
        """The conversation's id and the customer's look-up value: HMAC-SHA256 of the number, in hex."""
        return hmac.new(self._index_key, number.encode(), hashlib.sha256).hexdigest()

    def seal(self, number: str) -> str:
        """Encrypt a number; only `unseal` with the same keys opens it."""
        return self._fernet.encrypt(number.encode()).decode()

    def unseal(self, address: str) -> str:
        """The number inside a sealed address.

        Raises:
            InvalidAddress: if it was not sealed with any of our keys, or was altered.
        """
        try:
            return self._fernet.decrypt(address.encode()).decode()
        except InvalidToken:
            raise InvalidAddress("an address that none of our keys opens") from None


def number_of(address: str) -> str:
    """The E.164 number of a Twilio address such as `whatsapp:+2348031234567`.

    Raises:
        InvalidAddress: if it holds no possible number.
    """
    try:
        parsed = phonenumbers.parse(address.removeprefix(WHATSAPP_PREFIX).strip())
    except phonenumbers.NumberParseException:
        raise InvalidAddress("not a phone number") from None
    if not phonenumbers.is_possible_number(parsed):
        raise InvalidAddress("not a possible phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def mask_numbers(text: str, home_number: str) -> str:
    """Replace phone numbers typed in a message by dots, before anything stores the message.

    Args:
        text: what the customer typed.
        home_number: the shop's own E.164 number; its country reads numbers without a country code.
    """
    region = phonenumbers.region_code_for_number(phonenumbers.parse(home_number))
    matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE)
    masked = text
    for match in reversed(list(matches)):
        digits = sum(character.isdigit() for character in match.raw_string)
        if digits >= 7 and not _AMOUNT.fullmatch(match.raw_string):
            masked = masked[: match.start] + "•••" + masked[match.end :]
    return masked
