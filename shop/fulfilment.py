"""How and when an order reaches the customer: pickup or delivery, now or ahead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateparser.search import search_dates

from db.models import Cart, Customer, Fulfilment
from shop import opening_hours
from shop.cart import open_cart
from shop.cart_view import CartView, view_cart
from shop.errors import (
    AddressTooShort,
    DeliveryNeedsMore,
    NoDelivery,
    TimeNotUnderstood,
)
from shop.spelled_times import readable_time
from shop.work import Work

LEAST_ADDRESS = 6
MOST_ADDRESS = 300
MOST_DAYS_AHEAD = 7
_CLOCK = re.compile(r"\b(\d{1,2})(?:\s*([:.h])(\d{2})?)?\s*([ap])?\.?m?\b", re.IGNORECASE)
_AWAY = re.compile(
    r"\b(noon|midday|midnight|midi|(hour|minute|min|day|heure|jour|hora|minuto|d[ií]a)s?)\b", re.IGNORECASE
)
_NOW = ("now", "maintenant", "ahora", "agora")


@dataclass(frozen=True)
class Opening:
    """Whether the shop is open, and when that changes next (UTC; None: never)."""

    is_open: bool
    changes_at: datetime | None


def opening(work: Work, customer: Customer) -> Opening:
    """Whether the shop is open now."""
    policy = opening_hours.in_force(work)
    return Opening(opening_hours.is_open(policy, work.now), opening_hours.next_change(policy, work.now))


def choose_pickup(work: Work, customer: Customer) -> CartView:
    """The customer comes for the order."""
    cart = open_cart(work, customer)
    cart.fulfilment = Fulfilment.PICKUP
    work.session.flush()
    return view_cart(work, cart)


def choose_delivery(work: Work, customer: Customer, address: str | None = None) -> CartView:
    """The order is brought to an address; None: it is yet to be asked for.

    Raises:
        NoDelivery, AddressTooShort
    """
    if work.policy.delivery_fee is None:
        raise NoDelivery()
    cart = open_cart(work, customer)
    if address is not None:
        cart.delivery_address = as_address(address)
    cart.fulfilment = Fulfilment.DELIVERY
    work.session.flush()
    return view_cart(work, cart)


def as_address(typed: str) -> str:
    """An address that somebody could be found with: on one line, with a letter in it.

    Raises:
        AddressTooShort
    """
    address = " ".join(typed.split())[:MOST_ADDRESS]
    if len(address) < LEAST_ADDRESS or not any(character.isalpha() for character in address):
        raise AddressTooShort()
    return address


def pin_address(latitude: str, longitude: str, address: str | None, label: str | None) -> str:
    """A WhatsApp location pin as an address that a rider can follow."""
    place = ", ".join(part for part in (label, address) if part)
    pin = f"https://maps.google.com/?q={latitude},{longitude}"
    room = MOST_ADDRESS - len(pin) - len(" ()")
    return f"{place[:room]} ({pin})" if place else pin


def order_ahead(work: Work, customer: Customer, typed: str) -> CartView:
    """Order for a later time, as it was typed; for the next opening where no time was said.

    Raises:
        TimeNotUnderstood: no time that is still to come within a week.
        ShopClosed, ClosedForGood: the shop is closed at that time.
    """
    local = ZoneInfo(work.policy.timezone)
    at = _time_in(typed, work.now.astimezone(local))
    wanted = at.astimezone(UTC) if at else _next_opening(work)
    if wanted is None or not work.now <= wanted <= work.now + timedelta(days=MOST_DAYS_AHEAD):
        raise TimeNotUnderstood()
    opening_hours.require_open(opening_hours.in_force(work), wanted)
    cart = open_cart(work, customer)
    cart.scheduled_for = wanted
    work.session.flush()
    return view_cart(work, cart)


def require_deliverable(work: Work, cart: Cart, shown: CartView) -> None:
    """Refuse an order that is to be brought and cannot be.

    Raises:
        NoDelivery, AddressTooShort, DeliveryNeedsMore
    """
    if cart.fulfilment != Fulfilment.DELIVERY:
        return
    if work.policy.delivery_fee is None:
        raise NoDelivery()
    if not cart.delivery_address:
        raise AddressTooShort()
    if shown.totals.items < work.policy.delivery_minimum:
        raise DeliveryNeedsMore(work.policy.delivery_minimum, shown.currency)


def require_open(work: Work, cart: Cart) -> None:
    """Refuse an order while the shop is closed, unless it is for a time to come when it is open.

    Raises:
        ShopClosed, ClosedForGood
    """
    if cart.scheduled_for is not None and cart.scheduled_for < work.now:
        cart.scheduled_for = None
    opening_hours.require_open(opening_hours.in_force(work), cart.scheduled_for or work.now)


def _next_opening(work: Work) -> datetime | None:
    policy = opening_hours.in_force(work)
    if opening_hours.is_open(policy, work.now):
        return None
    return opening_hours.next_change(policy, work.now)


def _time_in(typed: str, now: datetime) -> datetime | None:
    """The time that words such as "tomorrow 6pm" name, seen from `now`; None if they name none.

    A day alone means the same time of that day. An hour that is not understood ("tonight at 8") must not
    become another one.

    Raises:
        TimeNotUnderstood
    """
    typed, languages = readable_time(typed)
    settings = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": now.replace(tzinfo=None)}
    found = [
        (words, at)
        for words, at in search_dates(typed, languages=languages, settings=settings) or []
        if words.lower() not in _NOW
    ]
    for words, at in found:
        if _is_of(at, words):
            return at.replace(tzinfo=now.tzinfo)
    if not found:
        return None
    at = found[0][1].replace(tzinfo=now.tzinfo)
    if at.date() <= now.date() or any(character.isdigit() for character in typed):
        raise TimeNotUnderstood()
    return at


def _is_of(at: datetime, words: str) -> bool:
    """Whether a time is the one that its words say: "tomorrow 6pm" at 18:00, "in 2 hours"."""
    if _AWAY.search(words):
        return True
    for hour, parted, minute, half in _CLOCK.findall(words):
        if not parted and not half:
            continue
        said = int(hour) % 12 + (12 if half.lower() == "p" else 0) if half else int(hour)
        if (at.hour, at.minute) == (said, int(minute or 0)):
            return True
    return False
