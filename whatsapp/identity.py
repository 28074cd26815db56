"""Who a WhatsApp number is to us: a pseudonym to find it by, and an encrypted address to answer to."""

from __future__ import annotations

import hashlib
import hmac

import phonenumbers
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from settings import PrivacySettings

WHATSAPP_PREFIX = "whatsapp:"


class InvalidAddress(ValueError):
    """Not a WhatsApp address, or not one that we encrypted."""


class Identity:
    """Turns numbers into pseudonyms and tokens, and tokens back into numbers."""

    def __init__(self, privacy: PrivacySettings) -> None:
        self._index_key = privacy.phone_index_key
        keys = [Fernet(key) for key in privacy.phone_encryption_keys]
        self._first, self._fernet = keys[0], MultiFernet(keys)

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

    def reseal(self, address: str) -> str:
        """The same number sealed with the first key; what already is stays as it is.

        Raises:
            InvalidAddress
        """
        try:
            self._first.decrypt(address.encode())
            return address
        except InvalidToken:
            return self.seal(self.unseal(address))


def mask(number: str) -> str:
    """A number as people see it who need not know it, country and last digits: `+234•••••4567`."""
    try:
        country = f"+{phonenumbers.parse(number).country_code}"
    except phonenumbers.NumberParseException:
        country = number[:2]
    return f"{country}•••••{number[-4:]}" if len(number) > len(country) + 4 else f"{country}•••••"


def number_of(address: str) -> str:
    """The E.164 number of a Twilio address such as `whatsapp:+2348031234567`.

    Raises:
        InvalidAddress: if it holds no possible number.
    """
    number = address.removeprefix(WHATSAPP_PREFIX).strip()
    if ":" in number:
        raise InvalidAddress("not a WhatsApp address")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise InvalidAddress("not a phone number") from None
    if not phonenumbers.is_possible_number(parsed):
        raise InvalidAddress("not a possible phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
