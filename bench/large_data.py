"""A large shop: 10,000 products, 200,000 customers and 1,000,000 orders of two years, with all about them.

Every id is a hash of a number, as scattered as a random one; some customers order often.
"""

from __future__ import annotations

import time

from sqlalchemy import text

from bench.place import Place

SIZES = {"products": 10_000, "categories": 40, "customers": 200_000, "orders": 1_000_000}
SMALL = {"products": 1_000, "categories": 20, "customers": 2_000, "orders": 10_000}
"""For trying the benchmark out: the plans of so few rows say nothing."""

_PRODUCTS = (
    """
    INSERT INTO option_groups (id, name, required, most)
    SELECT md5('group' || n)::uuid, 'Group ' || n, n % 2 = 0, 1 + n % 3 FROM generate_series(1, 20) AS n
    """,
    """
    INSERT INTO product_options (group_id, name, price_difference, position)
    SELECT md5('group' || n)::uuid, 'Option ' || n || chr(64 + o), o * 50, o
    FROM generate_series(1, 20) AS n, generate_series(1, 5) AS o
    """,
    """
    INSERT INTO products (id, sku, name, description, price, category, stock_quantity, aliases, removable,
                          position)
    SELECT md5('product' || n)::uuid, 'SKU-' || n,
           (ARRAY['Fried','Grilled','Spicy','Sweet','Smoked','Fresh','House','Double'])[1 + n % 8] || ' ' ||
           (ARRAY['Rice','Chicken','Plantain','Fish','Beans','Yam','Burger','Salad','Soup','Juice'])
               [1 + n / 8 % 10] || ' ' || n,
           repeat('Made of what the market has today. ', 2), 500 + n % 60 * 100,
           'Category ' || n % :categories,
           CASE WHEN n % 2 = 0 THEN 1000000 END, ARRAY['dish ' || n], ARRAY['onions', 'pepper'], n
    FROM generate_series(1, :products) AS n
    """,
    """
    INSERT INTO product_option_groups (product_id, group_id, position)
    SELECT md5('product' || n)::uuid, md5('group' || 1 + (n + k * 7) % 20)::uuid, k
    FROM generate_series(1, :products, 2) AS n, generate_series(0, 1) AS k
    """,
    """
    INSERT INTO discounts (id, code, kind, value, minimum_amount)
    SELECT gen_random_uuid(), 'SAVE' || n, 'percent', 5 + n % 20, 500 FROM generate_series(1, 200) AS n
    """,
)
_CUSTOMERS = (
    """
    INSERT INTO customers (id, phone_lookup, phone_number, name, created_at)
    SELECT md5('customer' || n)::uuid, md5('number' || n) || md5('hmac' || n), 'sealed ' || n,
           'Customer ' || n, now() - random() * interval '730 days'
    FROM generate_series(1, :customers) AS n
    """,
    # What follows is derived from this table, order by order.
    """
    CREATE UNLOGGED TABLE bench_orders AS
    SELECT n, md5('order' || n)::uuid AS id, md5('cart' || n)::uuid AS cart_id,
           md5('customer' || 1 + floor(:customers * power(random(), 2))::int)::uuid AS customer_id,
           now() - (:orders - n) * (interval '730 days' / :orders) AS created_at,
           CASE WHEN n > :orders - 30 THEN 'awaiting_payment' WHEN n > :orders - 60 THEN 'paid'
                WHEN n > :orders - 80 THEN 'preparing' WHEN n > :orders - 100 THEN 'ready'
                WHEN n % 100 < 5 THEN 'cancelled' WHEN n % 100 < 12 THEN 'expired'
                WHEN n % 40 = 39 THEN 'refunded' WHEN n % 5000 = 77 THEN 'review'
                ELSE 'completed' END AS status,
           500 + n % 60 * 100 AS price
    FROM generate_series(1, :orders) AS n
    """,
)
_ORDERS = (
    """
    INSERT INTO carts (id, customer_id, status, created_at, updated_at, expires_at)
    SELECT cart_id, customer_id, 'ordered', created_at, created_at, created_at + interval '1 day'
    FROM bench_orders
    """,
    """
    INSERT INTO orders (id, customer_id, cart_id, number, status, items_amount, tax_amount, total_amount,
                        taxes, currency, payment_reference, receipt_token, expires_at, created_at, updated_at)
    SELECT id, customer_id, cart_id, upper(substr(md5('no' || n), 1, 14)), status::order_status,
           3 * price, 0.075 * 3 * price, 1.075 * 3 * price,
           '[{"tax_class": "standard", "rate": "0.075", "base": "1500.00", "amount": "112.50"}]', 'NGN',
           'pay_' || md5('payment' || n), md5('receipt' || n), created_at + interval '30 minutes',
           created_at, created_at
    FROM bench_orders
    """,
    """
    INSERT INTO order_items (order_id, product_id, product_name, quantity, unit_price, total_price, position,
                             ordered_at)
    SELECT id, md5('product' || p)::uuid, 'Dish ' || p, 1, price, price, line, created_at
    FROM bench_orders, generate_series(0, 2) AS line,
         LATERAL (SELECT 1 + (n::bigint * 7919 + line * 3331) % :products AS p) AS picked
    """,
    """
    INSERT INTO cart_items (cart_id, product_id, quantity, position)
    SELECT cart_id, product_id, quantity, position
    FROM bench_orders JOIN order_items ON order_items.order_id = bench_orders.id
    """,
    """
    INSERT INTO payments (order_id, amount, currency, payment_method, payment_reference, provider_id, url,
                          status, verified_at, received_amount, received_currency, next_check_at, created_at)
    SELECT id, 1.075 * 3 * price, 'NGN', 'sandbox', 'pay_' || md5('payment' || n), md5('payment' || n),
           'http://127.0.0.1/payments/' || n, kind::payment_status,
           CASE WHEN kind = 'verified' THEN created_at + interval '3 minutes' END,
           CASE WHEN kind = 'verified' THEN 1.075 * 3 * price END, CASE WHEN kind = 'verified' THEN 'NGN' END,
           CASE WHEN kind = 'pending' THEN created_at + interval '40 minutes' END, created_at
    FROM bench_orders, LATERAL (SELECT CASE status
        WHEN 'awaiting_payment' THEN 'pending' WHEN 'cancelled' THEN 'expired' WHEN 'expired' THEN 'expired'
        WHEN 'review' THEN 'review' WHEN 'refunded' THEN 'refunded' ELSE 'verified' END AS kind) AS kinds
    """,
    """
    INSERT INTO refunds (payment_id, amount, reason, requested_by, status, created_at, completed_at)
    SELECT id, amount, 'order cancelled', 'shop', 'done', created_at, created_at
    FROM payments WHERE status = 'refunded'
    """,
    """
    INSERT INTO payment_events (provider, event_id, payment_reference, payload, outcome, received_at)
    SELECT 'sandbox', 'evt_' || n, 'pay_' || md5('payment' || n), '{"id": "evt"}', 'verified', created_at
    FROM bench_orders WHERE status NOT IN ('awaiting_payment', 'cancelled', 'expired')
    """,
    """
    INSERT INTO sandbox_charges (reference, amount, currency, outcome)
    SELECT 'pay_' || md5('payment' || n), 1.075 * 3 * price, 'NGN', 'paid' FROM bench_orders
    """,
    """
    INSERT INTO stock_reservations (order_id, product_id, quantity, expires_at)
    SELECT items.order_id, items.product_id, 1, now() + interval '30 minutes'
    FROM bench_orders JOIN order_items AS items ON items.order_id = bench_orders.id
    WHERE status = 'awaiting_payment'
    """,
    """
    UPDATE products SET reserved_quantity = held.units
    FROM (SELECT product_id, sum(quantity) AS units FROM stock_reservations GROUP BY 1) AS held
    WHERE held.product_id = products.id
    """,
)
_RECORDS = (
    """
    INSERT INTO state_changes (customer_id, from_state, to_state, message_id, created_at)
    SELECT customer_id, (ARRAY[NULL,'GREETING','BROWSING_PRODUCTS','ADDING_TO_CART','REVIEWING_ORDER'])[s],
           (ARRAY['GREETING','BROWSING_PRODUCTS','ADDING_TO_CART','REVIEWING_ORDER','AWAITING_PAYMENT'])[s],
           'SM' || md5('order' || n), created_at - (5 - s) * interval '1 minute'
    FROM bench_orders, generate_series(1, 5) AS s ORDER BY n, s
    """,
    """
    INSERT INTO outbox (customer_id, event, data, created_at, dispatched_at)
    SELECT customer_id, 'payment_confirmed', '{"order_number": "ABC"}', created_at, created_at
    FROM bench_orders ORDER BY n
    """,
    """
    INSERT INTO commands (message_id, command_number, command, customer_id, result, created_at)
    SELECT 'SM' || md5('message' || n || '-' || c), 1, 'action_select_product:add_lines', customer_id,
           jsonb_build_object('state', 'ADDING_TO_CART', 'result', repeat('{"lines": "as they were"}', 20)),
           created_at
    FROM bench_orders, generate_series(1, 2) AS c
    """,
)


