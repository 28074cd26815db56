"""The schema: what the architecture documents is what a migrated database has."""

from __future__ import annotations

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from db.models import Base, OrderStatus, PaymentStatus, RefundStatus

COLUMNS = {
    "customers": "id phone_number name created_at updated_at",
    "products": "id name description price category available stock_quantity sku created_at updated_at",
    "orders": "id customer_id status total_amount payment_reference created_at updated_at",
    "order_items": "id order_id product_id quantity unit_price total_price",
    "payments": "id order_id amount payment_method payment_reference status verified_at created_at",
    "state_changes": "id customer_id from_state to_state message_id created_at",
}
INDEXES = {
    "idx_staff_members_name": r"UNIQUE .*staff_members .*\(lower\(",
    "idx_customers_phone": r"UNIQUE .*customers .*\(phone_lookup\)",
    "idx_products_available": r"products .*\(available\) WHERE \(available = true\)",
    "idx_products_category": r"products .*\(category\)",
    "idx_orders_customer": r"orders .*\(customer_id\)",
    "idx_orders_status": r"orders .*\(status\)",
    "idx_order_items_order": r"order_items .*\(order_id\)",
    "idx_payments_order": r"payments .*\(order_id\)",
    "idx_payments_status": r"payments .*\(status\)",
    "idx_carts_one_open": r"UNIQUE .*carts .*\(customer_id\) WHERE \(status = 'open'",
    "idx_orders_one_per_cart": r"UNIQUE .*orders .*\(cart_id\) WHERE .*cancelled.*expired",
    "idx_customers_phone_next": r"UNIQUE .*customers .*\(phone_lookup_next\)",
    "idx_discounts_code": r"UNIQUE .*discounts .*\(upper\(",
    "idx_product_options_name": r"UNIQUE .*product_options .*\(group_id, name\)",
}
FOREIGN_KEYS = {
    "orders.customer_id -> customers",
    "orders.cart_id -> carts",
    "order_items.order_id -> orders",
    "order_items.product_id -> products",
    "payments.order_id -> orders",
    "carts.customer_id -> customers",
    "cart_items.cart_id -> carts",
    "cart_items.product_id -> products",
    "stock_reservations.order_id -> orders",
    "stock_reservations.product_id -> products",
    "product_option_groups.product_id -> products",
    "product_option_groups.group_id -> option_groups",
    "product_options.group_id -> option_groups",
    "refunds.payment_id -> payments",
    "staff_actions.order_id -> orders",
    "staff_sessions.member_id -> staff_members",
    "commands.customer_id -> customers",
    "outbox.customer_id -> customers",
    "state_changes.customer_id -> customers",
    "handoffs.customer_id -> customers",
    "thread_messages.customer_id -> customers",
    "thread_messages.handoff_id -> handoffs",
    "misunderstandings.customer_id -> customers",
}
UNIQUE = {
    ("customers", "phone_number"),
    ("products", "sku"),
    ("orders", "number"),
    ("orders", "payment_reference"),
    ("payments", "payment_reference"),
    ("payment_events", "provider, event_id"),
    ("cart_items", "cart_id, product_id, option_ids, removals"),
    ("option_groups", "name"),
    ("orders", "receipt_token"),
    ("stock_reservations", "order_id, product_id"),
    ("outbox", "sequence"),
    ("thread_messages", "sequence"),
    ("thread_messages", "message_id"),
}
CHECKS = {
    "products_price_not_negative",
    "products_reserved_within_stock",
    "orders_total_not_negative",
    "cart_items_quantity_positive",
    "order_items_quantity_positive",
    "stock_reservations_quantity_positive",
    "orders_parts_sum_to_total",
    "orders_parts_not_negative",
    "order_items_price_not_negative",
    "orders_currency_code",
    "order_items_total_not_negative",
    "payments_amount_not_negative",
    "payments_currency_code",
    "refunds_amount_positive",
    "discounts_value_sane",
    "discounts_uses_left",
    "option_groups_most_positive",
    "catalogue_version_single",
    "opening_hours_one_row",
}


