"""Many customers at once: made quickly, let loose at the same moment, patient as the worker is."""

from __future__ import annotations

import itertools
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, Lock
from typing import Any, TypeVar

from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db.models import Cart, CartItem, Customer, Product
from settings import Settings
from shop import checkout
from shop.errors import ShopError
from shop.service import Caller, Done, Shop
from shop.work import Work
from whatsapp.identity import Identity

Line = tuple[Product, int, tuple[Any, ...]]
"""A product, how many, and the ids of its options."""
Result = TypeVar("Result")

_numbers = itertools.count()
_messages = itertools.count()


@dataclass(frozen=True)
class Buyer:
    """A customer with a filled cart."""

    id: uuid.UUID
    lookup: str
    address: str

    def says(self, message_id: str | None = None, command_number: int = 1) -> Caller:
        """A message of this customer, a new one unless one is named."""
        named = message_id or f"SMbuyer{next(_messages):025d}"
        return Caller(self.lookup, named, command_number, self.address, "Buyer")

    def confirms(self, shop: Shop, caller: Caller | None = None) -> Done[checkout.Confirmation]:
        """The yes to the order, as the action carries it out."""

        def confirm(work: Work, who: Customer) -> checkout.Confirmation:
            answer = checkout.confirm(work, who)
            # The carts were filled past the shop, so that nobody was shown what is in them: then the first
            # yes shows it.
            shown = not answer.placed and not answer.changes and answer.cart
            return checkout.confirm(work, who) if shown else answer

        return shop.execute(
            caller or self.says(), "action_place_order:confirm", checkout.Confirmation, confirm
        )


def bring_buyers(
    sessions: sessionmaker[Session], settings: Settings, carts: Sequence[Sequence[Line]]
) -> list[Buyer]:
    """Customers who filled their carts before, without asking the shop two hundred times."""
    identity = Identity(settings.privacy)
    buyers, customer_rows, cart_rows, item_rows = [], [], [], []
    address = identity.seal("+2348030000000")
    for lines in carts:
        buyer = Buyer(uuid.uuid4(), f"buyer-{next(_numbers)}-{uuid.uuid4().hex}", address)
        buyers.append(buyer)
        cart_id = uuid.uuid4()
        number = f"{address}{buyer.lookup}"  # unique in its column; nobody opens it
        customer_rows.append({"id": buyer.id, "phone_lookup": buyer.lookup, "phone_number": number})
        cart_rows.append({"id": cart_id, "customer_id": buyer.id})
        item_rows += [
            {
                "cart_id": cart_id,
                "product_id": product.id,
                "quantity": quantity,
                "option_ids": list(options),
                "removals": [],
                "position": position,
            }
            for position, (product, quantity, options) in enumerate(lines, start=1)
        ]
    with sessions.begin() as session:
        session.execute(insert(Customer), customer_rows)
        session.execute(insert(Cart), cart_rows)
        session.execute(insert(CartItem), item_rows)
    return buyers


@dataclass
class Crowd:
    """Runs things at the same moment; `repeated` counts what had to be asked again, by SQLSTATE."""

    repeated: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def at_once(self, doings: Sequence[Callable[[], Any]]) -> list[Any]:
        """Results (or the shop's refusals) of doings that start together."""
        barrier = Barrier(len(doings))

        def do(doing: Callable[[], Any]) -> Any:
            barrier.wait(60)
            try:
                return self.patiently(doing)
            except ShopError as refusal:
                return refusal

        with ThreadPoolExecutor(len(doings)) as pool:
            return list(pool.map(do, doings))

    def patiently(self, doing: Callable[[], Result], tries: int = 12) -> Result:
        """Ask again what the database could not do just now, as the worker does with a message."""
        for attempt in range(1, tries + 1):
            try:
                return doing()
            except SQLAlchemyError as error:
                with self._lock:
                    self.repeated[_name(error)] += 1
                if attempt == tries:
                    raise
                time.sleep(0.1)
        raise AssertionError("unreachable")


def deadlocks(records: Sequence[logging.LogRecord]) -> int:
    """How many transactions were retried because PostgreSQL broke a deadlock."""
    return sum("40P01" in record.getMessage() for record in records)


def placed_of(results: Sequence[Any]) -> list[checkout.PlacedOrder]:
    """The orders among the results of many confirmations."""
    unexpected = [one for one in results if not isinstance(one, Done | ShopError)]
    assert not unexpected, unexpected
    outcomes = [one.result for one in results if isinstance(one, Done)]
    return [outcome.placed for outcome in outcomes if outcome.placed is not None]


def _name(error: SQLAlchemyError) -> str:
    state = getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else None
    return state or type(error).__name__
