"""Customers as a cache keeps them, so that recognising one costs no question to the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session, make_transient_to_detached

from db.models import Customer


@dataclass(frozen=True)
class KnownCustomer:
    """What is needed to recognise and to greet a customer."""

    id: uuid.UUID
    name: str | None
    language: str | None


class CustomerCache(Protocol):
    """Known customers by the pseudonym of their number. A cache that is out of reach knows nobody."""

    def get(self, lookup: str) -> KnownCustomer | None:
        """The customer, if the cache knows them."""

    def put(self, lookup: str, known: KnownCustomer) -> None:
        """Keep a customer for a while."""

    def forget(self, lookup: str) -> None:
        """Know a customer no more.

        Raises:
            CacheUnavailable: it cannot be made sure.
        """


class CacheUnavailable(Exception):
    """The cache is out of reach, where that matters: somebody was to be forgotten."""


class NoCache:
    """Knows nobody: every customer is looked up."""

    def get(self, lookup: str) -> KnownCustomer | None:
        """Nobody."""
        return None

    def put(self, lookup: str, known: KnownCustomer) -> None:
        """Keeps nothing."""

    def forget(self, lookup: str) -> None:
        """There is nothing to forget."""


def attach(session: Session, lookup: str, known: KnownCustomer) -> Customer:
    """A known customer as a row of the session, without asking the database; what the cache does not
    know is loaded when it is looked at."""
    customer = Customer(
        id=known.id, phone_lookup=lookup, name=known.name, language=known.language, erased_at=None
    )
    make_transient_to_detached(customer)
    session.add(customer)
    return customer
