"""What a setting must look like; each check raises environs' ValidationError with the reason."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel.numbers import get_currency_precision, is_currency
from environs import ValidationError

KNOWN_PAYMENT_PROVIDERS = ("sandbox", "stripe", "paystack", "bank_transfer", "cash")
PAYSTACK_CURRENCIES = ("GHS", "KES", "NGN", "USD", "ZAR")
MOST_DECIMALS = 2
"""What the columns of money hold."""
MINIMUM_KEY_LENGTH = 32


def not_blank(value: str) -> None:
    """Something is there."""
    if not value.strip():
        raise ValidationError("is empty")


def http_url_or_blank(value: str) -> None:
    """A web address, or none."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValidationError("is not an http or https address")


def postgresql_url_or_blank(value: str) -> None:
    """A database address, or none."""
    if value and not re.match(r"^postgres(ql)?(\+psycopg2)?://", value):
        raise ValidationError("is not a postgresql:// address")


def twilio_account_sid(value: str) -> None:
    """An account's id."""
    if not re.fullmatch(r"AC[0-9a-zA-Z]+", value.strip()):
        raise ValidationError("is not a Twilio account SID (AC...)")


def e164(value: str) -> None:
    """A number with its country code."""
    if not re.fullmatch(r"(whatsapp:)?\+[1-9][0-9]{6,14}", value.strip()):
        raise ValidationError("is not an international phone number such as +14155238886")


def content_sids(value: str) -> dict[str, str]:
    """Content templates by purpose, of `quick_reply_2=HX..., list_5=HX..., notice=HX...`."""
    pairs = (pair.partition("=") for pair in value.split(",") if pair.strip())
    return {purpose.strip(): sid.strip() for purpose, _, sid in pairs}


def content_sids_or_blank(value: str) -> None:
    """Content templates, each with a known purpose."""
    for purpose, sid in content_sids(value).items():
        if not re.fullmatch(r"notice|picture|quick_reply_[1-3]|list_([1-9]|10)", purpose):
            raise ValidationError(f"{purpose} is none of notice, picture, quick_reply_1 to _3, list_1 to _10")
        if not re.fullmatch(r"HX[0-9a-fA-F]{32}", sid):
            raise ValidationError(f"what {purpose} names is not a content SID (HX...)")


def long_enough_for_a_key(value: str) -> None:
    """Not a guessable word."""
    if len(value.strip()) < MINIMUM_KEY_LENGTH:
        raise ValidationError(f"is shorter than {MINIMUM_KEY_LENGTH} characters")


def fernet_keys(value: str) -> None:
    """One or more Fernet keys, separated by commas."""
    for key in value.split(","):
        try:
            usable = len(base64.urlsafe_b64decode(key.strip())) == 32
        except ValueError:
            usable = False
        if not usable:
            raise ValidationError("holds something that is not a Fernet key (32 bytes in base64)")


def names_in(value: str) -> tuple[str, ...]:
    """Names that are separated by commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def known_providers(value: str) -> None:
    """One or more payment providers that exist, each once."""
    names = names_in(value)
    unknown = [name for name in names if name not in KNOWN_PAYMENT_PROVIDERS]
    if unknown or not names:
        known = ", ".join(KNOWN_PAYMENT_PROVIDERS)
        raise ValidationError(f"knows {known}, not {unknown[0] if unknown else 'nothing'!r}")
    if len(set(names)) != len(names):
        raise ValidationError("names a provider twice")


def currency(value: str) -> None:
    """An ISO 4217 code of a currency whose amounts the database can keep."""
    if not re.fullmatch(r"[A-Z]{3}", value) or not is_currency(value):
        raise ValidationError("is not a currency code such as NGN")
    if get_currency_precision(value) > MOST_DECIMALS:
        raise ValidationError(f"{value} has three decimals; amounts are kept with {MOST_DECIMALS}")


def blank_or_amount(value: str) -> None:
    """Money without a sign or a currency."""
    if value.strip() and not re.fullmatch(r"\d{1,10}(\.\d{1,2})?", value.strip()):
        raise ValidationError("is not an amount such as 1500 or 1500.00")


def blank_or_long_enough_for_a_key(value: str) -> None:
    """A key, or none."""
    if value.strip():
        long_enough_for_a_key(value)


def known_timezone(value: str) -> None:
    """A name of the time zone database."""
    if value not in available_timezones():
        raise ValidationError("is not a time zone such as Africa/Lagos")


def tax_rates_or_blank(value: str) -> None:
    """Classes other than `standard` (TAX_RATE is its rate) with fractions."""
    for pair in names_in(value):
        if not re.fullmatch(r"(?!standard\b)[a-z_]{1,32}\s*=\s*(0(\.\d{1,6})?|1(\.0+)?)", pair):
            raise ValidationError("needs pairs such as reduced=0.05,zero=0")


def tax_rates(value: str) -> dict[str, Decimal]:
    """The rates in a value such as `reduced=0.05,zero=0`; those that are malformed are left out."""
    pairs = (pair.partition("=") for pair in names_in(value))
    return {name.strip(): Decimal(rate.strip()) for name, _, rate in pairs if _is_rate(rate.strip())}


def _is_rate(value: str) -> bool:
    return re.fullmatch(r"\d(\.\d{1,6})?", value) is not None


def opening_hours_or_blank(value: str) -> None:
    """OpenStreetMap's notation, or nothing. Its library lives on the commerce plane alone."""
    if not value.strip():
        return
    try:
        from opening_hours import validate
    except ImportError:
        return
    if not validate(value):
        raise ValidationError("is not in OpenStreetMap's notation, such as Mo-Fr 09:00-21:00; Sa 10:00-23:00")
