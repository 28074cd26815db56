"""Customers as the staff looks them up: who they are, their orders, and their number where it is needed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.models import Customer
from shop import audit, privacy
from shop.board import Card, card
from shop.errors import NotThere, NumberNotNeeded
from shop.work import Work

PAGE = 40
MOST_ORDERS = 50


@dataclass(frozen=True)
class CustomerRow:
    """A customer in a list. `address` is the sealed number, None of who was erased or has none."""

    id: uuid.UUID
    name: str
    address: str | None
    orders: int
    seen_at: datetime
    erased: bool


@dataclass(frozen=True)
class CustomersPage:
    """Some customers, the newest first, and the id of the last one if there are more."""

    customers: tuple[CustomerRow, ...]
    next: uuid.UUID | None


@dataclass(frozen=True)
class CustomerFile:
    """A customer with what the staff may know. `under_way`: an order, or a talk with a person."""

    row: CustomerRow
    language: str | None
    since: datetime
    stopped_notices: bool
    orders: tuple[Card, ...]
    under_way: bool


def customers(work: Work, after: str | None = None, limit: int = PAGE) -> CustomersPage:
    """Customers, the newest first; those after the one with this id."""
    last = work.customers.find_by_id(after) if after else None
    found = work.customers.find_page(last, limit + 1)
    rows = _rows(work, found[:limit])
    return CustomersPage(rows, rows[-1].id if len(found) > limit else None)


def named(work: Work, name: str) -> CustomersPage:
    """Customers with this in their names, the newest first."""
    return CustomersPage(_rows(work, work.customers.find_named(name, PAGE)), None)


def known_as(work: Work, lookup: str) -> uuid.UUID | None:
    """The id of the customer behind the pseudonym of a number."""
    customer = work.customers.find_by_lookup(lookup)
    return customer.id if customer else None


def find(work: Work, customer_id: str) -> CustomerFile:
    """All that the staff may know about a customer.

    Raises:
        NotThere
    """
    customer = _customer(work, customer_id)
    orders = work.orders.find_by_customer(customer.id, MOST_ORDERS)
    return CustomerFile(
        row=_rows(work, [customer])[0],
        language=customer.language,
        since=customer.created_at,
        stopped_notices=customer.notices_stopped_at is not None,
        orders=tuple(map(card, orders)),
        under_way=any(order.status in privacy.UNDER_WAY for order in orders)
        or work.handoffs.find_open(customer.id) is not None,
    )


def show_number(work: Work, staff: str, customer_id: str, *, always: bool) -> str:
    """The customer's sealed number, for whoever has to call; that it was shown is recorded.

    Args:
        always: who asks may see every number; otherwise only while an order of the customer, or a talk with a
            person, is under way.

    Raises:
        NotThere, NumberNotNeeded
    """
    found = find(work, customer_id)
    if found.row.address is None:
        raise NotThere("number")
    if not (always or found.under_way):
        raise NumberNotNeeded()
    audit.record(work, staff, "number shown", "customer", found.row.id)
    return found.row.address


def export(work: Work, staff: str, customer_id: str) -> dict[str, object]:
    """All that is kept of a customer, its number sealed as `address`; that it was exported is recorded.

    Raises:
        NotThere
    """
    customer = _customer(work, customer_id)
    audit.record(work, staff, "data exported", "customer", customer.id)
    return {**privacy.export(work, customer), "address": customer.phone_number}


def lookup_of(work: Work, customer_id: str) -> str:
    """The pseudonym of a customer.

    Raises:
        NotThere
    """
    return _customer(work, customer_id).phone_lookup


def erase(work: Work, staff: str, customer_id: str) -> int:
    """Erase a customer who asked for it; how many orders stay in the books without a person.

    Raises:
        NotThere, OrderUnderWay, CacheUnavailable
    """
    customer = _customer(work, customer_id)
    erased = privacy.erase(work, customer)
    audit.record(work, staff, "customer erased", "customer", customer.id)
    return erased.orders_kept


def _customer(work: Work, customer_id: str) -> Customer:
    customer = work.customers.find_by_id(customer_id)
    if customer is None or customer.erased_at is not None:
        raise NotThere("customer")
    return customer


def _rows(work: Work, customers: Sequence[Customer]) -> tuple[CustomerRow, ...]:
    ids = [customer.id for customer in customers]
    counted, seen = work.orders.count_by_customer(ids), work.state_changes.find_last_times(ids)
    return tuple(
        CustomerRow(
            id=customer.id,
            name=customer.name or "",
            address=customer.phone_number,
            orders=counted.get(customer.id, 0),
            seen_at=seen.get(customer.id, customer.created_at),
            erased=customer.erased_at is not None,
        )
        for customer in customers
    )
