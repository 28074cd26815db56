"""Who may do what in the console: the one table."""

from __future__ import annotations

import enum

from db.models import StaffRole


class Permission(enum.StrEnum):
    """Something that a route of the console does; every route names one."""

    SIGNED_IN = "signed in"
    ORDERS = "orders"
    REFUNDS = "refunds"
    """To send money back: to cancel what was paid, too."""
    MENU_READ = "menu, read"
    STOCK = "stock"
    MENU = "menu"
    CUSTOMERS = "customers"
    CUSTOMER_NUMBERS = "customers' numbers"
    CUSTOMER_DATA = "customers' data"
    HANDOFFS = "handoffs"
    MISUNDERSTANDINGS = "misunderstandings"
    DASHBOARD = "dashboard"
    DISCOUNTS = "discounts"
    OPENING_HOURS = "opening hours"
    MEMBERS = "members"
    RECORD = "record"
    DATA = "data"


EVERYBODY = frozenset({Permission.SIGNED_IN, Permission.MENU_READ})
ALLOWED: dict[StaffRole, frozenset[Permission]] = {
    StaffRole.OWNER: frozenset(Permission),
    StaffRole.STAFF: EVERYBODY
    | {
        Permission.ORDERS,
        Permission.STOCK,
        Permission.CUSTOMERS,
        Permission.CUSTOMER_NUMBERS,
        Permission.HANDOFFS,
        Permission.DASHBOARD,
    },
    StaffRole.DESIGNER: EVERYBODY | {Permission.MISUNDERSTANDINGS},
}


def allows(role: StaffRole, permission: Permission) -> bool:
    """Whether a role may do it."""
    return permission in ALLOWED[role]
