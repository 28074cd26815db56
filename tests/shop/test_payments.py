"""Payments: money counts once, late money is honoured or goes back, and a forgery writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from db.models import (
    Base,
    Cart,
    CartStatus,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentEvent,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    SandboxCharge,
)
from shop import cart, catalogue, checkout, order_status, orders
from shop.customers import recognise
from shop.errors import PaymentRejected
from shop.payments import flow
from shop.payments.interface import PaymentHandle, ProviderPayment
from shop.payments.sandbox import SIGNATURE_HEADER, Notification, SandboxProvider
from shop.payments.settling import apply, lock_payment
from shop.reconciliation import Difference, ask_providers, differences
from shop.service import Shop


@dataclass
class Till:
    """Test Customer with one order of two burgers that awaits payment, and the pay page."""

    shop: Shop
    sandbox: SandboxProvider
    customer: Any
    product: Product

    def __post_init__(self) -> None:
        self.ask(cart.add, str(self.product.id), 2)
        placed = self.ask(checkout.place)
        self.number, self.reference = placed.number, placed.payment_reference
        self.url = flow.open_payment(self.shop, self.reference)

    def ask(self, operation: Callable[..., Any], *args: Any) -> Any:
        return self.shop.run(lambda work: operation(work, self.customer, *args))

    def press(self, outcome: str) -> Notification:
        return self.sandbox.settle(self.reference, outcome)

    def receive(self, body: bytes, headers: Mapping[str, str], provider: str = "sandbox") -> str:
        return flow.receive(self.shop, provider, body, headers)

    def deliver(self, note: Notification) -> str:
        return self.receive(note.body, note.headers)

    def signed(self, body: bytes) -> dict[str, str]:
        return {SIGNATURE_HEADER: self.sandbox._sign(body)}

    def stands(self) -> tuple[str, str]:
        """The states of order and payment."""

        def read(work):
            order = work.orders.find_by_number(self.number)
            return order.status.value, order.payments[0].status.value

        return self.shop.run(read)

    def told(self) -> list[str]:
        return self.shop.run(
            lambda work: list(work.session.scalars(select(OutboxEvent.event).order_by(OutboxEvent.sequence)))
        )

    def refunds(self) -> list[tuple[Decimal, RefundStatus, str]]:
        """Money that goes back: how much, how far, who decided it."""

        def read(work):
            rows = work.session.scalars(select(Refund).order_by(Refund.created_at))
            return [(row.amount, row.status, row.requested_by) for row in rows]

        return self.shop.run(read)

    def units(self) -> tuple[int, int]:
        """The burger's units: in stock, and reserved of these."""
        row = self.shop.run(lambda work: work.products.find_by_id(self.product.id))
        return row.stock_quantity, row.reserved_quantity

    def rows(self) -> dict[str, int]:
        """How many rows every table has."""

        def read(work):
            tables = Base.metadata.sorted_tables
            return {t.name: work.session.scalar(select(func.count()).select_from(t)) for t in tables}

        return self.shop.run(read)


@pytest.fixture
def till(shop, sandbox, customer, test_burger) -> Till:
    """An order of 11825.00 that awaits payment."""
    return Till(shop, sandbox, customer, test_burger)


def test_payment_confirmation(till, sessions):
    assert till.stands() == ("awaiting_payment", "pending")
    note = till.press("paid")
    assert till.stands() == ("awaiting_payment", "pending"), "only the notification counts"
    assert till.deliver(note) == "verified"
    assert till.stands() == ("paid", "verified")
    assert till.told() == ["payment_confirmed"]
    assert till.units() == (48, 0)
    with sessions.begin() as session:
        event = session.query(PaymentEvent).one()
        assert (event.provider, event.payment_reference) == ("sandbox", till.reference)
        assert (event.outcome, event.payload["reference"]) == ("verified", till.reference)


def test_failed_then_paid_on_the_same_link(till, sessions):
    assert till.deliver(till.press("failed")) == "failed"
    assert till.stands() == ("awaiting_payment", "failed")
    assert till.units() == (50, 2), "the units stay held for the next try"
    with sessions.begin() as session:
        assert session.query(OutboxEvent).one().data["link"] == till.url
        assert till.url.endswith(f"/payments/sandbox/{till.reference}")
    assert till.deliver(till.press("failed")) == "unchanged"
    assert till.deliver(till.press("paid")) == "verified"
    assert till.stands() == ("paid", "verified")
    assert till.told() == ["payment_failed", "payment_confirmed"]


