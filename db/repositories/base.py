"""The base of all repositories: create, find, update, delete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Insert, insert
from sqlalchemy.orm import Session

from db.models import Base

Model = TypeVar("Model", bound=Base)


class Repository(Generic[Model]):
    """Create, find, update and delete rows of one table, inside the caller's transaction."""

    model: type[Model]
    _insert: ClassVar[Insert]

    def __init__(self, session: Session) -> None:
        self.session = session

    def __init_subclass__(cls) -> None:
        cls._insert = insert(cls.model)

    def create(self, **values: Any) -> Model:
        """Insert a row and return it with its defaults filled in.

        Raises:
            InvalidValue: a quantity, an amount or a currency that the table must not hold.
        """
        row = self.model(**values)
        self.session.add(row)
        self.session.flush()
        return row

    def add(self, *rows: Mapping[str, Any]) -> None:
        """Insert rows that nobody looks at in this transaction: objects of them would cost more.

        Raises:
            InvalidValue
        """
        validators = self.model.__mapper__.validators
        for row in rows if validators else ():
            for name in row.keys() & validators.keys():
                check: Any = validators[name][0]
                check(None, name, row[name])
        self.session.connection().execute(self._insert, rows)

    def find_by_id(self, row_id: uuid.UUID | str) -> Model | None:
        """The row, or None where there is none (an id that is no UUID is none, too)."""
        key = _as_uuid(row_id)
        return None if key is None else self.session.get(self.model, key)

    def update(self, row_id: uuid.UUID | str, **values: Any) -> Model | None:
        """Change columns of a row; None where there is no such row.

        Raises:
            AttributeError: if a value names something that is not a column.
            InvalidValue
        """
        row = self.find_by_id(row_id)
        if row is None:
            return None
        for name, value in values.items():
            if name not in self.model.__mapper__.columns:
                raise AttributeError(f"{self.model.__tablename__} has no column {name!r}")
            setattr(row, name, value)
        self.session.flush()
        return row

    def delete(self, row_id: uuid.UUID | str) -> bool:
        """Remove a row; False where there was none."""
        row = self.find_by_id(row_id)
        if row is None:
            return False
        self.session.delete(row)
        self.session.flush()
        return True


def column_values(row: Base) -> dict[str, Any]:
    """The columns of a row that are set, by name; the database or the model fills in the others."""
    columns = type(row).__mapper__.columns
    return {name: value for name, value in vars(row).items() if name in columns}


def _as_uuid(value: uuid.UUID | str) -> uuid.UUID | None:
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return None
