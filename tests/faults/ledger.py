"""What must hold whatever happened: of the stock, of the orders, of the money; and "nothing was written"."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session, sessionmaker

from db.models import (
    Base,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Product,
    RefundStatus,
    StaffAction,
    StockReservation,
)
from tests.faults.providers import ScriptedProvider

SOLD = (
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.COMPLETED,
)
ENDED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
TOLD_ONCE_PER_ORDER = ("payment_confirmed", "payment_expired")

Fingerprint = dict[str, tuple[int, str]]


def fingerprint(sessions: sessionmaker[Session]) -> Fingerprint:
    """Row count and checksum of every table."""
    with sessions() as session:
        tables = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        ).all()
        assert {table.name for table in Base.metadata.sorted_tables} <= set(tables)
        found = {}
        for table in tables:
            rows = session.scalars(text(f'SELECT t::text FROM "{table}" t ORDER BY 1')).all()
            found[table] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found


@contextmanager
def nothing_written(sessions: sessionmaker[Session]) -> Iterator[None]:
    """Every table is the same afterwards, down to the last column."""
    before = fingerprint(sessions)
    yield
    after = fingerprint(sessions)
    changed = {
        table: (before.get(table), after[table]) for table in after if before.get(table) != after[table]
    }
    assert not changed, f"written to: {changed}"


def check_stock(session: Session, initial: Mapping[uuid.UUID, int]) -> None:
    """Held units are the reservations' units, and what is left and what was sold is what there was."""
    reserved, sold = Counter[uuid.UUID](), Counter[uuid.UUID]()
    for held in session.scalars(select(StockReservation)):
        reserved[held.product_id] += held.quantity
    for order in session.scalars(select(Order)):
        if took_units(session, order):
            for item in order.items:
                sold[item.product_id] += item.quantity
    for product in session.scalars(select(Product).where(Product.id.in_(initial))):
        assert product.stock_quantity is not None
        seen = (product.name, product.stock_quantity, product.reserved_quantity, sold[product.id])
        assert product.reserved_quantity == reserved[product.id], f"held is not reserved: {seen}"
        assert product.stock_quantity + sold[product.id] == initial[product.id], f"units lost: {seen}"
        assert sold[product.id] + reserved[product.id] <= initial[product.id], f"oversold: {seen}"


def took_units(session: Session, order: Order) -> bool:
    """Whether an order's units left the stock and did not come back; what was made does not."""
    begun = exists().where(StaffAction.order_id == order.id, StaffAction.action == "preparing")
    return order.status in SOLD or (
        order.status == OrderStatus.REFUNDED and bool(session.scalar(select(begun)))
    )


def check_orders(session: Session) -> None:
    """Nobody who lost left an orphan: what is held belongs to an order that waits, every order has lines."""
    for held in session.scalars(select(StockReservation)):
        order = session.get(Order, held.order_id)
        assert order is not None
        assert order.status not in (*SOLD, *ENDED), f"units held for an order that is {order.status}"
    for order in session.scalars(select(Order)):
        assert order.items, "an order of nothing"
        assert sum((item.total_price for item in order.items), Decimal(0)) == order.items_amount
        verified = [one for one in order.payments if one.status == PaymentStatus.VERIFIED]
        assert len(verified) <= 1, f"{len(verified)} payments count for one order"
        if order.status == OrderStatus.PAID:
            assert verified, "paid without a payment"


def check_money(session: Session, provider: ScriptedProvider) -> None:
    """Every coin that the provider took is kept for an order, sent back, on its way, or in review."""
    for payment in session.scalars(select(Payment)):
        charge = provider.charges.get(payment.payment_reference)
        came = charge.amount if charge is not None and charge.paid else Decimal(0)
        if payment.received_amount is not None:
            assert (payment.received_amount, payment.received_currency) == (came, charge.currency)
        backwards = sum((refund.amount for refund in payment.refunds), Decimal(0))
        assert backwards <= came, "more goes back than came"
        kept = came - backwards
        order, status = payment.order, payment.status
        if kept and status == PaymentStatus.VERIFIED:
            assert order.status in (*SOLD, OrderStatus.REFUNDED), f"money kept for an order {order.status}"
            agrees = (came, charge.currency) == (payment.amount, payment.currency)
            assert agrees or payment.confirmed_by, "another amount counts, and nobody decided that"
        elif kept:
            assert status == PaymentStatus.REVIEW, f"{kept} is neither kept, refunded nor in review: {status}"
        done = [refund for refund in payment.refunds if refund.status == RefundStatus.DONE]
        sent = charge.refunds if charge else {}
        assert {str(refund.id): refund.amount for refund in done} == sent, "the provider sent other refunds"


def check_told(session: Session) -> None:
    """Every outcome is told at most once."""
    told = Counter[tuple[str, str]]()
    for event in session.scalars(select(OutboxEvent)):
        told[event.data.get("order_number", ""), event.event] += 1
    for order in session.scalars(select(Order)):
        refunds = sum(len(payment.refunds) for payment in order.payments)
        for event in TOLD_ONCE_PER_ORDER:
            assert told[order.number, event] <= 1, f"{event} told twice"
        for event in ("payment_in_review", "payment_sent_back", "payment_failed"):
            assert told[order.number, event] <= len(order.payments), f"{event} told too often"
        assert told[order.number, "payment_refunded"] <= refunds
        paid = any(payment.verified_at for payment in order.payments)
        assert told[order.number, "payment_confirmed"] == paid, "paid and not told, or told and not paid"
