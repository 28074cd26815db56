"""Customers: recognised by the pseudonym of their number."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from db.models import Customer
from shop.errors import CustomerGone
from shop.known_customers import KnownCustomer, NoCache, attach
from shop.work import Work

ERASURE = (0, "customer erased")
"""Number and name of the mark that an erasure leaves at its message, among the commands' results."""

LANGUAGES = {
    "en": ("english", "anglais", "inglés", "ingles", "inglês"),
    "pcm": ("pidgin", "pidgin english", "naija", "broken english"),
    "fr": ("french", "français", "francais", "francés", "frances", "francês"),
    "es": (
        "spanish",
        "castilian",
        "español",
        "espanol",
        "castellano",
        "espagnol",
        "castillan",
        "espanhol",
        "castelhano",
    ),
    "pt": (
        "portuguese",
        "brazilian",
        "português",
        "portugues",
        "portugués",
        "brasileiro",
        "brasileño",
        "portugais",
        "brésilien",
        "bresilien",
    ),
}
"""The languages that domain.yml speaks, with the words by which customers ask for them."""

_CODES = {name: code for code, names in LANGUAGES.items() for name in names}
# The longest name first, or "broken english" would be taken for English.
_NAMES = re.compile(rf"\b(?:{'|'.join(sorted(_CODES, key=len, reverse=True))})\b")


@dataclass(frozen=True)
class LanguageChoice:
    """The code of the chosen language; None if no known one was named."""

    language: str | None


def recognise(
    work: Work, lookup: str, address: str | None, profile_name: str | None, *, wrote: bool = True
) -> Customer:
    """The customer behind a pseudonym, made on the first message.

    The name is learned once from the WhatsApp profile, and not at all where
    ENABLE_CUSTOMER_RECOGNITION is off.

    Args:
        lookup: keyed pseudonym of the number.
        address: the encrypted number; None where there is none (the shell).
        profile_name: the name the customer shows on WhatsApp.
        wrote: whether the customer did; the shop's own events make nobody a customer.

    Raises:
        CustomerGone: nobody is there any more, and this is an event or the very message that erased them.
    """
    name = profile_name if work.flags.customer_recognition else None
    known = work.known_customers.get(lookup)
    if known is not None:
        return attach(work.session, lookup, known)
    # Kept until the commit where a cache learns of it: an erasure waits, and the cache forgets afterwards.
    cached = not isinstance(work.known_customers, NoCache)
    customer = work.customers.find_by_lookup(lookup, keep=cached)
    if customer is not None and (customer.name or not name):
        work.known_customers.put(lookup, KnownCustomer(customer.id, customer.name, customer.language))
    if customer is None:
        if not wrote or work.command_results.find(work.message_id, *ERASURE) is not None:
            raise CustomerGone()
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
    work.changed_customers.add(customer.phone_lookup)
    return LanguageChoice(customer.language)


def stop_notices(work: Work, customer: Customer) -> None:
    """Send this customer nothing unasked, except about an order that is under way."""
    customer.notices_stopped_at = work.now


def note_opt_out(work: Work, lookup: str) -> None:
    """WhatsApp lets nothing of ours through to a customer, who told it so: nothing unasked any more."""
    for customer in work.customers.find_all_by_lookup(lookup):
        customer.notices_stopped_at = customer.notices_stopped_at or work.now
