"""What can go wrong, sorted by whose it is to solve.

| category         | again? | the customer is told                       | escalates to            |
|------------------|--------|--------------------------------------------|-------------------------|
| user input       | no     | what is wrong with it, and what would do   | nobody                  |
| business rule    | no     | what the shop cannot do, and what it can   | nobody                  |
| external service | yes    | that it is out of reach, what is kept      | operators, if it stays  |
| system           | yes    | that something went wrong, what is saved   | operators, at once      |

A `ShopError` is told as the response that `actions.base` names for it; nothing was written, and `values`
holds what the reply needs. Anything else that is raised is the system's fault: `describe` is what the
log may say of it, and no text of it ever reaches a customer.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import DBAPIError


class ErrorCategory(enum.StrEnum):
    """Whose an error is to solve."""

    USER_INPUT = "user input"
    BUSINESS_RULE = "business rule"
    EXTERNAL_SERVICE = "external service"
    SYSTEM = "system"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self in (ErrorCategory.EXTERNAL_SERVICE, ErrorCategory.SYSTEM)

    @property
    def escalates_to(self) -> str | None:
        """Who has to hear of it; None: nobody but the one who asked."""
        return "operators" if self.retryable else None


class ShopError(Exception):
    """A request that the shop refuses. Subclasses say why; `values` are for the reply."""

    category = ErrorCategory.BUSINESS_RULE

    def __init__(self, **values: Any) -> None:
        super().__init__(type(self).__name__)
        self.values = values


class InvalidInput(ShopError):
    """What was asked for makes no sense, whatever the shop has."""

    category = ErrorCategory.USER_INPUT


class ServiceUnavailable(ShopError):
    """A service of somebody else cannot be reached; what the customer has is kept."""

    category = ErrorCategory.EXTERNAL_SERVICE


def category_of(error: BaseException) -> ErrorCategory:
    """Whose an error is to solve; whatever is not the shop's own is the system's."""
    if isinstance(error, ShopError | PaymentRejected):
        return error.category
    return ErrorCategory.SYSTEM


def describe(error: BaseException) -> str:
    """An error in one line for the log: never a value, a name or a number that a person gave us.

    Of a database error the statement's text and the SQLSTATE, without parameters: PostgreSQL's own
    message would quote the row ("Key (phone_lookup)=(...) already exists").
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "pgcode", None) or type(error.orig).__name__
        statement = " ".join((error.statement or "").split())
        return f"{type(error).__name__} {state} in: {statement}"
    return type(error).__name__


class QuantityNotANumber(InvalidInput):
    """The quantity is no number at all."""


class QuantityNotWhole(InvalidInput):
    """Half a burger cannot be ordered. Values: quantity."""

    def __init__(self, quantity: Decimal) -> None:
        super().__init__(quantity=f"{quantity.normalize():f}")


class QuantityTooSmall(InvalidInput):
    """Less than one was asked for. Values: quantity."""

    def __init__(self, quantity: Decimal) -> None:
        super().__init__(quantity=f"{quantity.normalize():f}")


class QuantityTooLarge(InvalidInput):
    """More than one order may hold. Values: limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class NotEnoughStock(ShopError):
    """Fewer units are left than were asked for. Values: product, left."""

    def __init__(self, product: str, left: int) -> None:
        super().__init__(product=product, left=left)


class SoldOut(ShopError):
    """Nothing is left of the product, or it is not on sale. Values: product."""

    def __init__(self, product: str) -> None:
        super().__init__(product=product)


class ProductGone(ShopError):
    """The product that was picked left the catalogue meanwhile."""


class UnknownProduct(InvalidInput):
    """No product goes by that name. Values: asked."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked=asked)


class UnknownOption(InvalidInput):
    """The product cannot be had that way. Values: product, asked."""

    def __init__(self, product: str, asked: str) -> None:
        super().__init__(product=product, asked=asked)


class TooManyOptions(InvalidInput):
    """More options of one group than a unit can have. Values: product, group, most."""

    def __init__(self, product: str, group: str, most: int) -> None:
        super().__init__(product=product, group=group, most=most)


class NumberNotOnList(InvalidInput):
    """The number is not on the list that was shown. Values: number, highest."""

    def __init__(self, number: Decimal, highest: int) -> None:
        super().__init__(number=f"{number.normalize():f}", highest=highest)


class NothingToChooseFrom(InvalidInput):
    """A number was given, but no list was shown."""


class EmptyCart(ShopError):
    """There is nothing in the cart."""


