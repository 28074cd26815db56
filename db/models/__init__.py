"""The tables, as SQLAlchemy models. Money is NUMERIC, times are UTC, keys are UUIDs.

The documented columns and index names are fixed by the architecture; a test compares both with a
migrated database.
"""

from db.models.base import Base, Identified, Timestamped
from db.models.carts import Cart, CartItem, CartStatus, Fulfilment
from db.models.catalogue import (
    CatalogueVersion,
    Discount,
    DiscountKind,
    OpeningHours,
    OptionGroup,
    Picture,
    Product,
    ProductOption,
    product_option_groups,
)
from db.models.checked import InvalidValue
from db.models.customers import Customer
from db.models.handoffs import Handoff, HandoffReason, HandoffStatus, MessageKind, ThreadMessage
from db.models.misunderstandings import Decision, Misunderstanding, MisunderstandingKind
from db.models.orders import Order, OrderItem, OrderStatus, StockReservation
from db.models.payments import (
    Payment,
    PaymentEvent,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCharge,
)
from db.models.records import CommandResult, OutboxEvent, StaffAction, StateChange
from db.models.staff import SignInAttempts, StaffMember, StaffRole, StaffSession

__all__ = [
    "Base",
    "Cart",
    "CartItem",
    "CartStatus",
    "CatalogueVersion",
    "CommandResult",
    "Customer",
    "Decision",
    "Discount",
    "DiscountKind",
    "Fulfilment",
    "Handoff",
    "HandoffReason",
    "HandoffStatus",
    "InvalidValue",
    "Identified",
    "MessageKind",
    "Misunderstanding",
    "MisunderstandingKind",
    "OpeningHours",
    "OptionGroup",
    "Order",
    "OrderItem",
    "OrderStatus",
    "OutboxEvent",
    "Payment",
    "PaymentEvent",
    "PaymentStatus",
    "Picture",
    "Product",
    "ProductOption",
    "Refund",
    "RefundStatus",
    "SandboxCharge",
    "SignInAttempts",
    "StaffAction",
    "StaffMember",
    "StaffRole",
    "StaffSession",
    "StateChange",
    "StockReservation",
    "ThreadMessage",
    "Timestamped",
    "product_option_groups",
]
