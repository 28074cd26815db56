"""Fixtures for the actions: a shop with a small menu, and customers who talk to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from actions.server import make_executor
from db.models import Product
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.service import Shop
from tests.actions.tracker import Talk
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import Identity


@pytest.fixture
def menu(make_product, test_burger) -> dict[str, Product]:
    """Two burgers, two drinks of one name, and something that is sold out."""
    return {
        "burger": test_burger,
        "cheese": make_product(name="Cheese Burger", price=6000, picture="bur-001.jpg", position=1),
        "coke": make_product(
            name="Coke 35cl", price=500, category="Drinks", aliases=["coke"], position=2, stock_quantity=5
        ),
        "big coke": make_product(
            name="Coke 50cl", price=700, category="Drinks", aliases=["coke"], position=3
        ),
        "pie": make_product(name="Meat Pie", price=900, category="Snacks", position=4, stock_quantity=0),
    }


@pytest.fixture
def make_talk(make_shop, settings) -> Callable[..., Talk]:
    """Makes a customer's conversation; flags switch features, `shell` takes the address away."""

    def make(number: str = CUSTOMER_NUMBER, *, shell: bool = False, **flags: Any) -> Talk:
        identity = Identity(settings.privacy)
        address = None if shell else identity.seal(number)
        return Talk(make_executor(make_shop(**flags), settings), identity.pseudonym(number), address)

    return make


@pytest.fixture
def talk(make_talk, menu) -> Talk:
    """`Test Customer` on WhatsApp, with the menu in front."""
    return make_talk()


@pytest.fixture
def talk_with(shop, sandbox, clock, settings, menu) -> Callable[..., Talk]:
    """A conversation with a shop of other policies."""
    everything = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}

    def talk_with(providers: dict[str, Any] | None = None, **policy: Any) -> Talk:
        providers = providers or everything
        policy = {
            "payment_providers": tuple(providers),
            "bank_account": "Test Bank 0123456789",
            "delivery_fee": Decimal("750.00"),
            **policy,
        }
        other = Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, providers, clock)
        identity = Identity(settings.privacy)
        return Talk(
            make_executor(other, settings),
            identity.pseudonym(CUSTOMER_NUMBER),
            identity.seal(CUSTOMER_NUMBER),
        )

    return talk_with
