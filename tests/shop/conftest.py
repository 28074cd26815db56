"""What the tests of the shop share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from db.models import OptionGroup, Order, Payment, Product, ProductOption, StockReservation
from shop import cart, checkout
from shop.checkout import PlacedOrder
from shop.payments import flow
from shop.payments.interface import PaymentProvider
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.service import Shop
from tests.shop.books import Books
from tests.shop.staff_counter import Counter
from tests.shop.stand_in_providers import Moody

BANK_ACCOUNT = "Test Bank 0123456789"

Ask = Callable[..., Any]


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


@pytest.fixture
def ways_to_pay(sandbox) -> dict[str, PaymentProvider]:
    """Every way to pay that needs no account at a provider."""
    return {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}


@pytest.fixture
def selling(shop, ways_to_pay, clock) -> Callable[..., Shop]:
    """Makes the shop with every way to pay, and other policies; with other providers as well."""

    def selling(other: Mapping[str, PaymentProvider] | None = None, **policy: Any) -> Shop:
        providers = {**ways_to_pay, **(other or {})}
        policy = {"payment_providers": tuple(providers), "bank_account": BANK_ACCOUNT, **policy}
        return Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, providers, clock)

    return selling


@pytest.fixture
def asking(selling, customer) -> Callable[..., Ask]:
    """Asks such a shop as `Test Customer`."""

    def asking(**policy: Any) -> Ask:
        other = selling(**policy)
        return lambda operation, *args: other.run(lambda work: operation(work, customer, *args))

    return asking


@pytest.fixture
def burger(make_product) -> Product:
    """5500.00; large for 1000.00 more, with cheese for 250.50 more, or without onions."""
    size = OptionGroup(name="Size", required=True)
    size.options = [
        ProductOption(name="Small", position=0),
        ProductOption(name="Large", price_difference=Decimal("1000.00"), position=1),
    ]
    extras = OptionGroup(name="Extras", most=2)
    extras.options = [ProductOption(name="Cheese", price_difference=Decimal("250.50"), position=0)]
    return make_product(removable=["Onions"], option_groups=[size, extras])


@pytest.fixture
def options(burger) -> dict[str, str]:
    return {option.name: str(option.id) for group in burger.option_groups for option in group.options}


@pytest.fixture
def drink(make_product) -> Product:
    return make_product(name="Chapman", price=Decimal("1500.00"), category="Drinks", stock_quantity=20)


@pytest.fixture
def set_row(sessions) -> Callable[..., None]:
    """Changes a row behind the customer's back."""

    def set_row(kind: type, key: Any, **values: Any) -> None:
        with sessions.begin() as session:
            row = session.get(kind, key)
            for name, value in values.items():
                setattr(row, name, value)

    return set_row


@pytest.fixture
def reviewed(ask, burger, drink, options) -> None:
    """Two large burgers with cheese, one plain, three drinks: shown, and not yet ordered."""
    ask(cart.add, str(burger.id), 2, [options["Large"], options["Cheese"]], ["onions"])
    ask(cart.add, str(burger.id), 1)
    ask(cart.add, str(drink.id), 3)
    ask(checkout.review)


@pytest.fixture
def ordered(sessions) -> Callable[[], int]:
    """How many rows came of ordering: orders, payments, holds."""

    def ordered() -> int:
        with sessions() as session:
            tables = (Order, Payment, StockReservation)
            return sum(session.scalar(select(func.count()).select_from(table)) for table in tables)

    return ordered


@pytest.fixture
def counter(selling, sandbox, customer, test_burger) -> Counter:
    """The staff's counter of a shop that delivers, and whose providers may be moody."""
    moody = Moody()
    shop = selling({"moody": moody}, delivery_fee=Decimal(0))
    return Counter(shop, customer, test_burger, sandbox, moody)


@pytest.fixture
def books(selling, sandbox, clock, customer, test_burger) -> Books:
    """The books of a shop, at the real time: some rows are dated by the database."""
    clock.now = datetime.now(UTC)
    return Books(selling(), sandbox, clock, customer, test_burger)
