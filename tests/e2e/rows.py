"""What the database says of a customer, by the number of their phone."""

from __future__ import annotations

from typing import Any

from tests.e2e.system import Phone, System
from whatsapp.identity import Identity


def pseudonym(system: System, phone: Phone) -> str:
    """The look-up value of a phone's number."""
    return Identity(system.settings.privacy).pseudonym(phone.number)


def cart_of(system: System, phone: Phone) -> dict[str, int]:
    """The open cart: product name to units, of all its lines."""
    rows = system.rows(
        "SELECT p.name, sum(i.quantity) FROM cart_items i JOIN products p ON p.id = i.product_id"
        " JOIN carts c ON c.id = i.cart_id JOIN customers u ON u.id = c.customer_id"
        " WHERE u.phone_lookup = %s AND c.status = 'open' GROUP BY p.name ORDER BY min(i.position)",
        pseudonym(system, phone),
    )
    return {str(name): int(str(quantity)) for name, quantity in rows}


def states_of(system: System, phone: Phone) -> list[str]:
    """The conversation states, in the order in which they were reached."""
    rows = system.rows(
        "SELECT s.to_state FROM state_changes s JOIN customers u ON u.id = s.customer_id"
        " WHERE u.phone_lookup = %s ORDER BY s.id",
        pseudonym(system, phone),
    )
    return [str(row[0]) for row in rows]


def latest_order_of(system: System, phone: Phone) -> dict[str, Any]:
    """The latest order: status, payment, total, lines; empty if there is none."""
    rows = system.rows(
        "SELECT o.id::text, o.status::text, o.total_amount::text,"
        " (SELECT p.status::text FROM payments p WHERE p.order_id = o.id ORDER BY p.created_at DESC LIMIT 1)"
        " FROM orders o JOIN customers u ON u.id = o.customer_id"
        " WHERE u.phone_lookup = %s ORDER BY o.created_at DESC LIMIT 1",
        pseudonym(system, phone),
    )
    if not rows:
        return {}
    order_id, status, total, payment = rows[0]
    lines = system.rows(
        "SELECT product_name, quantity FROM order_items WHERE order_id = %s ORDER BY position", order_id
    )
    return {"status": status, "payment": payment, "total": total, "lines": dict(lines)}
