"""What the staff sees of conversations that want a person: who waits, what was said, what is in the cart."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from db.models import Customer, Handoff, HandoffStatus, Order, ThreadMessage
from shop import cart
from shop.cart_view import CartView, view_order
from shop.errors import EmptyCart, NotThere
from shop.work import Work

MOST_OPEN = 200
MOST_MESSAGES = 200
MOST_ORDERS = 3


@dataclass(frozen=True)
class Waiting:
    """An open handoff; times are UTC. `said` is what was written last, and `said_by` who of the staff did."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    reason: str
    status: str
    state: str | None
    taken_by: str | None
    requested_at: datetime
    said: Said | None


@dataclass(frozen=True)
class Said:
    """A message of a thread; `staff` None: the customer wrote it. `kind` is a `MessageKind`'s value.

    `undelivered`: why it did not reach the customer, as Twilio's code (empty: it was given up); None: nothing
    is known of that.
    """

    staff: str | None
    kind: str
    text: str
    at: datetime
    undelivered: str | None = None


@dataclass(frozen=True)
class PastOrder:
    """An order of the customer's."""

    number: str
    status: str
    at: datetime
    shown: CartView


@dataclass(frozen=True)
class Thread:
    """One conversation. `lookup` is the customer's pseudonym; `cart` None: nothing is in it."""

    waiting: Waiting
    lookup: str
    language: str | None
    said: tuple[Said, ...]
    cart: CartView | None
    orders: tuple[PastOrder, ...]


def inbox(work: Work) -> list[Waiting]:
    """Whoever waits or is talked with, the one who waits longest first."""
    handoffs = work.handoffs.find_all_open(MOST_OPEN)
    latest = work.thread_messages.find_latest_of([handoff.id for handoff in handoffs])
    return [_waiting(handoff, latest.get(handoff.id)) for handoff in handoffs]


def version(work: Work) -> str:
    """Another one whenever the inbox or a thread looks otherwise."""
    handoffs = work.handoffs.find_all_open(MOST_OPEN)
    stand = ";".join(f"{each.id}{each.status}{each.taken_by}" for each in handoffs)
    messages = f"{work.thread_messages.latest_sequence()}:{work.thread_messages.latest_undelivered()}"
    return f"{messages}:{uuid.uuid5(uuid.NAMESPACE_OID, stand)}"


def thread(work: Work, handoff_id: str) -> Thread:
    """A conversation, open or over, with what was said in earlier ones of this customer.

    Raises:
        NotThere
    """
    handoff = work.handoffs.find_by_id(handoff_id)
    if handoff is None:
        raise NotThere("conversation")
    customer = handoff.customer
    messages = work.thread_messages.find_by_customer(customer.id, MOST_MESSAGES)
    orders = work.customers.find_orders(customer.id, limit=MOST_ORDERS)
    return Thread(
        _waiting(handoff, messages[-1] if messages else None),
        customer.phone_lookup,
        customer.language,
        tuple(map(_said, messages)),
        _cart(work, customer),
        tuple(map(_order, orders)),
    )


def _waiting(handoff: Handoff, latest: ThreadMessage | None) -> Waiting:
    return Waiting(
        id=handoff.id,
        customer_id=handoff.customer_id,
        customer=handoff.customer.name or "",
        reason=handoff.reason.value,
        status=handoff.status.value,
        state=handoff.state,
        taken_by=handoff.taken_by if handoff.status == HandoffStatus.TAKEN else None,
        requested_at=handoff.requested_at,
        said=_said(latest) if latest else None,
    )


def _said(message: ThreadMessage) -> Said:
    undelivered = None if message.undelivered_at is None else message.undelivered_code or ""
    return Said(message.staff, message.kind.value, message.text, message.created_at, undelivered)


def _cart(work: Work, customer: Customer) -> CartView | None:
    try:
        return cart.current(work, customer)
    except EmptyCart:
        return None


def _order(order: Order) -> PastOrder:
    return PastOrder(order.number, order.status.value, order.created_at, view_order(order))