def test_the_same_event_again_changes_nothing(till):
    note = till.press("paid")
    assert till.deliver(note) == "verified"
    before = till.rows()
    assert [till.deliver(note) for _ in range(3)] == ["duplicate"] * 3
    assert till.rows() == before
    assert till.units() == (48, 0)


def test_the_same_event_delivered_at_once_counts_once(till):
    note = till.press("paid")
    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(lambda _: till.deliver(note), range(6)))
    assert outcomes.count("verified") == 1
    assert set(outcomes) <= {"duplicate", "unchanged", "verified"}, "unchanged: read before it was applied"
    assert (till.told(), till.units()) == (["payment_confirmed"], (48, 0))
    assert till.deliver(note) == "duplicate"


def test_the_same_event_taken_up_by_two_replicas_is_recorded_as_what_it_did(till, sessions, monkeypatch):
    """Both ask the provider before either of them applied its answer."""
    note, read, both_ask = till.press("paid"), till.sandbox.read, Barrier(2)

    def read_together(payment):
        both_ask.wait(10)
        return read(payment)

    monkeypatch.setattr(till.sandbox, "read", read_together)
    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(lambda _: till.deliver(note), range(2)))
    assert outcomes == ["unchanged", "verified"]
    assert (till.told(), till.units()) == (["payment_confirmed"], (48, 0))
    with sessions.begin() as session:
        assert session.query(PaymentEvent).one().outcome == "verified"


def test_different_events_of_one_payment_delivered_at_once_count_once(till):
    notes = [till.press("paid") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(till.deliver, notes))
    assert outcomes == ["unchanged"] * 5 + ["verified"]
    assert (till.told(), till.units()) == (["payment_confirmed"], (48, 0))


@pytest.mark.parametrize("order", permutations(range(3)))
def test_events_in_any_order_end_paid(till, order):
    """Failed, paid and a late press of 'failed' arrive shuffled: the ledger says paid."""
    notes = [till.press(outcome) for outcome in ("failed", "paid", "failed")]
    outcomes = sorted(till.deliver(notes[index]) for index in order)
    assert outcomes == ["unchanged", "unchanged", "verified"]
    assert (till.stands(), till.told()) == (("paid", "verified"), ["payment_confirmed"])


def test_a_hint_before_the_ledger_decided_changes_nothing(till):
    body = json.dumps({"id": "evt_early", "reference": till.reference}).encode()
    assert till.receive(body, till.signed(body)) == "unchanged"
    assert (till.stands(), till.told()) == (("awaiting_payment", "pending"), [])


def test_a_forged_notification_writes_nothing(till, sessions):
    note = till.press("paid")
    good = note.headers[SIGNATURE_HEADER]
    other = SandboxProvider("http://127.0.0.1:4000", b"another key", sessions)
    foreign = other.settle(till.reference, "paid")
    before = till.rows()
    for body, headers in [
        (note.body, {}),
        (note.body, {SIGNATURE_HEADER: ""}),
        (note.body, {SIGNATURE_HEADER: good.upper()}),
        (note.body, {SIGNATURE_HEADER: good[:-1]}),
        (note.body, {SIGNATURE_HEADER: "é" * 64}),
        (note.body + b" ", note.headers),
        (note.body.replace(b"evt_", b"evt-"), note.headers),
        (b"", note.headers),
        (foreign.body, foreign.headers),
    ]:
        with pytest.raises(PaymentRejected, match="wrong signature"):
            till.receive(body, headers)
    assert till.rows() == before
    assert (till.stands(), till.units()) == (("awaiting_payment", "pending"), (50, 2))


@pytest.mark.parametrize("body", [b"", b"paid", b"null", b"[]", b'"x"', b"{}", b'{"id": "e"}', b"\xff{"])
def test_a_malformed_notification_writes_nothing(till, body):
    before = till.rows()
    with pytest.raises(PaymentRejected, match="malformed"):
        till.receive(body, till.signed(body))
    assert till.rows() == before


def test_strangers_money_writes_nothing(till):
    """An unknown provider, a reference that is not ours, a charge that does not exist."""
    note = till.press("paid")
    before = till.rows()
    with pytest.raises(PaymentRejected, match="unknown provider"):
        till.receive(note.body, note.headers, provider="monopoly")
    body = b'{"id": "evt_1", "reference": "sbx_of_somebody_else"}'
    with pytest.raises(PaymentRejected, match="no such payment"):
        till.receive(body, till.signed(body))
    for reference, outcome in (("sbx_none", "paid"), (till.reference, "stolen")):
        with pytest.raises(PaymentRejected):
            till.sandbox.settle(reference, outcome)
    assert till.rows() == before


