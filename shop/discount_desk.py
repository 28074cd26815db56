"""Discount codes as the staff makes and ends them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from db.models import Discount, DiscountKind
from shop import audit
from shop.errors import BadInput, NameTaken, NotThere
from shop.money import round_to_minor_unit
from shop.work import Work

CODE = re.compile(r"[A-Za-z0-9]{3,32}")


@dataclass(frozen=True)
class DiscountView:
    """A code and how it stands; times are UTC."""

    id: uuid.UUID
    code: str
    kind: str
    value: Decimal
    minimum_amount: Decimal
    starts_at: datetime | None
    ends_at: datetime | None
    uses: int
    most_uses: int | None
    holds: bool


@dataclass(frozen=True)
class NewDiscount:
    """What was filled in. `last_day`: a date where the shop is, such as 2027-01-31; empty: no end."""

    code: str
    kind: str
    value: Decimal
    minimum_amount: Decimal | None = None
    last_day: str = ""
    most_uses: int | None = None


def discounts(work: Work) -> list[DiscountView]:
    """All codes, the newest first."""
    return [_view(work, row) for row in work.discounts.find_all()]


def add(work: Work, staff: str, new: NewDiscount) -> str:
    """Make a code that holds from now on; the code.

    Raises:
        BadInput, NameTaken
    """
    code = new.code.strip().upper()
    if not CODE.fullmatch(code) or code.isdigit():
        raise BadInput("code", "A code has 3 to 32 letters and digits, a letter among them.")
    if new.kind not in list(DiscountKind):
        raise BadInput("kind", "Choose a share or an amount.")
    kind = DiscountKind(new.kind)
    if new.value <= 0 or (kind == DiscountKind.PERCENT and new.value > 100):
        raise BadInput("value", "A share is between 0 and 100 percent; an amount is more than nothing.")
    if kind == DiscountKind.AMOUNT and new.value != round_to_minor_unit(new.value, work.policy.currency):
        raise BadInput("value", f"{work.policy.currency} has no such fraction.")
    if new.most_uses == 0:
        raise BadInput("most_uses", "A code that nobody can use is none.")
    if work.discounts.find_by_code(code) is not None:
        raise NameTaken(f"code {code}")
    row = work.discounts.create(
        code=code,
        kind=kind,
        value=new.value,
        minimum_amount=new.minimum_amount or Decimal(0),
        ends_at=_end_of(work, new.last_day) if new.last_day else None,
        most_uses=new.most_uses,
    )
    audit.record(
        work, staff, "discount made", "discount", row.id, name=code, kind=kind.value, value=str(new.value)
    )
    return code


def end(work: Work, staff: str, discount_id: str) -> str:
    """End a code now; orders that were made keep it. The code.

    Raises:
        NotThere
    """
    row = work.discounts.find_by_id(discount_id)
    if row is None:
        raise NotThere("discount")
    if row.ends_at is None or row.ends_at > work.now:
        row.ends_at = work.now
        audit.record(work, staff, "discount ended", "discount", row.id, name=row.code)
    return row.code


def _end_of(work: Work, day: str) -> datetime:
    """The end of a day where the shop is, in UTC."""
    try:
        named = date.fromisoformat(day)
    except ValueError:
        raise BadInput("last_day", "Write the last day such as 2027-01-31.") from None
    zone = ZoneInfo(work.policy.timezone)
    try:
        ends = datetime.combine(named + timedelta(days=1), time(), zone).astimezone(UTC)
    except OverflowError:
        raise BadInput("last_day", "That day is too far away.") from None
    if ends <= work.now:
        raise BadInput("last_day", "That day is over.")
    return ends


def _view(work: Work, row: Discount) -> DiscountView:
    begun = row.starts_at is None or row.starts_at <= work.now
    ended = row.ends_at is not None and row.ends_at <= work.now
    used_up = row.most_uses is not None and row.uses >= row.most_uses
    return DiscountView(
        row.id,
        row.code,
        row.kind.value,
        row.value,
        row.minimum_amount,
        row.starts_at,
        row.ends_at,
        row.uses,
        row.most_uses,
        begun and not ended and not used_up,
    )
