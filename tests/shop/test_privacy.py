"""Forgetting a customer: the person is gone from every table, the accounts stay, and it happens once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from db.models import (
    Base,
    Cart,
    CartItem,
    CommandResult,
    Customer,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentStatus,
    Product,
    Refund,
    RefundStatus,
    SandboxCharge,
    StateChange,
)
from shop import cart, checkout, customers, fulfilment, order_status, orders, outbox, privacy
from shop.conversation import ConversationState, Session, move, start_session
from shop.errors import CustomerGone, OrderUnderWay
from shop.payments import flow
from shop.service import Caller, Done, Shop
from shop.work import Work
from tests.environment import CUSTOMER_NUMBER

NAME = "Canary Ngozi"
ADDRESS = "7 Canary Street, Yaba"
ERASE = "action_erase_data:erase"


@pytest.fixture
def delivering(make_shop, settings) -> Shop:
    """A shop that delivers."""
    shop = make_shop()
    shop._policy = replace(settings.shop, delivery_fee=Decimal(500))
    return shop


@pytest.fixture
def who(caller) -> Caller:
    """The customer who will be forgotten."""
    return replace(caller(), profile_name=NAME)


@pytest.fixture
def does(delivering, who, caller) -> Callable[..., object]:
    """Each call is a message of that customer, and its command."""

    def does(operation: Callable[..., object], *args: object, kind: type = object) -> object:
        def bound(work: Work, customer: Customer) -> object:
            return operation(work, customer, *args)

        message = replace(who, message_id=caller().message_id)
        return delivering.execute(message, operation.__name__, kind, bound).result

    return does


@pytest.fixture
def completed(does, delivering, sandbox, test_burger, clock) -> str:
    """An order, delivered and paid, that is over; and a cart that was begun since. The order's number."""
    does(start_session, kind=Session)
    does(cart.add, str(test_burger.id), 2, kind=cart.CartChange)
    does(fulfilment.choose_delivery, ADDRESS, kind=cart.CartView)
    placed = does(checkout.place, kind=checkout.PlacedOrder)
    flow.open_payment(delivering, placed.payment_reference)
    note = sandbox.settle(placed.payment_reference, "paid")
    flow.receive(delivering, "sandbox", note.body, note.headers)
    delivering.run(lambda work: order_status.advance(work, placed.number, OrderStatus.COMPLETED, "Bola"))
    clock.pass_minutes(1)
    does(cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    does(fulfilment.choose_delivery, ADDRESS, kind=cart.CartView)
    return placed.number


def erase(shop: Shop, who: Caller) -> Done[privacy.Erasure]:
    return shop.execute(who, ERASE, privacy.Erasure, privacy.erase)


def everything(sessions) -> str:
    """Every row of every table, as text."""
    with sessions() as session:
        return "\n".join(
            str(row)
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f"SELECT t::text FROM {table.name} t"))
        )


def counts(sessions, *models: type[Base]) -> list[int]:
    with sessions() as session:
        return [session.query(model).count() for model in models]


def test_nothing_leads_to_the_person_and_the_accounts_stay(delivering, who, completed, sessions, caller):
    before = everything(sessions)
    message = replace(who, message_id=caller().message_id)
    told = [NAME, ADDRESS, who.lookup, who.address]
    assert all(canary in before for canary in told)

    done = erase(delivering, message)
    assert done.result == privacy.Erasure(orders_kept=1, carts_deleted=2)
    after = everything(sessions)
    assert not [canary for canary in [*told, CUSTOMER_NUMBER, "Canary"] if canary in after]
    assert counts(sessions, Cart, CartItem, StateChange, OutboxEvent) == [0, 0, 0, 0]
    with sessions() as session:
        customer = session.query(Customer).one()
        assert customer.phone_lookup.startswith("erased:")
        assert (customer.phone_number, customer.name, customer.language) == (None, None, None)
        assert customer.erased_at is not None
        order = session.query(Order).one()
        assert (order.number, order.status, order.customer_id) == (completed, "completed", customer.id)
        assert (order.cart_id, order.delivery_address, order.receipt_token) == (None, None, None)
        assert [item.quantity for item in order.items] == [2]
        assert [payment.status for payment in order.payments] == [PaymentStatus.VERIFIED]


