"""Customers: recognised by the pseudonym of their number."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from db.models import Customer
from shop.work import Work

LANGUAGES = {
    "en": ("english", "anglais", "inglés", "inglês"),
    "pcm": ("pidgin", "pidgin english", "naija", "broken english"),
    "fr": ("french", "français", "francais", "frances", "francês"),
}
"""The languages that domain.yml speaks, with the words by which customers ask for them."""

_CODES = {name: code for code, names in LANGUAGES.items() for name in names}
# The longest name first, or "broken english" would be taken for English.
_NAMES = re.compile(rf"\b(?:{'|'.join(sorted(_CODES, key=len, reverse=True))})\b")


@dataclass(frozen=True)
class LanguageChoice:
    """The code of the chosen language; None if no known one was named."""

    language: str | None


def recognise(work: Work, lookup: str, address: str | None, profile_name: str | None) -> Customer:
    """The customer behind a pseudonym, made on the first message.

    The name is learned once from the WhatsApp profile, and not at all where
    ENABLE_CUSTOMER_RECOGNITION is off.

    Args:
        lookup: keyed pseudonym of the number.
        address: the encrypted number; None where there is none (the shell).
        profile_name: the name the customer shows on WhatsApp.
    """
    name = profile_name if work.flags.customer_recognition else None
    customer = work.customers.find_by_lookup(lookup)
    if customer is None:
        # Two first messages may race; the look-up column decides, the loser reads the winner's row.
        work.session.execute(
            insert(Customer)
            .values(id=uuid.uuid4(), phone_lookup=lookup, phone_number=address, name=name)
            .on_conflict_do_nothing(index_elements=[Customer.phone_lookup])
        )
        customer = work.customers.find_by_lookup(lookup)
        assert customer is not None
    if customer.name is None and name:
        customer.name = name
    return customer


def choose_language(work: Work, customer: Customer, asked: str) -> LanguageChoice:
    """Remember the language a customer asks for, if it is one that the bot speaks.

    Of several, the one named last: "I don't speak English well, use French".
    """
    words = " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", asked).lower()))
    named = _NAMES.findall(words)
    if not named:
        return LanguageChoice(None)
    customer.language = _CODES[named[-1]]
    return LanguageChoice(customer.language)


def stop_notices(work: Work, customer: Customer) -> None:
    """Send this customer nothing unasked, except about an order that is under way."""
    customer.notices_stopped_at = work.now
