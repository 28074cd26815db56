"""Migrations: up, down and up again, and what a shop's rows become on the way."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import IntegrityError

from db.engine import make_engine
from db.models import Base
from deploy.prepare import migrate

FIRST_TABLES = (
    "cart_items carts commands customers order_items orders outbox payment_events payments products"
    " sandbox_charges state_changes stock_reservations"
)
FIRST_TYPES = "cart_status order_status payment_status"
CART = """
INSERT INTO customers (phone_lookup) VALUES ('buyer');
INSERT INTO products (name, price, category, sku)
    VALUES ('Latte', 1500, 'Coffee', 'LAT'), ('Tea', 900, 'Tea', 'TEA');
INSERT INTO carts (customer_id, status, history) SELECT id, 'open', '[[]]' FROM customers;
INSERT INTO cart_items (cart_id, product_id, quantity, position, option_ids, removals)
    SELECT carts.id, products.id, line.* FROM carts, products, (VALUES
        (2, 1, '{}'::uuid[], '{}'::text[]),
        (3, 3, ARRAY[gen_random_uuid()], '{}'),
        (4, 4, '{}', '{foam}')
    ) line WHERE sku = 'LAT';
INSERT INTO cart_items (cart_id, product_id, quantity, position)
    SELECT carts.id, products.id, 1, 2 FROM carts, products WHERE sku = 'TEA'
"""
LEDGER = """
INSERT INTO customers (phone_lookup) VALUES ('buyer');
INSERT INTO orders (customer_id, number, status, currency, items_amount, discount_amount, discount_code,
        tax_amount, delivery_fee, total_amount, fulfilment, delivery_address)
    SELECT id, 'AB2345', 'paid', 'NGN', 1000, 100, 'TEN', 67.50, 500, 1467.50, 'delivery', '12 Allen Avenue'
    FROM customers;
INSERT INTO payments (order_id, amount, currency, payment_method, payment_reference, status)
    SELECT id, total_amount, currency, 'sandbox', 'pay-1', 'verified' FROM orders;
INSERT INTO refunds (payment_id, amount, reason, requested_by, status)
    SELECT id, 500, 'came cold', 'Ada', 'pending' FROM payments;
INSERT INTO staff_actions (staff, action, order_id, details) SELECT 'Ada', 'refund', id, '{}' FROM orders
"""


@pytest.fixture
def fresh_database(engine: Engine, database_url: str) -> Iterator[str]:
    """The address of a database that nobody migrated yet; dropped afterwards."""
    name = "chatcart_migration_tests"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text("SET statement_timeout = 0"))
        admin.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        admin.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(database_url).set(database=name).render_as_string(hide_password=False)
        admin.execute(text(f"DROP DATABASE {name}"))


def execute(url: str, statements: str) -> list[tuple[Any, ...]]:
    """Run statements in one transaction; the rows of the last one."""
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements.split(";\n"):
                result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def things(url: str) -> tuple[set[str], set[str]]:
    """The tables and enumerated types of a database."""
    engine = make_engine(url)
    try:
        inspector = inspect(engine)
        tables = set(inspector.get_table_names()) - {"alembic_version"}
        return tables, {enum["name"] for enum in inspector.get_enums()}
    finally:
        engine.dispose()


def test_migrations_go_up_down_and_up_again(fresh_database):
    migrate(fresh_database)
    full = things(fresh_database)
    assert full[0] == set(Base.metadata.tables)
    migrate(fresh_database, "base")
    assert things(fresh_database) == (set(), set()), "nothing is left behind"
    migrate(fresh_database)
    migrate(fresh_database)
    assert things(fresh_database) == full


def test_going_back_joins_the_lines_of_a_product_and_forward_again_keeps_them(fresh_database):
    """Before options, a cart had one line for each product: the lines become one, no unit is lost."""
    lines = "cart_items line JOIN products ON products.id = product_id"
    in_order = f"SELECT name, quantity, line.position FROM {lines} ORDER BY 3"
    migrate(fresh_database)
    full = things(fresh_database)
    execute(fresh_database, CART)
    before = [("Latte", 2, 1), ("Tea", 1, 2), ("Latte", 3, 3), ("Latte", 4, 4)]
    assert execute(fresh_database, in_order) == before

    migrate(fresh_database, "0001")
    tables, types = things(fresh_database)
    assert tables == set(FIRST_TABLES.split())
    assert types == set(FIRST_TYPES.split())
    joined = [("Latte", 9, 1), ("Tea", 1, 2)]
    assert execute(fresh_database, in_order) == joined
    twice = "INSERT INTO cart_items (cart_id, product_id, quantity, position)"
    with pytest.raises(IntegrityError, match="UniqueViolation"):
        execute(fresh_database, f"{twice} SELECT cart_id, product_id, 1, 9 FROM cart_items")

    migrate(fresh_database)
    assert things(fresh_database) == full
    assert execute(fresh_database, in_order) == joined
    assert execute(fresh_database, "SELECT DISTINCT option_ids, removals FROM cart_items") == [([], [])]
    assert execute(fresh_database, "SELECT fulfilment, history FROM carts") == [("pickup", [])]


def test_going_back_and_forward_keeps_what_was_paid(fresh_database):
    """The total of an order that was discounted and delivered stays, and its parts sum to it."""
    migrate(fresh_database)
    execute(fresh_database, LEDGER)
    migrate(fresh_database, "0001")
    migrate(fresh_database)
    ledger = "SELECT number, total_amount, amount FROM orders JOIN payments ON order_id = orders.id"
    assert execute(fresh_database, ledger) == [("AB2345", Decimal("1467.50"), Decimal("1467.50"))]
    parts = "SELECT items_amount - discount_amount + tax_amount + delivery_fee = total_amount FROM orders"
    assert execute(fresh_database, parts) == [(True,)]
