"""What the tests of the shop share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shop.checkout import PlacedOrder
from shop.payments import flow


@pytest.fixture
def ask(shop, customer) -> Callable[..., Any]:
    """Asks the shop as `Test Customer`."""

    def ask(operation: Callable[..., Any], *args: Any) -> Any:
        return shop.run(lambda work: operation(work, customer, *args))

    return ask


@pytest.fixture
def pay(shop, sandbox) -> Callable[..., str]:
    """Opens an order's pay page, presses one of its buttons and delivers the notification."""

    def pay(placed: PlacedOrder, outcome: str = "paid") -> str:
        assert placed.payment_reference is not None
        flow.open_payment(shop, placed.payment_reference)
        note = sandbox.settle(placed.payment_reference, outcome)
        return flow.receive(shop, "sandbox", note.body, note.headers)

    return pay
