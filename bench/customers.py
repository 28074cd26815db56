"""Products, and customers who each serve one measured command.

Every value is a function of a customer's or product's number, a dozen digits that occur nowhere else:
so a recorded statement says by itself which of its values are to vary.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from bench.place import Place

PRODUCTS = 1_000
FIRST_PRODUCT = 100_000_000_000
FIRST_CUSTOMER = 200_000_000_000
LINES = 3
REACH = PRODUCTS // LINES
"""Each line of a cart takes its product from a range of its own: no two are the same."""
STEP = 131


def product_of(customer: int, line: int) -> int:
    """The number of the product in a line of a customer's cart."""
    return FIRST_PRODUCT + line * REACH + (customer * STEP) % REACH


def product_id(product: int) -> str:
    """A product's id."""
    return f"00000000-0000-4000-8000-{product}"


def lookup(customer: int) -> str:
    """A customer's pseudonym."""
    return f"customer-{customer}"


def load_products(place: Place) -> None:
    """A thousand products of one price, with more in stock than can be sold."""
    query = """
        INSERT INTO products (id, sku, name, price, category, stock_quantity, aliases, position)
        SELECT ('00000000-0000-4000-8000-' || n)::uuid, 'SKU-' || n, 'Dish ' || n, 1500,
               'Category ' || n % 20, 1000000000, ARRAY['dish number ' || n], n - :first
        FROM generate_series(CAST(:first AS bigint), :first + :count - 1) AS n
    """
    with place.by_hand() as connection:
        connection.execute(text(query), {"first": FIRST_PRODUCT, "count": PRODUCTS})
    place.run("ANALYZE")


def load_customers(place: Place, first: int, count: int, lines: int) -> None:
    """Customers who have chosen `lines` products, one each, and go on choosing."""
    numbers = {"first": first, "last": first + count - 1}
    with place.by_hand() as connection:
        connection.execute(text(_CUSTOMERS), numbers)
        connection.execute(text(_STATES), numbers)
        connection.execute(text(_CARTS), numbers)
        for line in range(lines):
            _load_line(connection, numbers, line)
    place.run("VACUUM (ANALYZE) customers, state_changes, carts, cart_items")
    place.run("CHECKPOINT")


def _load_line(connection: Connection, numbers: dict[str, int], line: int) -> None:
    """One more product in each cart, and the lines before it in the cart's history."""
    values = {**numbers, "line": line, "low": FIRST_PRODUCT + line * REACH, "step": STEP, "reach": REACH}
    connection.execute(text(_HISTORY), numbers)
    connection.execute(text(_ITEMS), values)


_NUMBERS = "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n"
_CART = "('00000000-0000-4000-8002-' || n)::uuid"
_CUSTOMERS = f"""
    INSERT INTO customers (id, phone_lookup, phone_number, name)
    SELECT ('00000000-0000-4000-8001-' || n)::uuid, 'customer-' || n, 'sealed-' || n, 'Ada ' || n
    FROM {_NUMBERS}
"""
_STATES = f"""
    INSERT INTO state_changes (customer_id, from_state, to_state, message_id)
    SELECT ('00000000-0000-4000-8001-' || n)::uuid, before, after, 'SM-before-' || n
    FROM {_NUMBERS}, (VALUES (NULL, 'GREETING'), ('GREETING', 'BROWSING_PRODUCTS'),
                             ('BROWSING_PRODUCTS', 'ADDING_TO_CART')) AS moves (before, after)
    ORDER BY n, CASE after WHEN 'GREETING' THEN 1 WHEN 'BROWSING_PRODUCTS' THEN 2 ELSE 3 END
"""
_CARTS = f"""
    INSERT INTO carts (id, customer_id, status, expires_at)
    SELECT {_CART}, ('00000000-0000-4000-8001-' || n)::uuid, 'open', now() + interval '1 day'
    FROM {_NUMBERS}
"""
_HISTORY = f"""
    UPDATE carts SET history = history || jsonb_build_array((
        SELECT coalesce(jsonb_agg(jsonb_build_object('product', product_id, 'quantity', quantity,
            'options', option_ids, 'removals', removals, 'position', position) ORDER BY position), '[]')
        FROM cart_items WHERE cart_id = carts.id))
    FROM {_NUMBERS} WHERE carts.id = {_CART}
"""
_ITEMS = f"""
    INSERT INTO cart_items (id, cart_id, product_id, quantity, position)
    SELECT ('0000000' || :line || '-0000-4000-8003-' || n)::uuid, {_CART},
           ('00000000-0000-4000-8000-' || :low + (n * :step) % :reach)::uuid, 1, :line + 1
    FROM {_NUMBERS}
"""