@pytest.mark.parametrize(
    "change", [{"amount": Decimal("11824.99")}, {"amount": Decimal("118250.00")}, {"currency": "USD"}]
)
def test_money_that_differs_goes_to_review(till, sessions, change):
    note = till.press("paid")
    with sessions.begin() as session:
        for name, value in change.items():
            setattr(session.get(SandboxCharge, till.reference), name, value)
    assert till.deliver(note) == "review"
    assert till.stands() == ("review", "review")
    assert till.units()[0] == 50, "not sold"
    assert till.deliver(till.press("paid")) == "unchanged", "a person decides now"
    assert till.told() == ["payment_in_review"]
    assert till.refunds() == [], "a person decides that, too"
    came = {"amount": Decimal("11825.00"), "currency": "NGN", **change}
    with sessions.begin() as session:
        (payment,) = session.query(Order).one().payments
        assert (payment.received_amount, payment.received_currency) == (came["amount"], came["currency"])
        assert (payment.amount, payment.currency) == (Decimal("11825.00"), "NGN")


def test_late_money_is_honoured_while_stock_allows(till, clock, sessions):
    clock.pass_minutes(31)
    assert flow.expire_due(till.shop) == 1
    assert till.stands() == ("expired", "expired")
    assert till.deliver(till.press("paid")) == "verified"
    assert till.stands() == ("paid", "verified")
    assert till.told() == ["payment_expired", "payment_confirmed"]
    assert till.units() == (48, 0)
    with sessions.begin() as session:
        assert session.query(Cart).one().status == CartStatus.ORDERED, "not ordered a second time"


def test_money_for_a_cancelled_order_is_honoured_too(till):
    till.ask(orders.cancel)
    assert till.deliver(till.press("paid")) == "verified"
    assert (till.stands(), till.units()) == (("paid", "verified"), (48, 0))


def test_money_for_an_order_that_the_staff_cancelled_goes_back(till):
    till.shop.run(lambda work: order_status.cancel(work, till.number, "Ada", "oven broken"))
    assert till.deliver(till.press("paid")) == "refund"
    assert (till.stands(), till.units()) == (("cancelled", "review"), (50, 0))
    assert till.told() == ["order_status_changed", "payment_sent_back"]
    assert till.refunds() == [(Decimal("11825.00"), RefundStatus.PENDING, "shop")]


def test_an_order_whose_money_went_back_stays_over(till, clock, sessions):
    """Sold out when the first money came, on sale again when the second did: it was told to be over."""
    clock.pass_minutes(31)
    assert flow.expire_due(till.shop) == 1
    with sessions.begin() as session:
        session.get(Product, till.product.id).stock_quantity = 1
        order = session.query(Order).one()
        again = {"order_id": order.id, "amount": order.total_amount, "currency": "NGN"}
        session.add(Payment(**again, payment_method="sandbox", payment_reference="pay-again"))
    assert till.deliver(till.press("paid")) == "refund"
    with sessions.begin() as session:
        session.get(Product, till.product.id).stock_quantity = 50

    def come(work):
        order, payment = lock_payment(work, "pay-again")
        return apply(work, order, payment, ProviderPayment("pay-again", True, payment.amount, "NGN"))

    assert till.shop.run(come) == "refund"
    assert till.stands()[0] == "expired"


def test_an_answer_about_another_payment_changes_nothing(till, monkeypatch):
    """As a provider gives that was handed a forged reference, or mixes two up."""
    note = till.press("paid")
    truth = till.sandbox.read(PaymentHandle(till.reference, None, Decimal("11825.00"), "NGN"))
    other = replace(truth, reference="pay-of-another")
    monkeypatch.setattr(type(till.sandbox), "read", lambda *_: other)
    assert till.deliver(note) == "mismatch"
    assert (till.stands(), till.told()) == (("awaiting_payment", "pending"), [])
    (told,) = till.shop.run(differences)
    assert told.what == "event of sandbox led to another payment than it named"
    assert ask_providers(till.shop, datetime.min.replace(tzinfo=UTC)) == [
        Difference(till.reference, "sandbox answers about another payment")
    ]


