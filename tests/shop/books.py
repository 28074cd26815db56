"""The shop with every way to pay that needs no account, and what is compared about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from db.models import Product
from shop import cart, checkout, order_status
from shop.payments import flow
from shop.payments.sandbox import SandboxProvider
from shop.reconciliation import Difference, ask_providers, differences
from shop.service import Shop
from tests.commerce_fixtures import FrozenClock

TOTAL = Decimal("11825.00")
"""Two burgers with tax."""


@dataclass
class Books:
    """The shop with every way to pay that needs no account; an order is of two burgers, 11825.00."""

    shop: Shop
    sandbox: SandboxProvider
    clock: FrozenClock
    customer: Any
    product: Product

    def do(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.shop.run(lambda work: operation(work, *args, **kwargs))

    def order(self, method: str = "sandbox") -> checkout.PlacedOrder:
        """An order a minute after the one before it."""
        self.clock.pass_minutes(1)
        self.do(cart.add, self.customer, str(self.product.id), 2)
        placed: checkout.PlacedOrder = self.do(checkout.place, self.customer, method)
        if method == "sandbox":
            flow.open_payment(self.shop, str(placed.payment_reference))
        return placed

    def press(self, placed: checkout.PlacedOrder, outcome: str = "paid") -> str:
        note = self.sandbox.settle(str(placed.payment_reference), outcome)
        return flow.receive(self.shop, "sandbox", note.body, note.headers)

    def paid(self) -> checkout.PlacedOrder:
        placed = self.order()
        assert self.press(placed) == "verified"
        return placed

    def refunded(self, amount: Decimal | None) -> checkout.PlacedOrder:
        placed = self.paid()
        self.do(order_status.refund, placed.number, amount, "Ada", "cold")
        assert flow.send_refunds(self.shop) == 1
        return placed

    def expired(self) -> checkout.PlacedOrder:
        placed = self.order()
        self.clock.pass_minutes(31)
        assert flow.expire_due(self.shop) == 1
        # Its cart is open again; the next order shall be of two burgers, too.
        self.do(cart.clear, self.customer)
        return placed

    def set(self, kind: type, **values: Any) -> None:
        """Change the only row of a table, past the shop."""
        with self.shop.sessions.begin() as session:
            row = session.scalars(select(kind)).one()
            for name, value in values.items():
                setattr(row, name, value)

    def insert(self, *rows: Any) -> None:
        with self.shop.sessions.begin() as session:
            session.add_all(rows)

    def only(self, kind: type) -> Any:
        with self.shop.sessions() as session:
            return session.scalars(select(kind)).one()

    def listed(self) -> list[Difference]:
        found: list[Difference] = self.do(differences)
        return found

    def told_by_providers(self, days: float = 3) -> list[Difference]:
        return ask_providers(self.shop, self.clock.now - timedelta(days=days))