class NotInCart(InvalidInput):
    """The product is not in the cart. Values: asked."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked=asked)


class NothingToUndo(ShopError):
    """The cart is as it was at the start."""


class NoDiscountCode(InvalidInput):
    """A discount was asked for, but nothing that was said looks like a code."""


class UnknownDiscount(InvalidInput):
    """No discount goes by that code now. Values: code."""

    def __init__(self, code: str) -> None:
        super().__init__(code=code)


class DiscountNeedsMore(ShopError):
    """The order is too small for the discount. Values: code, minimum (Decimal), currency."""

    def __init__(self, code: str, minimum: Decimal, currency: str) -> None:
        super().__init__(code=code, minimum=minimum, currency=currency)


@dataclass(frozen=True)
class LineChange:
    """How an order differs from what the customer was shown.

    `kind`: `price` (old and new unit price), `total` (old and new total, where no price changed), `stock`
    (units asked for, units left), `gone` (the product, or an option of it, is not on sale any more), `time`
    (the time that it was ordered for has passed; no product, no values).
    """

    kind: str
    product: str
    before: Decimal
    after: Decimal


class OrderChanged(ShopError):
    """Prices or stock changed since the customer was shown the order: asked again, nothing is ordered.

    `changes` says exactly what.
    """

    def __init__(self, changes: Sequence[LineChange]) -> None:
        super().__init__()
        self.changes = tuple(changes)


class ShopClosed(ShopError):
    """The shop is closed then. Values: opens_at (UTC datetime)."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(opens_at=opens_at)


class ClosedForGood(ShopError):
    """The shop is closed, and nothing says when it opens again."""


class TimeNotUnderstood(InvalidInput):
    """No time that is still to come within a week."""


class NoDelivery(ShopError):
    """The shop does not deliver."""


class AddressTooShort(InvalidInput):
    """Nobody could be found with that address."""


class DeliveryNeedsMore(ShopError):
    """The order is too small to be delivered. Values: minimum (Decimal), currency."""

    def __init__(self, minimum: Decimal, currency: str) -> None:
        super().__init__(minimum=minimum, currency=currency)


class UnknownPaymentMethod(InvalidInput):
    """The shop does not take payments that way."""


class TooMuchForCash(ShopError):
    """The order is too large to be paid in cash. Values: limit (Decimal), currency."""

    def __init__(self, limit: Decimal, currency: str) -> None:
        super().__init__(limit=limit, currency=currency)


class NothingToPay(ShopError):
    """No order of this customer awaits payment."""


class NoOrder(ShopError):
    """The customer has no (such) order."""


class CannotCancel(ShopError):
    """The order is too far along for the customer to cancel it. Values: number."""

    def __init__(self, number: str) -> None:
        super().__init__(number=number)


class OrderUnderWay(ShopError):
    """An order needs its customer's data until it is finished and no money is open. Values: number."""

    def __init__(self, number: str) -> None:
        super().__init__(number=number)


class StaffRefusal(ShopError):
    """What a member of staff asked for cannot be done; no customer ever reads it."""


class CannotMove(StaffRefusal):
    """The order cannot go from its status to that one. Values: number, status, wanted."""

    def __init__(self, number: str, status: str, wanted: str) -> None:
        super().__init__(number=number, status=status, wanted=wanted)


class MoneyCame(StaffRefusal):
    """Who cancels that order sends money back, and may not. Values: number."""

    def __init__(self, number: str) -> None:
        super().__init__(number=number)


class CannotRefund(StaffRefusal):
    """Nothing, or less than that, of the order's payment can go back. Values: number, left."""

    def __init__(self, number: str, left: Decimal) -> None:
        super().__init__(number=number, left=left)


class NoRefund(StaffRefusal):
    """No refund goes by that id, or it was sent before."""


class AmountDiffers(StaffRefusal):
    """The amount that came is not the order's. Values: number, expected, got."""

    def __init__(self, number: str, expected: Decimal, got: Decimal) -> None:
        super().__init__(number=number, expected=expected, got=got)


class WrongCredentials(StaffRefusal):
    """No active member of staff has that name and that password."""


class TooManyAttempts(StaffRefusal):
    """Somebody tried to sign in too often. Values: minutes."""

    def __init__(self, minutes: int) -> None:
        super().__init__(minutes=minutes)


class BadInput(StaffRefusal):
    """What was filled in cannot be. Values: field, reason (a sentence for whoever filled it in)."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field=field, reason=reason)


class NameTaken(StaffRefusal):
    """Something else has that name already. Values: name."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class ChangedMeanwhile(StaffRefusal):
    """Somebody changed it after the form was opened. Values: name, by (None: not known)."""

    def __init__(self, name: str, by: str | None) -> None:
        super().__init__(name=name, by=by)


class NotThere(StaffRefusal):
    """What was to be changed is not there (any more). Values: what."""

    def __init__(self, what: str) -> None:
        super().__init__(what=what)


class NumberNotNeeded(StaffRefusal):
    """No order and no talk is under way for which the staff would have to call the customer."""


class LastOwner(StaffRefusal):
    """Somebody has to own the shop: the last owner stays one."""


class WithAnother(StaffRefusal):
    """Only who has a conversation writes in it or hands it back. Values: by (None: nobody has it)."""

    def __init__(self, by: str | None) -> None:
        super().__init__(by=by)


class ProviderUnavailable(ServiceUnavailable):
    """The payment provider cannot be reached, or answers nothing usable. Values: provider."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider=provider)


class ReferenceSpent(ProviderUnavailable):
    """The provider knows a payment by this reference, but its link is lost: it takes a new one."""


class RefundRefused(StaffRefusal):
    """The provider will never send this money back; a person has to. Values: provider."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider=provider)


class CustomerGone(Exception):
    """The customer was erased, and what is being served is older than that: nobody is made anew for it."""


class PaymentRejected(Exception):
    """A payment notification that is forged, malformed or about no payment of ours; nothing was written."""

    category = ErrorCategory.USER_INPUT
