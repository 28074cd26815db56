"""Repositories: create, find, update, delete alike for every table, and the queries the shop needs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.models import CartStatus, Customer, InvalidValue, OrderStatus, PaymentStatus
from db.repositories import (
    CartItemsRepository,
    CartsRepository,
    CommandResultsRepository,
    CustomersRepository,
    OrderItemsRepository,
    OrdersRepository,
    OutboxRepository,
    PaymentEventsRepository,
    PaymentsRepository,
    ProductsRepository,
    RefundsRepository,
    StateChangesRepository,
    StockReservationsRepository,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOWHERE = "00000000-0000-4000-8000-000000000000"
PRODUCT = {"name": "Test Burger", "price": Decimal("5500.00"), "category": "Burgers", "sku": "BUR-1"}


def order_values(customer: Customer, number: str = "AB2345", **more: Any) -> dict[str, Any]:
    amounts = {"items_amount": Decimal("11000.00"), "tax_amount": Decimal("825.00")}
    return {
        "customer_id": customer.id,
        "number": number,
        "status": OrderStatus.AWAITING_PAYMENT,
        "total_amount": Decimal("11825.00"),
        "currency": "NGN",
        **amounts,
        **more,
    }


@pytest.fixture
def someone(session) -> Customer:
    """A customer."""
    return CustomersRepository(session).create(phone_lookup="someone", phone_number="sealed")


@pytest.fixture(params=["customers", "products", "orders"])
def table(request, session, someone) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A repository, values for a row, and a change of it."""
    return {
        "customers": (CustomersRepository(session), {"phone_lookup": "new"}, {"name": "Ada"}),
        "products": (ProductsRepository(session), PRODUCT, {"price": Decimal("6000.00"), "available": False}),
        "orders": (OrdersRepository(session), order_values(someone), {"status": OrderStatus.PAID}),
    }[request.param]


def test_a_created_row_is_found_again_with_its_defaults(table, session):
    repository, values, _ = table
    row = repository.create(**values)
    session.expire_all()
    for key in (row.id, str(row.id)):
        found = repository.find_by_id(key)
        assert {name: getattr(found, name) for name in values} == values
    assert isinstance(row.id, uuid.UUID)
    assert row.created_at.tzinfo is not None
    assert row.updated_at is not None


@pytest.mark.parametrize(
    "key", [NOWHERE, uuid.uuid4(), "no uuid", "", "1", "'; DROP TABLE orders; --", None, 7]
)
def test_what_does_not_exist_is_none_and_cannot_be_changed(table, key):
    repository, values, change = table
    repository.create(**values)
    assert repository.find_by_id(key) is None
    assert repository.update(key, **change) is None
    assert repository.delete(key) is False


def test_an_update_changes_what_it_names_and_nothing_else(table, session):
    repository, values, change = table
    row = repository.create(**values)
    assert repository.update(row.id, **change) is row
    session.expire_all()
    found = repository.find_by_id(row.id)
    assert {name: getattr(found, name) for name in values} == {
        **values,
        **{n: change[n] for n in change if n in values},
    }
    assert {name: getattr(found, name) for name in change} == change


@pytest.mark.parametrize("name", ["colour", "metadata", "__class__", "find_by_id"])
def test_an_unknown_column_is_an_error_and_changes_nothing(table, name):
    repository, values, _ = table
    row = repository.create(**values)
    with pytest.raises(AttributeError, match=f"has no column '{name}'"):
        repository.update(row.id, **{name: "red"})


def test_a_relationship_is_not_a_column(session, someone):
    row = OrdersRepository(session).create(**order_values(someone))
    with pytest.raises(AttributeError):
        OrdersRepository(session).update(row.id, customer=None)


def test_a_deleted_row_is_gone(table):
    repository, values, _ = table
    row = repository.create(**values)
    assert repository.delete(row.id) is True
    assert repository.find_by_id(row.id) is None
    assert repository.delete(row.id) is False


def test_a_customer_with_orders_cannot_be_deleted(sessions):
    with pytest.raises(IntegrityError), sessions.begin() as session:
        customers = CustomersRepository(session)
        customer = customers.create(phone_lookup="buyer")
        OrdersRepository(session).create(**order_values(customer))
        customers.delete(customer.id)


def test_an_order_takes_its_lines_along(session, someone):
    product = ProductsRepository(session).create(**PRODUCT)
    order = OrdersRepository(session).create(**order_values(someone))
    price = product.price
    line = OrderItemsRepository(session).create(
        order_id=order.id,
        product_id=product.id,
        product_name="x",
        quantity=1,
        unit_price=price,
        total_price=price,
    )
    session.expire_all()
    assert [item.id for item in OrdersRepository(session).find_by_id(order.id).items] == [line.id]
    OrdersRepository(session).delete(order.id)
    assert OrderItemsRepository(session).find_by_id(line.id) is None


def test_customers_are_found_by_their_pseudonym(session, someone):
    customers = CustomersRepository(session)
    assert customers.find_by_lookup("someone") is someone
    assert customers.find_by_lookup("sealed") is None


