"""The lists and charts that a console for the staff needs, as queries; there is no console yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

STATUSES = ("awaiting_payment", "paid", "preparing", "ready", "completed", "cancelled", "review")


@dataclass(frozen=True)
class StaffQuery:
    """A list or chart: its query, and values of its parameters."""

    name: str
    query: str
    values: Callable[[Random], Mapping[str, Any]] = lambda random: {}


def _some_order(random: Random) -> dict[str, Any]:
    return {"share": random.random()}


_ORDERS = """
    SELECT orders.number, orders.status, orders.total_amount, orders.currency, orders.fulfilment,
           orders.created_at, customers.name
    FROM orders JOIN customers ON customers.id = orders.customer_id
"""
_THAT_ORDER = "(SELECT number FROM orders WHERE created_at >= now() - :share * interval '700 days'"
_THAT_ORDER += " ORDER BY created_at LIMIT 1)"
_BOUGHT = "('paid', 'preparing', 'ready', 'completed')"

STAFF_QUERIES = (
    StaffQuery("newest orders, a page", f"{_ORDERS} ORDER BY orders.created_at DESC LIMIT 50"),
    StaffQuery(
        "older orders, a page",
        f"""{_ORDERS} WHERE orders.created_at < now() - :share * interval '700 days'
        ORDER BY orders.created_at DESC LIMIT 50""",
        _some_order,
    ),
    StaffQuery(
        "newest orders of a status",
        f"{_ORDERS} WHERE orders.status = CAST(:status AS order_status)"
        " ORDER BY orders.created_at DESC LIMIT 50",
        lambda random: {"status": random.choice(STATUSES)},
    ),
    StaffQuery(
        "open orders, counted by status",
        """SELECT status, count(*) FROM orders
        WHERE status IN ('awaiting_payment', 'placed', 'paid', 'preparing', 'ready', 'review')
        GROUP BY status""",
    ),
    StaffQuery(
        "an order by its number, with lines",
        f"""SELECT orders.*, order_items.product_name, order_items.quantity, order_items.total_price
        FROM orders JOIN order_items ON order_items.order_id = orders.id
        WHERE orders.number = {_THAT_ORDER} ORDER BY order_items.position""",
        _some_order,
    ),
    StaffQuery(
        "an order's payments and refunds",
        f"""SELECT payments.*, refunds.amount AS refunded, refunds.status AS refund_status
        FROM orders JOIN payments ON payments.order_id = orders.id
        LEFT JOIN refunds ON refunds.payment_id = payments.id
        WHERE orders.number = {_THAT_ORDER} ORDER BY payments.created_at""",
        _some_order,
    ),
    StaffQuery(
        "revenue per day, 30 days",
        f"""SELECT date_trunc('day', created_at, 'Africa/Lagos') AS day, currency, count(*),
               sum(total_amount)
        FROM orders WHERE created_at >= now() - interval '30 days' AND status IN {_BOUGHT}
        GROUP BY day, currency ORDER BY day""",
    ),
    StaffQuery(
        "best sellers, 30 days",
        f"""SELECT items.product_id, max(items.product_name) AS name, sum(items.quantity) AS units,
               sum(items.total_price) AS money
        FROM orders JOIN order_items AS items ON items.order_id = orders.id
        WHERE items.ordered_at >= now() - interval '30 days'
            AND orders.created_at >= now() - interval '30 days' AND orders.status IN {_BOUGHT}
        GROUP BY items.product_id ORDER BY units DESC LIMIT 20""",
    ),
    StaffQuery(
        "funnel, one day",
        """SELECT to_state, count(DISTINCT customer_id) FROM state_changes
        WHERE created_at >= now() - interval '1 day' GROUP BY to_state""",
    ),
    StaffQuery(
        "funnel, how far each customer came in 30 days",
        """SELECT furthest, count(*) FROM (
            SELECT max(CASE to_state WHEN 'GREETING' THEN 1 WHEN 'BROWSING_PRODUCTS' THEN 2
                WHEN 'COLLECTING_QUANTITY' THEN 3 WHEN 'ADDING_TO_CART' THEN 4 WHEN 'REVIEWING_ORDER' THEN 5
                WHEN 'AWAITING_PAYMENT' THEN 6 WHEN 'PAYMENT_CONFIRMATION' THEN 7
                WHEN 'ORDER_COMPLETE' THEN 8 ELSE 0 END) AS furthest
            FROM state_changes WHERE created_at >= now() - interval '30 days' GROUP BY customer_id
        ) AS each GROUP BY furthest""",
    ),
    StaffQuery(
        "payments that are not decided, counted by status",
        """SELECT status, count(*) FROM payments WHERE status IN ('pending', 'review') GROUP BY status""",
    ),
    StaffQuery(
        "customers with their orders counted, a page",
        """SELECT page.name, page.created_at, count(orders.id), max(orders.created_at) AS latest
        FROM (SELECT id, name, created_at FROM customers ORDER BY created_at DESC LIMIT 50 OFFSET :skipped)
             AS page
        LEFT JOIN orders ON orders.customer_id = page.id
        GROUP BY page.id, page.name, page.created_at ORDER BY page.created_at DESC""",
        lambda random: {"skipped": 50 * random.randint(0, 20)},
    ),
)