def load_large_shop(place: Place, sizes: dict[str, int]) -> None:
    """Load everything, without checking foreign keys row by row, and let PostgreSQL count it."""
    began = time.perf_counter()
    for statements in (_PRODUCTS, _CUSTOMERS, _ORDERS, _RECORDS):
        with place.by_hand() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("SET LOCAL work_mem = '256MB'"))
            connection.execute(text("SELECT setseed(0.5)"))
            for statement in statements:
                connection.execute(text(statement), sizes)
    with place.by_hand() as connection:
        connection.execute(text("DROP TABLE bench_orders"))
    place.run("VACUUM (ANALYZE)")
    place.run("CHECKPOINT")
    print(f"\nloaded in {time.perf_counter() - began:.0f} s, about {_counted(place)}", flush=True)


def _counted(place: Place) -> str:
    sizes = rows_of_tables(place)
    largest = sorted(sizes, key=lambda table: -sizes[table])
    return ", ".join(f"{sizes[table]:,} {table}" for table in largest if sizes[table])


def rows_of_tables(place: Place) -> dict[str, int]:
    """About how many rows each table holds."""
    query = "SELECT relname, greatest(reltuples, 0)::bigint FROM pg_class WHERE relkind = 'r'"
    with place.by_hand() as connection:
        named = connection.execute(text(f"{query} AND relnamespace = 'public'::regnamespace"))
        return {name: int(rows) for name, rows in named}
