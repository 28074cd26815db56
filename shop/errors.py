"""What can go wrong in the shop, as types that callers can tell a person about.

A `ShopError` is the customer's to solve: nothing was written, and `values` holds what the reply needs.
Anything else that is raised is the system's fault and is never shown to a customer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any


class ShopError(Exception):
    """A request that the shop refuses. Subclasses say why; `values` are for the reply."""

    def __init__(self, **values: Any) -> None:
        super().__init__(type(self).__name__)
        self.values = values


class QuantityNotANumber(ShopError):
    """The quantity is no number at all."""


class QuantityNotWhole(ShopError):
    """Half a burger cannot be ordered. Values: quantity."""

    def __init__(self, quantity: Decimal) -> None:
        super().__init__(quantity=f"{quantity.normalize():f}")


class QuantityTooSmall(ShopError):
    """Less than one was asked for. Values: quantity."""

    def __init__(self, quantity: Decimal) -> None:
        super().__init__(quantity=f"{quantity.normalize():f}")


class QuantityTooLarge(ShopError):
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


class UnknownProduct(ShopError):
    """No product goes by that name. Values: asked."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked=asked)


class NumberNotOnList(ShopError):
    """The number is not on the list that was shown. Values: number, highest."""

    def __init__(self, number: Decimal, highest: int) -> None:
        super().__init__(number=f"{number.normalize():f}", highest=highest)


class NothingToChooseFrom(ShopError):
    """A number was given, but no list was shown."""


class EmptyCart(ShopError):
    """There is nothing in the cart."""


class NotInCart(ShopError):
    """The product is not in the cart. Values: asked."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked=asked)


class NothingToPay(ShopError):
    """No order of this customer awaits payment."""


class NoOrder(ShopError):
    """The customer has no order."""


class CannotCancel(ShopError):
    """The order is too far along for the customer to cancel it. Values: number."""

    def __init__(self, number: str) -> None:
        super().__init__(number=number)


class PaymentRejected(Exception):
    """A payment notification that is forged, malformed or about no payment of ours; nothing was written."""
