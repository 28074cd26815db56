"""The shop with every way to pay, as its staff works with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from db.models import Order, OrderStatus, OutboxEvent, Payment, Product, Refund, StaffAction
from shop import cart, checkout, fulfilment, order_status
from shop.payments import flow
from shop.payments.interface import ProviderPayment
from shop.service import Shop
from tests.commerce_fixtures import FrozenClock
from tests.shop.stand_in_providers import Moody

TOTAL = Decimal("11825.00")
"""Two burgers with tax."""


@dataclass
class Counter:
    """The shop with every way to pay, seen by its staff; orders are of two burgers."""

    shop: Shop
    customer: Any
    product: Product
    sandbox: Any
    moody: Moody

    def do(self, operation: Callable[..., Any], *args: Any) -> Any:
        return self.shop.run(lambda work: operation(work, *args))

    def order(self, method: str, *, delivery: bool = False) -> checkout.PlacedOrder:
        def place(work):
            cart.add(work, self.customer, str(self.product.id), 2)
            if delivery:
                fulfilment.choose_delivery(work, self.customer, "12 Allen Avenue")
            return checkout.place(work, self.customer, method)

        return self.shop.run(place)

    def paid(self, method: str = "sandbox") -> checkout.PlacedOrder:
        placed = self.order(method)
        flow.open_payment(self.shop, placed.payment_reference)
        if method == "moody":
            assert flow.receive(self.shop, "moody", placed.payment_reference.encode(), {}) == "verified"
        else:
            note = self.sandbox.settle(placed.payment_reference, "paid")
            assert flow.receive(self.shop, "sandbox", note.body, note.headers) == "verified"
        return placed

    def in_review(self, came: str = "5000.00") -> checkout.PlacedOrder:
        """Money of another amount came."""
        placed = self.order("bank_transfer")

        def settle(work):
            order, payment = order_status.settling.lock_payment(work, placed.payment_reference)
            truth = ProviderPayment(placed.payment_reference, True, Decimal(came), "NGN")
            return order_status.settling.apply(work, order, payment, truth)

        assert self.shop.run(settle) == "review"
        return placed

    def come_again(self, reference: str, clock: FrozenClock, **values: Any) -> None:
        """A second payment for the only order, by transfer, a minute later."""
        with self.shop.sessions.begin() as session:
            order = session.query(Order).one()
            session.add(
                Payment(
                    order_id=order.id,
                    amount=TOTAL,
                    currency="NGN",
                    payment_method="bank_transfer",
                    payment_reference=reference,
                    created_at=clock.now + timedelta(minutes=1),
                    **values,
                )
            )

    def rows(self, kind: type) -> list[Any]:
        with self.shop.sessions() as session:
            return session.query(kind).order_by(kind.created_at).all()

    def stands(self, number: str) -> tuple[str, str]:
        """The states of an order and of its last payment."""
        with self.shop.sessions() as session:
            order = session.query(Order).filter_by(number=number).one()
            return order.status.value, order.payments[-1].status.value if order.payments else ""

    def units(self) -> tuple[int, int]:
        with self.shop.sessions() as session:
            row = session.get(Product, self.product.id)
            return row.stock_quantity, row.reserved_quantity

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        with self.shop.sessions() as session:
            rows = session.query(OutboxEvent).order_by(OutboxEvent.sequence)
            return [(row.event, row.data) for row in rows]

    def recorded(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.shop.sessions() as session:
            rows = session.query(StaffAction).all()
            numbers = {order.id: order.number for order in session.query(Order)}
            assert all(row.order_id in numbers for row in rows)
            return [(row.staff, row.action, row.details) for row in rows]

    def money_back(self) -> list[tuple[Decimal, str, str]]:
        return [(row.amount, row.status.value, row.requested_by) for row in self.rows(Refund)]


def set_status(counter: Counter, number: str, status: OrderStatus) -> None:
    with counter.shop.sessions.begin() as session:
        session.query(Order).filter_by(number=number).one().status = status
