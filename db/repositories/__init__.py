"""Typed access to the tables: one repository per table, all on one base."""

from db.repositories.base import Repository
from db.repositories.carts import CartItemsRepository, CartsRepository
from db.repositories.catalogue import (
    DiscountsRepository,
    OpeningHoursRepository,
    OptionGroupsRepository,
    OptionsRepository,
    PicturesRepository,
    ProductsRepository,
)
from db.repositories.figures import FiguresRepository
from db.repositories.handoffs import HandoffsRepository, ThreadMessagesRepository
from db.repositories.misunderstandings import MisunderstandingsRepository
from db.repositories.orders import OrderItemsRepository, OrdersRepository, StockReservationsRepository
from db.repositories.payments import PaymentEventsRepository, PaymentsRepository, RefundsRepository
from db.repositories.records import (
    CommandResultsRepository,
    CustomersRepository,
    OutboxRepository,
    StaffActionsRepository,
    StateChangesRepository,
)
from db.repositories.staff import (
    SignInAttemptsRepository,
    StaffMembersRepository,
    StaffSessionsRepository,
)

__all__ = [
    "CartItemsRepository",
    "CartsRepository",
    "CommandResultsRepository",
    "CustomersRepository",
    "DiscountsRepository",
    "HandoffsRepository",
    "FiguresRepository",
    "MisunderstandingsRepository",
    "OpeningHoursRepository",
    "OptionGroupsRepository",
    "OptionsRepository",
    "OrderItemsRepository",
    "OrdersRepository",
    "OutboxRepository",
    "PaymentEventsRepository",
    "PaymentsRepository",
    "PicturesRepository",
    "ProductsRepository",
    "RefundsRepository",
    "Repository",
    "SignInAttemptsRepository",
    "StaffActionsRepository",
    "StaffMembersRepository",
    "StaffSessionsRepository",
    "StateChangesRepository",
    "StockReservationsRepository",
    "ThreadMessagesRepository",
]
