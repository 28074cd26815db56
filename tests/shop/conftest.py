"""What the tests of the shop share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def ask(shop, customer) -> Callable[..., Any]:
    """Asks the shop as `Test Customer`."""

    def ask(operation: Callable[..., Any], *args: Any) -> Any:
        return shop.run(lambda work: operation(work, customer, *args))

    return ask