def test_products_are_found_in_menu_order(session):
    products = ProductsRepository(session)
    for name, category, position, available in [
        ("Fries", "Sides", 3, True),
        ("Cheese Burger", "Burgers", 2, True),
        ("Beef Burger", "Burgers", 2, True),
        ("Old Burger", "Burgers", 1, False),
    ]:
        products.create(
            name=name, category=category, position=position, available=available, sku=name, price=Decimal(1)
        )
    assert [row.name for row in products.find_available()] == ["Beef Burger", "Cheese Burger", "Fries"]
    assert [row.name for row in products.find_available("BURGERS")] == ["Beef Burger", "Cheese Burger"]
    assert products.find_available("Sushi") == []
    assert products.find_by_sku("Old Burger").name == "Old Burger"
    assert products.find_by_sku("none") is None


def test_products_are_locked_in_the_order_of_their_ids_and_read_afresh(session):
    products = ProductsRepository(session)
    rows = [products.create(**{**PRODUCT, "sku": str(n)}) for n in range(5)]
    locked = products.lock([row.id for row in rows] * 2)
    assert [row.id for row in locked] == sorted(row.id for row in rows)
    assert products.lock([]) == []


def test_a_customer_has_at_most_one_open_cart(session, someone):
    carts = CartsRepository(session)
    assert carts.find_open(someone.id) is None
    carts.create(customer_id=someone.id, status=CartStatus.ORDERED)
    cart = carts.create(customer_id=someone.id)
    product = ProductsRepository(session).create(**PRODUCT)
    CartItemsRepository(session).create(cart_id=cart.id, product_id=product.id, quantity=1, position=1)
    assert carts.find_open(someone.id) is carts.find_open(someone.id, lock=True) is cart
    with pytest.raises(IntegrityError), session.begin_nested():
        carts.create(customer_id=someone.id)


def test_orders_are_found_by_customer_number_and_cart(session, someone):
    orders = OrdersRepository(session)
    cart = CartsRepository(session).create(customer_id=someone.id, status=CartStatus.ORDERED)
    old = orders.create(**order_values(someone, "OLD", created_at=NOON, cart_id=cart.id))
    assert orders.find_live_by_cart(cart.id) is old
    with pytest.raises(IntegrityError), session.begin_nested():
        orders.create(**order_values(someone, "TWICE", cart_id=cart.id))
    orders.update(old.id, status=OrderStatus.CANCELLED)
    assert orders.find_live_by_cart(cart.id) is None
    new = orders.create(
        **order_values(someone, "NEW", created_at=NOON + timedelta(minutes=1), cart_id=cart.id)
    )
    assert orders.find_live_by_cart(cart.id) is new
    assert orders.find_latest(someone.id) is new
    assert orders.find_latest(someone.id, [OrderStatus.CANCELLED]) is old
    assert orders.find_latest(someone.id, [OrderStatus.PAID]) is None
    assert orders.find_latest(uuid.uuid4()) is None
    assert orders.find_by_number("OLD") is old
    assert orders.find_by_number("old") is None
    assert orders.lock(new.id) is new
    assert orders.lock(uuid.uuid4()) is None


def test_expired_orders_are_found_oldest_first_and_by_one_replica_only(sessions):
    with sessions.begin() as session:
        customer = CustomersRepository(session).create(phone_lookup="buyer")
        for number, minutes, status in [
            ("LATER", 20, OrderStatus.AWAITING_PAYMENT),
            ("FIRST", 10, OrderStatus.AWAITING_PAYMENT),
            ("PAID", 10, OrderStatus.PAID),
            ("STILL", 31, OrderStatus.AWAITING_PAYMENT),
        ]:
            until = NOON + timedelta(minutes=minutes)
            values = order_values(customer, number, status=status, expires_at=until)
            OrdersRepository(session).create(**values)

    def find(limit: int = 50) -> list[str]:
        with sessions.begin() as session:
            found = OrdersRepository(session).find_expired(NOON + timedelta(minutes=30), limit)
            return [order.number for order in found]

    assert find() == ["FIRST", "LATER"]
    with sessions.begin() as session, ThreadPoolExecutor(1) as pool:
        OrdersRepository(session).find_expired(NOON + timedelta(minutes=30), 1)
        assert pool.submit(find).result(5) == ["LATER"], "the other replica skips what is taken"


def test_holds_are_found_by_order_and_by_time(session, someone):
    product = ProductsRepository(session).create(**PRODUCT)
    order = OrdersRepository(session).create(**order_values(someone))
    holds = StockReservationsRepository(session)
    held = holds.create(order_id=order.id, product_id=product.id, quantity=1, expires_at=NOON)
    assert holds.find_by_order(order.id) == [held]
    assert holds.find_by_order(uuid.uuid4()) == []
    assert holds.find_expired([product.id], NOON) == [held]
    assert holds.find_expired([product.id], NOON - timedelta(seconds=1)) == []
    assert holds.find_expired([uuid.uuid4()], NOON) == holds.find_expired([], NOON) == []