def test_what_is_left_of_the_commands_belongs_to_nobody(delivering, who, completed, sessions, caller):
    message = replace(who, message_id=caller().message_id)
    erase(delivering, message)
    with sessions() as session:
        left = session.query(CommandResult).all()
        assert {(row.message_id, row.customer_id) for row in left} == {(message.message_id, None)}
        assert {row.command for row in left} == {ERASE, customers.ERASURE[1]}


def test_every_command_notes_whose_result_it_is(delivering, who, completed, sessions):
    with sessions() as session:
        customer = session.query(Customer).one()
        assert {row.customer_id for row in session.query(CommandResult)} == {customer.id}


def test_the_same_message_again_is_answered_the_same_and_makes_nobody(
    delivering, who, completed, sessions, caller
):
    message = replace(who, message_id=caller().message_id)
    first = erase(delivering, message)
    rows = everything(sessions)
    assert erase(delivering, message) == first
    # A session that was lost meanwhile: the turn begins otherwise, with another command.
    with pytest.raises(CustomerGone):
        delivering.execute(replace(message, command_number=0), "session", Session, start_session)
    with pytest.raises(CustomerGone):
        delivering.run(message.recognised)
    assert everything(sessions) == rows


def test_an_event_that_was_under_way_makes_nobody(delivering, who, completed, sessions):
    erase(delivering, who)
    with pytest.raises(CustomerGone):
        event = replace(who, message_id="an outbox row", wrote=False)
        delivering.execute(event, "told", type(None), orders.return_to_cart)
    assert counts(sessions, Customer) == [1]


def test_an_event_finds_a_customer_who_is_there(delivering, who, completed):
    known = delivering.run(who.recognised)
    assert delivering.run(replace(who, wrote=False).recognised).id == known.id


def test_who_writes_again_is_a_new_customer(delivering, who, completed, sessions, caller):
    erase(delivering, replace(who, message_id=caller().message_id))
    again = replace(who, message_id=caller().message_id)
    session = delivering.execute(again, "session", Session, start_session).result
    assert (session.state, session.cart_items) == (ConversationState.GREETING, 0)
    assert counts(sessions, Customer) == [2]
    assert delivering.run(lambda work: work.orders.find_latest(again.recognised(work).id)) is None
    erase(delivering, replace(who, message_id=caller().message_id))
    assert counts(sessions, Customer, Order) == [2, 1]


def test_others_are_left_alone(delivering, who, completed, sessions, caller, test_burger):
    other = replace(caller(number="+2348099999999"), profile_name="Bola")
    delivering.execute(
        other,
        "add",
        cart.CartChange,
        lambda work, customer: cart.add(work, customer, str(test_burger.id), 3),
    )
    erase(delivering, replace(who, message_id=caller().message_id))
    with sessions() as session:
        kept = session.query(Customer).filter_by(phone_lookup=other.lookup).one()
        assert kept.name == "Bola"
        assert session.query(CartItem).one().quantity == 3
        assert session.query(CommandResult).filter_by(customer_id=kept.id).count() == 1


@pytest.mark.parametrize("status", list(OrderStatus))
def test_an_order_that_is_under_way_has_to_be_finished_first(
    delivering, who, completed, sessions, status, caller
):
    with sessions.begin() as session:
        session.query(Order).one().status = status
    rows = everything(sessions)
    message = replace(who, message_id=caller().message_id)
    if status in ("completed", "cancelled", "expired", "refunded"):
        assert erase(delivering, message).result.orders_kept == 1
        return
    with pytest.raises(OrderUnderWay) as refusal:
        erase(delivering, message)
    assert refusal.value.values == {"number": completed}
    with pytest.raises(OrderUnderWay):
        delivering.run(lambda work: privacy.require_erasable(work, message.recognised(work)))
    assert everything(sessions) == rows, "nothing was deleted"


@pytest.mark.parametrize(
    ("status", "refused"),
    [(RefundStatus.PENDING, True), (RefundStatus.FAILED, True), (RefundStatus.DONE, False)],
)
def test_money_that_has_to_go_back_goes_back_first(delivering, who, completed, sessions, status, refused):
    with sessions.begin() as session:
        payment = session.query(Payment).one()
        session.add(
            Refund(payment_id=payment.id, amount=100, reason="cold", requested_by="Bola", status=status)
        )
    if refused:
        with pytest.raises(OrderUnderWay):
            erase(delivering, who)
    else:
        erase(delivering, who)


def test_money_that_waits_for_a_person_is_settled_first(delivering, who, completed, sessions):
    with sessions.begin() as session:
        session.query(Order).one().status = OrderStatus.EXPIRED
        session.query(Payment).one().status = PaymentStatus.REVIEW
    with pytest.raises(OrderUnderWay):
        erase(delivering, who)


