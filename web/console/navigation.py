"""The console's pages as its navigation lists them."""

from __future__ import annotations

from dataclasses import dataclass

from db.models import StaffRole
from web.console.permissions import Permission, allows


@dataclass(frozen=True)
class Entry:
    """A page; `is_current`: it, or a page below it, is open."""

    label: str
    path: str
    permission: Permission
    is_current: bool = False


ENTRIES = (
    Entry("Orders", "/console/orders", Permission.ORDERS),
    Entry("Conversations", "/console/handoffs", Permission.HANDOFFS),
    Entry("Payments", "/console/payments", Permission.ORDERS),
    Entry("Menu", "/console/products", Permission.MENU_READ),
    Entry("Dashboard", "/console/dashboard", Permission.DASHBOARD),
    Entry("Customers", "/console/customers", Permission.CUSTOMERS),
    Entry("Discounts", "/console/discounts", Permission.DISCOUNTS),
    Entry("Hours", "/console/hours", Permission.OPENING_HOURS),
    Entry("Misunderstandings", "/console/misunderstandings", Permission.MISUNDERSTANDINGS),
    Entry("Members", "/console/members", Permission.MEMBERS),
    Entry("All data", "/console/data/", Permission.DATA),
)


def entries_for(role: StaffRole, path: str) -> list[Entry]:
    """What a role finds in the navigation, seen from a path."""
    return [
        Entry(entry.label, entry.path, entry.permission, f"{path}/".startswith(entry.path.rstrip("/") + "/"))
        for entry in ENTRIES
        if allows(role, entry.permission)
    ]