def test_late_money_for_a_sold_out_order_goes_back(till, clock, sessions):
    clock.pass_minutes(31)
    assert flow.expire_due(till.shop) == 1
    with sessions.begin() as session:
        session.get(Product, till.product.id).stock_quantity = 1
    assert till.deliver(till.press("paid")) == "refund"
    assert till.stands() == ("expired", "review")
    assert till.units() == (1, 0)
    assert till.told() == ["payment_expired", "payment_sent_back"]
    assert till.refunds() == [(Decimal("11825.00"), RefundStatus.PENDING, "shop")]
    assert till.deliver(till.press("paid")) == "unchanged", "sent back once"

    assert flow.send_refunds(till.shop) == 1
    assert flow.send_refunds(till.shop) == 0
    assert till.stands() == ("expired", "refunded")
    assert till.refunds() == [(Decimal("11825.00"), RefundStatus.DONE, "shop")]
    assert till.told() == ["payment_expired", "payment_sent_back", "payment_refunded"]
    assert till.sandbox.charge(till.reference).refunded == Decimal("11825.00")


def test_late_money_goes_back_when_the_cart_went_on_to_a_new_order(till, clock, sessions):
    clock.pass_minutes(31)
    assert flow.expire_due(till.shop) == 1
    newer = till.ask(checkout.place)
    assert till.deliver(till.press("paid")) == "refund"
    assert till.stands() == ("expired", "review")
    assert till.told() == ["payment_expired", "payment_sent_back"]
    assert till.refunds() == [(Decimal("11825.00"), RefundStatus.PENDING, "shop")]
    with sessions.begin() as session:
        live = session.query(Order).filter_by(number=newer.number).one()
        assert live.status == OrderStatus.AWAITING_PAYMENT
        assert live.payments[0].status == PaymentStatus.PENDING
    assert till.units() == (50, 2), "held for the new order, once"


def test_money_after_the_time_but_before_the_sweeper(till, clock):
    """Late by the clock, but nobody else took the units: it is simply paid."""
    clock.pass_minutes(31)
    assert till.deliver(till.press("paid")) == "verified"
    assert (till.stands(), till.units()) == (("paid", "verified"), (48, 0))


def others_buy_all(till: Till, caller: Callable[..., Any]) -> None:
    """Another customer, whose cart was filled before, orders all 50 burgers."""
    other = caller(number="+2348099999999")
    rival = till.shop.run(lambda work: recognise(work, other.lookup, other.address, None))

    def had_filled_a_cart_before(work):
        filled = work.carts.create(customer_id=rival.id)
        work.cart_items.create(cart_id=filled.id, product_id=till.product.id, quantity=50, position=1)

    till.shop.run(had_filled_a_cart_before)
    till.shop.run(lambda work: checkout.place(work, rival))


def test_money_before_the_sweeper_for_units_that_others_bought(till, clock, caller):
    """The hold ran out, another customer bought all, and only then the money came."""
    clock.pass_minutes(33)
    others_buy_all(till, caller)
    assert till.units() == (50, 50)
    assert till.deliver(till.press("paid")) == "refund"
    assert till.stands() == ("expired", "review"), "ended with it: nothing waits for the sweeper"
    assert (till.told(), till.units()) == (["payment_sent_back"], (50, 50))
    assert till.refunds() == [(Decimal("11825.00"), RefundStatus.PENDING, "shop")]
    assert flow.expire_due(till.shop) == 0
    assert till.told() == ["payment_sent_back"]
    assert till.units() == (50, 50), "the rival's; none came free by mistake"


def test_a_refund_that_is_quicker_than_the_sweeper_leaves_no_unit_held(till, clock, make_product, caller):
    """The burgers went to somebody else, the last pie did not: it must be for sale again."""
    pie = make_product(name="Pie", price=Decimal("500.00"), stock_quantity=1)
    till.ask(cart.add, str(pie.id), 1)
    placed = till.ask(checkout.place)
    till.number, till.reference = placed.number, placed.payment_reference
    flow.open_payment(till.shop, till.reference)
    clock.pass_minutes(33)
    others_buy_all(till, caller)
    assert till.deliver(till.press("paid")) == "refund"
    assert flow.send_refunds(till.shop) == 1
    flow.expire_due(till.shop)
    assert till.stands()[1] == "refunded"
    assert till.shop.run(lambda work: catalogue.view(work.products.find_by_id(pie.id)).left) == 1


def test_who_ordered_in_time_gets_it_even_if_it_left_the_menu(till):
    till.shop.run(lambda work: work.products.update(till.product.id, available=False))
    assert till.deliver(till.press("paid")) == "verified"
    assert (till.stands(), till.units()) == (("paid", "verified"), (48, 0))