def test_a_notice_for_somebody_who_is_gone_is_not_dispatched(delivering, who, completed, sessions):
    erase(delivering, who)
    with sessions() as session:
        customer_id = session.query(Customer).one().id
    delivering.run(lambda work: outbox.write(work, customer_id, "payment_refunded", {}))
    assert delivering.run(lambda work: outbox.pending(work, 10)) == []
    assert counts(sessions, OutboxEvent) == [0], "nor does it wait for ever"


@pytest.mark.parametrize("came", [None, "5000.00"], ids=["all of it", "another amount"])
def test_money_that_comes_for_somebody_who_is_gone_goes_back(
    does, delivering, who, caller, test_burger, clock, sandbox, sessions, came
):
    does(cart.add, str(test_burger.id), 2, kind=cart.CartChange)
    placed = does(checkout.place, kind=checkout.PlacedOrder)
    flow.open_payment(delivering, placed.payment_reference)
    clock.pass_minutes(31)
    assert flow.expire_due(delivering) == 1
    erase(delivering, replace(who, message_id=caller().message_id))
    if came is not None:
        with sessions.begin() as session:
            session.query(SandboxCharge).one().amount = Decimal(came)

    note = sandbox.settle(placed.payment_reference, "paid")
    assert flow.receive(delivering, "sandbox", note.body, note.headers) == "refund"
    assert flow.send_refunds(delivering) == 1
    with sessions() as session:
        order, payment, refund = (session.query(kind).one() for kind in (Order, Payment, Refund))
        assert (order.status, payment.status) == (OrderStatus.EXPIRED, PaymentStatus.REFUNDED)
        assert (refund.status, refund.amount) == (RefundStatus.DONE, Decimal(came or "11825.00"))
        assert session.query(SandboxCharge).one().refunded == refund.amount
        product = session.query(Product).one()
        assert (product.stock_quantity, product.reserved_quantity) == (50, 0), "nobody would come for them"
    assert counts(sessions, Cart) == [0]
    assert delivering.run(lambda work: outbox.pending(work, 10)) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_who_wants_no_messages_is_not_reminded(does, delivering, test_burger, clock, sessions, stopped):
    if stopped:
        does(customers.stop_notices)
    does(cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    does(checkout.place, kind=checkout.PlacedOrder)
    with sessions.begin() as session:
        session.query(Order).one().created_at = clock.now
    clock.pass_minutes(25)
    assert delivering.run(orders.remind) == (0 if stopped else 1)
    assert counts(sessions, OutboxEvent) == [0 if stopped else 1]


def test_the_export_has_all_that_is_kept_and_nothing_of_how_the_number_is_kept(
    delivering, who, completed, test_burger
):
    delivering.run(lambda work: customers.stop_notices(work, who.recognised(work)))
    exported = delivering.run(lambda work: privacy.export(work, who.recognised(work)))
    assert list(exported) == "profile carts orders states handoffs thread notices misunderstandings".split()
    assert exported["profile"]["name"] == NAME
    assert exported["profile"]["notices_stopped_at"] is not None
    assert not privacy.NOT_EXPORTED & set(exported["profile"])
    assert [cart["lines"][0]["product_name"] for cart in exported["carts"]] == ["Test Burger"] * 2
    (order,) = exported["orders"]
    assert (order["number"], order["delivery_address"]) == (completed, ADDRESS)
    assert [line["quantity"] for line in order["lines"]] == [2]
    assert [payment["refunds"] for payment in order["payments"]] == [[]]
    assert "payment_confirmed" in [notice["event"] for notice in exported["notices"]]
    assert [change["to_state"] for change in exported["states"]][0] == "GREETING"
    written = json.dumps(exported, default=str)
    assert who.lookup not in written and str(who.address) not in written


def test_the_export_changes_nothing(delivering, who, completed, sessions):
    rows = everything(sessions)
    delivering.run(lambda work: privacy.export(work, who.recognised(work)))
    assert everything(sessions) == rows


def test_without_a_message_no_mark_is_left(shop, customer, sessions, clock):
    shop.run(lambda work: move(work, customer, ConversationState.GREETING))
    clock.now += timedelta(days=1)
    shop.run(lambda work: privacy.erase(work, customer))
    assert counts(sessions, CommandResult, StateChange) == [0, 0]