def test_payments_and_their_events_are_found_by_reference(session, someone):
    order = OrdersRepository(session).create(**order_values(someone))
    payments, events = PaymentsRepository(session), PaymentEventsRepository(session)
    values = {
        "order_id": order.id,
        "amount": order.total_amount,
        "currency": "NGN",
        "payment_method": "sandbox",
    }
    payment = payments.create(payment_reference="ref", **values)
    assert payment.status == PaymentStatus.PENDING
    assert payments.find_by_reference("ref") is payments.find_by_reference("ref", lock=True) is payment
    assert payments.find_by_reference("other") is None
    event = events.create(provider="sandbox", event_id="evt", payment_reference="ref", payload={})
    assert events.find_by_event("sandbox", "evt") is event
    assert events.find_by_event("other", "evt") is None


def test_outbox_events_come_in_the_order_of_their_causes(session, someone):
    outbox = OutboxRepository(session)
    shell = CustomersRepository(session).create(phone_lookup="shell")
    events = [outbox.create(customer_id=someone.id, event=name, data={}) for name in ("one", "two", "three")]
    own = outbox.create(customer_id=shell.id, event="four", data={})
    outbox.update(events[0].id, dispatched_at=NOON)
    assert outbox.find_pending(10) == events[1:], "the shell has no address and asks for its own"
    assert outbox.find_pending(1) == events[1:2]
    assert outbox.find_pending(10, customer_id=shell.id) == [own]


def test_states_and_command_results_are_found(session, someone):
    states, commands = StateChangesRepository(session), CommandResultsRepository(session)
    assert states.find_latest_state(someone.id) is None
    for state in ("GREETING", "BROWSING_PRODUCTS"):
        states.create(customer_id=someone.id, to_state=state, message_id="SM1")
    assert states.find_latest_state(someone.id) == "BROWSING_PRODUCTS"
    commands.create(message_id="SM1", command_number=1, command="add", result={"result": 1})
    assert commands.find("SM1", 1, "add") == {"result": 1}
    assert commands.find("SM1", 2, "add") is commands.find("SM1", 1, "set") is None


QUANTITIES = [0, -1, 1.5, 2.0, Decimal("1.5"), Decimal(2), "2", True, 2**31, None]
AMOUNTS = [
    Decimal("-0.01"),
    Decimal("0.001"),
    Decimal("NaN"),
    Decimal("Infinity"),
    Decimal(10) ** 10,
    5.5,
    "5",
    True,
]
CURRENCIES = ["", "ngn", "NG", "NAIRA", "₦", "N N", None, 566]
GUARDED = [
    (CartItemsRepository, {"quantity": QUANTITIES}),
    (StockReservationsRepository, {"quantity": QUANTITIES}),
    (OrderItemsRepository, {"quantity": QUANTITIES, "unit_price": AMOUNTS, "total_price": AMOUNTS}),
    (
        OrdersRepository,
        {
            **dict.fromkeys(("items_amount", "discount_amount", "tax_amount"), AMOUNTS),
            **dict.fromkeys(("delivery_fee", "total_amount"), AMOUNTS),
            "currency": CURRENCIES,
        },
    ),
    (PaymentsRepository, {"amount": AMOUNTS, "currency": CURRENCIES}),
    (RefundsRepository, {"amount": AMOUNTS}),
    (ProductsRepository, {"price": AMOUNTS}),
]


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        pytest.param(kind, column, value, id=f"{kind.__name__}-{column}-{value!r}")
        for kind, columns in GUARDED
        for column, values in columns.items()
        for value in values
    ],
)
def test_what_no_row_may_hold_is_refused_by_name_and_nothing_is_written(session, kind, column, value):
    """However a row comes to be; the error says which column, and quotes nothing."""
    repository = kind(session)
    for refused in (repository.create, lambda **row: repository.add(row)):
        with pytest.raises(InvalidValue) as caught:
            refused(**{column: value})
        assert caught.value.column == column
    assert session.query(kind.model).count() == 0


def test_a_row_cannot_be_changed_into_what_it_may_not_hold(session):
    products = ProductsRepository(session)
    row = products.create(**PRODUCT)
    with pytest.raises(InvalidValue):
        products.update(row.id, price=Decimal("-1"))
    session.expire_all()
    assert products.find_by_id(row.id).price == PRODUCT["price"]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE orders SET currency = 'ngn'", "orders_currency_code"),
        ("UPDATE payments SET currency = '$'", "payments_currency_code"),
        ("UPDATE order_items SET total_price = -1", "order_items_total_not_negative"),
    ],
)
def test_who_writes_past_the_models_is_stopped_by_the_database(session, someone, statement, constraint):
    order = OrdersRepository(session).create(**order_values(someone))
    product = ProductsRepository(session).create(**PRODUCT)
    line = {"product_id": product.id, "product_name": "x", "quantity": 1, "unit_price": 1, "total_price": 1}
    OrderItemsRepository(session).create(order_id=order.id, **line)
    paid = {"amount": 1, "currency": "NGN", "payment_method": "cash", "payment_reference": "r"}
    PaymentsRepository(session).create(order_id=order.id, **paid)
    with pytest.raises(IntegrityError, match=constraint):
        session.execute(text(statement))
