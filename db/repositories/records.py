"""Customers, and what is kept about the work itself."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, tuple_

from db.models import (
    Cart,
    CommandResult,
    Customer,
    Order,
    OutboxEvent,
    StaffAction,
    StateChange,
)
from db.repositories.base import Repository

# Asked for with every command: a statement that is built once need not be compiled to be looked up.
_CUSTOMERS = (
    select(Customer)
    .where(
        or_(
            Customer.phone_lookup == bindparam("phone_lookup"),
            Customer.phone_lookup_next == bindparam("phone_lookup"),
        )
    )
    # The older one first, always: it has what the person did before.
    .order_by(Customer.created_at)
)
_KEPT_CUSTOMERS = _CUSTOMERS.with_for_update(read=True)
# Single values are asked of the connection: the session would add half again to what they cost.
_STATES, _RESULTS = StateChange.__table__.c, CommandResult.__table__.c
_LATEST_STATE = (
    select(_STATES.to_state)
    .where(_STATES.customer_id == bindparam("customer_id"))
    .order_by(_STATES.id.desc())
    .limit(1)
)
_LATEST = _LATEST_STATE.scalar_subquery()
# Every command moves a conversation: from where is asked for in the statement that records where to.
_MOVE = insert(StateChange).from_select(
    ["customer_id", "from_state", "to_state", "message_id"],
    select(
        bindparam("customer_id", type_=_STATES.customer_id.type),
        _LATEST,
        bindparam("to_state", type_=_STATES.to_state.type),
        bindparam("message_id", type_=_STATES.message_id.type),
    ).where(_LATEST.is_distinct_from(bindparam("to_state", type_=_STATES.to_state.type))),
)
_RESULT = select(_RESULTS.result).where(
    _RESULTS.message_id == bindparam("message_id"),
    _RESULTS.command_number == bindparam("number"),
    _RESULTS.command == bindparam("command"),
)


class CustomersRepository(Repository[Customer]):
    """Customers, found again by the pseudonym of their number."""

    model = Customer

    def find_by_lookup(self, phone_lookup: str, *, keep: bool = False) -> Customer | None:
        """The customer behind a pseudonym, under the present key or the one that comes next.

        Args:
            keep: whether nobody may change or erase the customer before this transaction ends.
        """
        query = _KEPT_CUSTOMERS if keep else _CUSTOMERS
        return self.session.scalars(query, {"phone_lookup": phone_lookup}).first()

    def find_all_by_lookup(self, phone_lookup: str) -> Sequence[Customer]:
        """The same; more than one only if somebody was made twice while that key was being rotated."""
        return self.session.scalars(_CUSTOMERS, {"phone_lookup": phone_lookup}).all()

    def lock(self, customer_id: uuid.UUID) -> Customer | None:
        """The customer, locked for update and read afresh."""
        query = select(Customer).where(Customer.id == customer_id).with_for_update(of=Customer)
        return self.session.scalar(query.execution_options(populate_existing=True))

    def find_orders(
        self, customer_id: uuid.UUID, *, lock: bool = False, limit: int | None = None
    ) -> Sequence[Order]:
        """The orders of a customer, newest first; locked ones are read afresh. `limit` None: all."""
        query = (
            select(Order)
            .where(Order.customer_id == customer_id)
            .order_by(Order.created_at.desc())
            .limit(limit)
        )
        if lock:
            query = query.with_for_update(of=Order).execution_options(populate_existing=True)
        return self.session.scalars(query).all()

    def find_carts(self, customer_id: uuid.UUID, *, lock: bool = False) -> Sequence[Cart]:
        """All carts of a customer, oldest first."""
        query = select(Cart).where(Cart.customer_id == customer_id).order_by(Cart.created_at)
        return self.session.scalars(query.with_for_update(of=Cart) if lock else query).all()

    def find_page(self, last: Customer | None, limit: int) -> Sequence[Customer]:
        """Customers, the newest first, those after the last one that was seen."""
        query = select(Customer)
        if last is not None:
            query = query.where(tuple_(Customer.created_at, Customer.id) < (last.created_at, last.id))
        query = query.order_by(Customer.created_at.desc(), Customer.id.desc()).limit(limit)
        return self.session.scalars(query).all()

    def find_named(self, part: str, limit: int) -> Sequence[Customer]:
        """Customers with this in their names, the newest first."""
        query = select(Customer).where(Customer.name.icontains(part, autoescape=True))
        return self.session.scalars(query.order_by(Customer.created_at.desc()).limit(limit)).all()

    def find_numbered(self, after: uuid.UUID | None, limit: int) -> Sequence[uuid.UUID]:
        """Customers with a number, page by page in the order of their ids."""
        query = select(Customer.id).where(Customer.phone_number.is_not(None))
        if after is not None:
            query = query.where(Customer.id > after)
        return self.session.scalars(query.order_by(Customer.id).limit(limit)).all()

    def lock_idle(self, customer_ids: Sequence[uuid.UUID]) -> Sequence[Customer]:
        """Those of these customers that nobody else is changing, locked."""
        query = select(Customer).where(Customer.id.in_(customer_ids), Customer.phone_number.is_not(None))
        return self.session.scalars(query.order_by(Customer.id).with_for_update(skip_locked=True)).all()


class OutboxRepository(Repository[OutboxEvent]):
    """Events that wait to be told."""

    model = OutboxEvent

    def find_pending(self, limit: int, *, customer_id: uuid.UUID | None = None) -> Sequence[OutboxEvent]:
        """Events not yet dispatched, oldest first, locked, skipping those another replica holds."""
        query = select(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None))
        if customer_id is not None:
            query = query.where(OutboxEvent.customer_id == customer_id)
        else:
            # Who has no address (the shell) asks for its events itself.
            query = query.join(Customer).where(Customer.phone_number.is_not(None))
        query = query.order_by(OutboxEvent.sequence).limit(limit)
        return self.session.scalars(query.with_for_update(skip_locked=True, of=OutboxEvent)).all()

    def find_by_customer(self, customer_id: uuid.UUID) -> Sequence[OutboxEvent]:
        """All that a customer was told, or is to be told, unasked."""
        query = select(OutboxEvent).where(OutboxEvent.customer_id == customer_id)
        return self.session.scalars(query.order_by(OutboxEvent.sequence)).all()

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget a customer's events, told or not."""
        self.session.execute(delete(OutboxEvent).where(OutboxEvent.customer_id == customer_id))


