"""The shop as others call it: one function, one transaction, carried out at most once."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from db.models import Customer
from settings import FeatureFlags, ShopSettings
from shop.customers import recognise
from shop.errors import ShopError
from shop.known_customers import CacheUnavailable, CustomerCache, NoCache
from shop.known_names import KnownNames
from shop.observing import NobodyWatches, Observer
from shop.payments.interface import PaymentProvider
from shop.work import Clock, Work

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SERIALIZATION_FAILURE, DEADLOCK, UNIQUE_VIOLATION = "40001", "40P01", "23505"
ATTEMPTS = 4
UNNAMED = "other"
OUTSIDE_CALLS = 16
"""How many calls to payment providers are made at once."""


@dataclass(frozen=True)
class Caller:
    """Who asks, and in which message.

    `lookup` is the pseudonym of the number; `address` its encrypted form (None in the shell);
    (`message_id`, `command_number`) identify the command, so that asking again changes nothing.
    `wrote` is False for the shop's own events.
    """

    lookup: str
    message_id: str
    command_number: int
    address: str | None = None
    profile_name: str | None = None
    wrote: bool = True

    def recognised(self, work: Work) -> Customer:
        """The customer who asks, made on the first message.

        Raises:
            CustomerGone
        """
        work.message_id = self.message_id
        return recognise(work, self.lookup, self.address, self.profile_name, wrote=self.wrote)


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The result of a command, and the conversation state it led to (None: unchanged)."""

    result: Result
    state: str | None


def adapter_of(result_type: type[Result]) -> TypeAdapter[Result]:
    """How results of a type are written and read; made once, it costs as much as a whole command."""
    adapter: TypeAdapter[Result] = _adapter(cast(Hashable, result_type))
    return adapter


