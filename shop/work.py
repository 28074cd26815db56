"""A unit of work: one transaction, the repositories in it, the time, and the shop's policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from db.repositories import (
    CartItemsRepository,
    CartsRepository,
    CommandResultsRepository,
    CustomersRepository,
    DiscountsRepository,
    FiguresRepository,
    HandoffsRepository,
    MisunderstandingsRepository,
    OpeningHoursRepository,
    OptionGroupsRepository,
    OptionsRepository,
    OrderItemsRepository,
    OrdersRepository,
    OutboxRepository,
    PaymentEventsRepository,
    PaymentsRepository,
    PicturesRepository,
    ProductsRepository,
    RefundsRepository,
    SignInAttemptsRepository,
    StaffActionsRepository,
    StaffMembersRepository,
    StaffSessionsRepository,
    StateChangesRepository,
    StockReservationsRepository,
    ThreadMessagesRepository,
)
from settings import FeatureFlags, ShopSettings
from shop.known_customers import CustomerCache, NoCache
from shop.known_names import KnownNames
from shop.payments.interface import PaymentProvider

Clock = Callable[[], datetime]


@dataclass
class Work:
    """What one shop function may touch. `now` is fixed for the whole transaction (UTC)."""

    session: Session
    now: datetime
    policy: ShopSettings
    flags: FeatureFlags
    providers: Mapping[str, PaymentProvider]
    known_customers: CustomerCache = field(default_factory=NoCache)
    known_names: KnownNames = field(default_factory=KnownNames)
    message_id: str = ""
    """The message that caused this work; empty for the shop's own jobs."""
    state: str | None = field(default=None)
    """The conversation state that this work moved the customer to, if it did."""
    changed_customers: set[str] = field(default_factory=set)
    """Pseudonyms of customers of whom caches know something else than is written here."""

    @cached_property
    def customers(self) -> CustomersRepository:
        """Customers."""
        return CustomersRepository(self.session)

    @cached_property
    def products(self) -> ProductsRepository:
        """Products."""
        return ProductsRepository(self.session)

    @cached_property
    def options(self) -> OptionsRepository:
        """Options of products."""
        return OptionsRepository(self.session)

    @cached_property
    def option_groups(self) -> OptionGroupsRepository:
        """Groups of options."""
        return OptionGroupsRepository(self.session)

    @cached_property
    def pictures(self) -> PicturesRepository:
        """Pictures of products."""
        return PicturesRepository(self.session)

    @cached_property
    def opening_hours(self) -> OpeningHoursRepository:
        """The opening hours that staff set."""
        return OpeningHoursRepository(self.session)

    @cached_property
    def discounts(self) -> DiscountsRepository:
        """Discounts."""
        return DiscountsRepository(self.session)

    @cached_property
    def carts(self) -> CartsRepository:
        """Carts."""
        return CartsRepository(self.session)

    @cached_property
    def cart_items(self) -> CartItemsRepository:
        """Lines of carts."""
        return CartItemsRepository(self.session)

    @cached_property
    def orders(self) -> OrdersRepository:
        """Orders."""
        return OrdersRepository(self.session)

    @cached_property
    def order_items(self) -> OrderItemsRepository:
        """Lines of orders."""
        return OrderItemsRepository(self.session)

    @cached_property
    def reservations(self) -> StockReservationsRepository:
        """Units held for unpaid orders."""
        return StockReservationsRepository(self.session)

    @cached_property
    def payments(self) -> PaymentsRepository:
        """Payments."""
        return PaymentsRepository(self.session)

    @cached_property
    def payment_events(self) -> PaymentEventsRepository:
        """What providers told us."""
        return PaymentEventsRepository(self.session)

    @cached_property
    def refunds(self) -> RefundsRepository:
        """Money that goes back."""
        return RefundsRepository(self.session)

    @cached_property
    def staff_actions(self) -> StaffActionsRepository:
        """What the staff decided."""
        return StaffActionsRepository(self.session)

    @cached_property
    def staff_members(self) -> StaffMembersRepository:
        """Members of staff."""
        return StaffMembersRepository(self.session)

    @cached_property
    def staff_sessions(self) -> StaffSessionsRepository:
        """Who of the staff is signed in."""
        return StaffSessionsRepository(self.session)

    @cached_property
    def sign_in_attempts(self) -> SignInAttemptsRepository:
        """How often somebody tried to sign in."""
        return SignInAttemptsRepository(self.session)

    @cached_property
    def outbox(self) -> OutboxRepository:
        """Events to tell customers."""
        return OutboxRepository(self.session)

    @cached_property
    def handoffs(self) -> HandoffsRepository:
        """People of the shop in conversations."""
        return HandoffsRepository(self.session)

    @cached_property
    def thread_messages(self) -> ThreadMessagesRepository:
        """What they and the customers wrote to each other."""
        return ThreadMessagesRepository(self.session)

    @cached_property
    def state_changes(self) -> StateChangesRepository:
        """The record of conversation states."""
        return StateChangesRepository(self.session)

    @cached_property
    def figures(self) -> FiguresRepository:
        """Figures over many rows."""
        return FiguresRepository(self.session)

    @cached_property
    def misunderstandings(self) -> MisunderstandingsRepository:
        """Messages that were misunderstood."""
        return MisunderstandingsRepository(self.session)

    @cached_property
    def command_results(self) -> CommandResultsRepository:
        """Results of commands that were carried out."""
        return CommandResultsRepository(self.session)