class StateChangesRepository(Repository[StateChange]):
    """The record of conversation states."""

    model = StateChange

    def find_latest_state(self, customer_id: uuid.UUID) -> str | None:
        """The state that the customer's last change led to."""
        state: str | None = self.session.connection().scalar(_LATEST_STATE, {"customer_id": customer_id})
        return state

    def move(self, customer_id: uuid.UUID, to_state: str, message_id: str) -> None:
        """Record that a customer's state changed; staying where one is records nothing."""
        values = {"customer_id": customer_id, "to_state": to_state, "message_id": message_id}
        self.session.connection().execute(_MOVE, values)

    def find_last_times(self, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
        """When the state of each of these customers changed last; nothing of who never had one."""
        query = select(StateChange.customer_id, func.max(StateChange.created_at))
        query = query.where(StateChange.customer_id.in_(customer_ids)).group_by(StateChange.customer_id)
        return dict(self.session.execute(query).tuples().all())

    def find_by_customer(self, customer_id: uuid.UUID) -> Sequence[StateChange]:
        """A customer's whole record, oldest first."""
        query = select(StateChange).where(StateChange.customer_id == customer_id)
        return self.session.scalars(query.order_by(StateChange.id)).all()

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget a customer's record."""
        self.session.execute(delete(StateChange).where(StateChange.customer_id == customer_id))


class CommandResultsRepository(Repository[CommandResult]):
    """Results of commands that were carried out."""

    model = CommandResult

    def find(self, message_id: str, number: int, command: str) -> dict[str, Any] | None:
        """The recorded result of a command; None if it was not carried out."""
        key = {"message_id": message_id, "number": number, "command": command}
        result: dict[str, Any] | None = self.session.connection().scalar(_RESULT, key)
        return result

    def delete_by_customer(self, customer_id: uuid.UUID) -> None:
        """Forget the results of a customer's commands."""
        self.session.execute(delete(CommandResult).where(CommandResult.customer_id == customer_id))


class StaffActionsRepository(Repository[StaffAction]):
    """What the staff decided."""

    model = StaffAction

    def find_latest_by_order(self, order_id: uuid.UUID, action: str | None = None) -> StaffAction | None:
        """The last thing that was decided about an order, of all or of one kind."""
        query = select(StaffAction).where(StaffAction.order_id == order_id)
        if action is not None:
            query = query.where(StaffAction.action == action)
        return self.session.scalar(query.order_by(StaffAction.created_at.desc()).limit(1))

    def find_by_order(self, order_id: uuid.UUID) -> Sequence[StaffAction]:
        """All that was decided about an order, oldest first."""
        query = select(StaffAction).where(StaffAction.order_id == order_id)
        return self.session.scalars(query.order_by(StaffAction.created_at)).all()

    def find_latest_about(
        self, subjects: Sequence[tuple[str, str]], actions: Sequence[str]
    ) -> StaffAction | None:
        """The last of these actions that was done about one of these subjects (kind and id)."""
        about = tuple_(StaffAction.subject, StaffAction.subject_id).in_(subjects)
        query = select(StaffAction).where(about, StaffAction.action.in_(actions))
        return self.session.scalar(query.order_by(StaffAction.created_at.desc()).limit(1))

    def find_page(self, before: tuple[datetime, uuid.UUID] | None, limit: int) -> Sequence[StaffAction]:
        """Newest first, those before a place in that order."""
        query = select(StaffAction).order_by(StaffAction.created_at.desc(), StaffAction.id.desc())
        if before is not None:
            query = query.where(tuple_(StaffAction.created_at, StaffAction.id) < before)
        return self.session.scalars(query.limit(limit)).all()