@functools.cache
def _adapter(result_type: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(result_type)


@dataclass(frozen=True)
class Record(Generic[Result]):
    """What a command led to, as it is kept under (message, number, command)."""

    message_id: str
    number: int
    command: str
    adapter: TypeAdapter[Result]

    def find(self, work: Work) -> Done[Result] | None:
        """What the command led to, if it was carried out before."""
        kept = work.command_results.find(self.message_id, self.number, self.command)
        if kept is None:
            return None
        return Done(self.adapter.validate_python(kept["result"]), kept["state"])

    def keep(self, work: Work, customer: Customer | None, result: Result) -> None:
        """Keep what the command led to, in its own transaction."""
        work.command_results.add(
            {
                "message_id": self.message_id,
                "command_number": self.number,
                "command": self.command,
                # Of an erased customer nothing leads to the message, which Twilio knows with its number.
                "customer_id": customer.id if customer and not customer.erased_at else None,
                "result": {"result": self.adapter.dump_python(result, mode="json"), "state": work.state},
            }
        )


class Shop:
    """Runs shop functions in transactions. Thread-safe; all that it remembers are names on the menu."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        policy: ShopSettings,
        flags: FeatureFlags,
        providers: Mapping[str, PaymentProvider],
        clock: Clock = lambda: datetime.now(UTC),
        known_customers: CustomerCache | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._sessions = sessions
        self._policy = policy
        self._flags = flags
        self._providers = providers
        self._clock = clock
        self._known_customers = known_customers or NoCache()
        self._known_names = KnownNames()
        self._observer = observer or NobodyWatches()
        self._outside = ThreadPoolExecutor(OUTSIDE_CALLS, thread_name_prefix="provider")

    @property
    def observer(self) -> Observer:
        """Who wants to know how it goes."""
        return self._observer

    @property
    def policy(self) -> ShopSettings:
        """What the shop is and how it sells."""
        return self._policy

    @property
    def sessions(self) -> sessionmaker[Session]:
        """Sessions on the shop's database, for parts with a ledger of their own."""
        return self._sessions

    @property
    def outside(self) -> ThreadPoolExecutor:
        """Threads for calls to others, who may be slow or silent: nobody else waits for these."""
        return self._outside

    @property
    def providers(self) -> Mapping[str, PaymentProvider]:
        """The ways to pay, by name."""
        return self._providers

    @property
    def flags(self) -> FeatureFlags:
        """Which features are on."""
        return self._flags

    def run(self, operation: Callable[[Work], Result], name: str = UNNAMED) -> Result:
        """Run an operation in one transaction; retried where PostgreSQL asks for that, and where the
        connection was lost, even after the commit: what must not happen twice goes through `once`.

        Args:
            name: what the observer is told that was done.

        Raises:
            ShopError: what the operation refuses; nothing was written.
        """
        began = time.perf_counter()
        try:
            return self._try(operation)
        finally:
            self._observer.transaction(name, time.perf_counter() - began)

    def _try(self, operation: Callable[[Work], Result]) -> Result:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._sessions.begin() as session:
                    work = self._work(session)
                    result = operation(work)
                self._forget(work.changed_customers)
                return result
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _may_succeed_again(error):
                    raise
                logger.warning("transaction retried: %s", _sql_state(error))
                self._observer.retried(_sql_state(error))
                time.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    def once(
        self, message_id: str, command: str, result_type: type[Result], operation: Callable[[Work], Result]
    ) -> Result:
        """Carry out a command of the staff at most once per (message, command), whatever is lost.

        Raises:
            ShopError: what the operation refuses; nothing was written or recorded.
        """
        record: Record[Result] = Record(message_id, 0, command, adapter_of(result_type))

        def carry_out(work: Work) -> Result:
            done = record.find(work)
            if done is not None:
                self._observer.replayed(command)
                return done.result
            result = operation(work)
            record.keep(work, None, result)
            return result

        try:
            return self.run(carry_out, command)
        except ShopError:
            # The same command at the same time: then it is not refused, it is done.
            done = self.run(record.find)
            if done is None:
                raise
            return done.result

    def execute(
        self,
        caller: Caller,
        command: str,
        result_type: type[Result],
        operation: Callable[[Work, Customer], Result],
    ) -> Done[Result]:
        """Carry out a customer's command at most once per (message, number, command).

        Asked again (after a crash, a lost answer), it returns the recorded result and changes nothing.

        Raises:
            ShopError: what the operation refuses; nothing was written or recorded.
            CustomerGone: erased before or by this message.
        """
        adapter = adapter_of(result_type)
        record: Record[Result] = Record(caller.message_id, caller.command_number, command, adapter)

        def once(work: Work) -> Done[Result]:
            done = record.find(work)
            if done is not None:
                self._observer.replayed(command)
                return done
            customer = caller.recognised(work)
            result = operation(work, customer)
            record.keep(work, customer, result)
            return Done(result, work.state)

        try:
            return self.run(once, command)
        except ShopError:
            # Another replica may have carried out this very command meanwhile: then it is not refused.
            done = self.run(record.find)
            if done is None:
                raise
            return done

    def _work(self, session: Session) -> Work:
        known = (self._known_customers, self._known_names)
        return Work(session, self._clock(), self._policy, self._flags, self._providers, *known)

    def _forget(self, lookups: set[str]) -> None:
        """What was read into the cache while it was being changed is known no more."""
        for lookup in lookups:
            try:
                self._known_customers.forget(lookup)
            except CacheUnavailable:
                logger.warning("a changed customer stays in the cache for a while")


def _may_succeed_again(error: DBAPIError) -> bool:
    """Lost races and lost connections; the command's record makes a second try safe."""
    if isinstance(error, IntegrityError):
        # Another replica wrote the same customer, cart or command first. Any other constraint that is broken
        # is an error, and stays one.
        return _sql_state(error) == UNIQUE_VIOLATION
    if isinstance(error, OperationalError) and error.connection_invalidated:
        return True
    return _sql_state(error) in (SERIALIZATION_FAILURE, DEADLOCK)


def _sql_state(error: DBAPIError) -> str:
    return getattr(error.orig, "pgcode", None) or type(error.orig).__name__