def columns(engine: Engine, table: str) -> dict[str, str]:
    """The columns of a table and their types, as information_schema has them."""
    query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :table"
    with engine.connect() as connection:
        return dict(connection.execute(text(query), {"table": table}).tuples().all())


@pytest.mark.parametrize("table", COLUMNS)
def test_documented_columns_exist(engine, table):
    found = columns(engine, table)
    assert set(COLUMNS[table].split()) <= set(found)
    if "id" in found and table != "state_changes":
        assert found["id"] == "uuid"


def test_money_is_numeric_and_times_know_their_zone(engine):
    for table in Base.metadata.tables:
        for name, kind in columns(engine, table).items():
            if re.search(r"(amount|price|price_difference|value|fee|refunded)$", name):
                assert kind == "numeric", f"{table}.{name}"
            if name.endswith("_at") or name == "scheduled_for":
                assert kind == "timestamp with time zone", f"{table}.{name}"
            assert kind not in ("real", "double precision"), f"{table}.{name}"


def test_documented_indexes_exist(engine):
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    with engine.connect() as connection:
        found = dict(connection.execute(text(query)).tuples().all())
    for name, definition in INDEXES.items():
        assert re.search(definition, found[name]), f"{name}: {found[name]}"


def test_keys_and_checks_exist(engine):
    inspector = inspect(engine)
    tables = [table for table in inspector.get_table_names() if table != "alembic_version"]
    assert all(inspector.get_pk_constraint(table)["constrained_columns"] for table in tables)
    assert {
        f"{table}.{', '.join(key['constrained_columns'])} -> {key['referred_table']}"
        for table in tables
        for key in inspector.get_foreign_keys(table)
    } == FOREIGN_KEYS
    assert {
        (table, ", ".join(unique["column_names"]))
        for table in tables
        for unique in inspector.get_unique_constraints(table)
    } == UNIQUE
    assert {check["name"] for table in tables for check in inspector.get_check_constraints(table)} == CHECKS


def test_the_states_of_orders_and_payments_are_those_of_the_architecture(engine):
    enums = {enum["name"]: enum["labels"] for enum in inspect(engine).get_enums()}
    assert enums["order_status"] == [status.value for status in OrderStatus]
    assert " ".join(enums["order_status"]) == (
        "awaiting_payment placed paid preparing ready completed cancelled expired review refunded"
    )
    assert enums["payment_status"] == [status.value for status in PaymentStatus]
    assert " ".join(enums["payment_status"]) == "pending verified failed expired review refunded"
    assert enums["refund_status"] == [status.value for status in RefundStatus]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE products SET price = -0.01",
        "UPDATE products SET reserved_quantity = -1",
        "UPDATE products SET reserved_quantity = stock_quantity + 1",
        "UPDATE products SET stock_quantity = -1",
        "INSERT INTO products (name, price, category, sku) SELECT name, price, category, sku FROM products",
        "INSERT INTO carts (customer_id, status) VALUES (gen_random_uuid(), 'open')",
        "INSERT INTO carts (customer_id, status) SELECT id, 'open' FROM customers, generate_series(1, 2)",
        "INSERT INTO customers (phone_lookup) SELECT phone_lookup FROM customers",
        "INSERT INTO option_groups (name, most) VALUES ('Size', 0)",
        "INSERT INTO discounts (code, kind, value) VALUES ('TEN', 'percent', 100.01)",
        "INSERT INTO discounts (code, kind, value) VALUES ('TEN', 'amount', 0)",
        "INSERT INTO discounts (code, kind, value, most_uses, uses) VALUES ('TEN', 'amount', 1, 1, 2)",
        "INSERT INTO discounts (code, kind, value) VALUES ('Ten', 'amount', 1), ('TEN', 'amount', 1)",
    ],
)
def test_the_database_refuses_what_must_not_be(sessions, customer, test_burger, statement):
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(text(statement))


def test_models_and_migrations_agree(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
