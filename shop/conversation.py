"""Where a customer stands in the documented conversation; the truth is in PostgreSQL."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from db.models import Cart, CartStatus, Customer, OrderStatus
from shop.work import Work


class ConversationState(enum.StrEnum):
    """The documented states, in the order of the main path."""

    GREETING = "GREETING"
    BROWSING_PRODUCTS = "BROWSING_PRODUCTS"
    ADDING_TO_CART = "ADDING_TO_CART"
    COLLECTING_QUANTITY = "COLLECTING_QUANTITY"
    REVIEWING_ORDER = "REVIEWING_ORDER"
    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    PAYMENT_CONFIRMATION = "PAYMENT_CONFIRMATION"
    ORDER_COMPLETE = "ORDER_COMPLETE"


@dataclass(frozen=True)
class Session:
    """How a session starts: the state to go on from, and what the customer is greeted with."""

    state: ConversationState
    name: str | None
    language: str | None
    cart_items: int
    person: str | None = None
    """Who of the staff has the conversation; None: the bot."""


def is_expired(work: Work, cart: Cart) -> bool:
    """Whether nobody touched a cart for so long that it is given up (CART_HOURS)."""
    return cart.expires_at is not None and cart.expires_at <= work.now


def move(work: Work, customer: Customer, to_state: ConversationState) -> None:
    """Record that the conversation moved; staying where it is records nothing."""
    if work.state != to_state:
        work.state_changes.move(customer.id, to_state, work.message_id)
        work.state = to_state


def leave_question(work: Work, customer: Customer) -> None:
    """The customer is not being asked how many any more, and goes on from the cart, or the menu."""
    if work.state_changes.find_latest_state(customer.id) == ConversationState.COLLECTING_QUANTITY:
        cart = work.carts.find_open(customer.id)
        chosen = cart is not None and cart.items
        move(
            work,
            customer,
            ConversationState.ADDING_TO_CART if chosen else ConversationState.BROWSING_PRODUCTS,
        )


def start_session(work: Work, customer: Customer, *, to_be_told: bool = False) -> Session:
    """Begin a session where PostgreSQL says the customer stands, however old the last one is.

    Where the session starts only because the shop has something to tell (`to_be_told`), the customer
    stays in the state of the session before: what is told moves them on from there.

    An order that awaits payment comes first, then an open cart, else the greeting. Where
    ENABLE_CUSTOMER_RECOGNITION is off, nothing is remembered: an open cart is given up.
    """
    cart = work.carts.find_open(customer.id)
    if cart is not None and (is_expired(work, cart) or not work.flags.customer_recognition):
        cart.status = CartStatus.ABANDONED
        work.session.flush()
        cart = None
    awaiting = work.orders.find_latest(customer.id, [OrderStatus.AWAITING_PAYMENT])
    latest = work.state_changes.find_latest_state(customer.id)
    if to_be_told and latest is not None:
        state = ConversationState(latest)
    elif awaiting is not None:
        state = ConversationState.AWAITING_PAYMENT
    elif cart is not None and cart.items:
        state = ConversationState.ADDING_TO_CART
    else:
        state = ConversationState.GREETING
    move(work, customer, state)
    recognised = work.flags.customer_recognition
    return Session(
        state=state,
        name=customer.name if recognised else None,
        language=customer.language if recognised and work.flags.multi_language else None,
        cart_items=sum(item.quantity for item in cart.items) if cart else 0,
        person=work.handoffs.find_person(customer.id),
    )
