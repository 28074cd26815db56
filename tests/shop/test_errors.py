"""Errors: whose each is to solve, and a log that never names a person."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError

from db.engine import make_engine
from db.models import Customer, Product
from shop import errors
from shop.errors import ErrorCategory, ShopError, category_of, describe

NUMBER = "+2348099999999"
NAME = "Canary Adeyemi"


def leaves(kind: type[ShopError] = ShopError) -> Iterator[type[ShopError]]:
    """Every error that says what exactly is wrong."""
    below = [other for other in kind.__subclasses__() if other.__module__ == errors.__name__]
    if not below or "__init__" in vars(kind) and kind is not ShopError:
        yield kind
    for other in below:
        yield from leaves(other)


EXAMPLES: dict[str, Any] = {
    "quantity": Decimal("2.50"),
    "limit": 100,
    "product": "Test Burger",
    "left": 5,
    "by": "Ada",
    "asked": "sushi",
    "group": "Size",
    "most": 1,
    "number": "ABC234",
    "highest": 3,
    "code": "SAVE10",
    "minimum": Decimal("5000.00"),
    "currency": "NGN",
    "changes": (),
    "opens_at": datetime(2026, 11, 23, 8, tzinfo=UTC),
    "status": "paid",
    "wanted": "ready",
    "expected": Decimal(1),
    "got": Decimal(2),
    "provider": "stripe",
    "minutes": 15,
    "field": "price",
    "reason": "A price is an amount.",
    "name": "Ada",
    "what": "product",
}


def example(kind: type[ShopError]) -> ShopError:
    names = [name for name in inspect.signature(kind.__init__).parameters if name not in ("self", "values")]
    values = {name: EXAMPLES[name] for name in names}
    if kind is errors.NumberNotOnList:
        values["number"] = Decimal("7")
    return kind(**values)


@pytest.mark.parametrize(
    "kind", sorted(set(leaves()), key=lambda kind: kind.__name__), ids=lambda k: k.__name__
)
def test_every_refusal_has_a_category_of_its_own_and_says_nothing_but_its_name(kind):
    error = example(kind)
    category = category_of(error)
    assert category in (
        ErrorCategory.USER_INPUT,
        ErrorCategory.BUSINESS_RULE,
        ErrorCategory.EXTERNAL_SERVICE,
    ), "a refusal is never the system's fault"
    assert category.retryable is (category == ErrorCategory.EXTERNAL_SERVICE)
    assert str(error) == describe(error) == kind.__name__
    taken = set(inspect.signature(kind.__init__).parameters) - {"self", "values", "changes"}
    assert set(error.values) == taken, "what the reply needs"


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (errors.QuantityNotANumber(), ErrorCategory.USER_INPUT),
        (errors.UnknownOption("Cola", "onions"), ErrorCategory.USER_INPUT),
        (errors.AddressTooShort(), ErrorCategory.USER_INPUT),
        (errors.PaymentRejected("forged"), ErrorCategory.USER_INPUT),
        (errors.SoldOut("Cola"), ErrorCategory.BUSINESS_RULE),
        (errors.ShopClosed(EXAMPLES["opens_at"]), ErrorCategory.BUSINESS_RULE),
        (errors.CannotRefund("ABC234", Decimal(0)), ErrorCategory.BUSINESS_RULE),
        (errors.RefundRefused("stripe"), ErrorCategory.BUSINESS_RULE),
        (errors.ProviderUnavailable("stripe"), ErrorCategory.EXTERNAL_SERVICE),
        (errors.ReferenceSpent("stripe"), ErrorCategory.EXTERNAL_SERVICE),
        (errors.CustomerGone(), ErrorCategory.SYSTEM),
        (ValueError("anything else"), ErrorCategory.SYSTEM),
        (KeyboardInterrupt(), ErrorCategory.SYSTEM),
    ],
)
def test_whose_an_error_is_to_solve(error, category):
    assert category_of(error) is category


@pytest.mark.parametrize(
    ("category", "retryable", "escalates_to"),
    [
        (ErrorCategory.USER_INPUT, False, None),
        (ErrorCategory.BUSINESS_RULE, False, None),
        (ErrorCategory.EXTERNAL_SERVICE, True, "operators"),
        (ErrorCategory.SYSTEM, True, "operators"),
    ],
)
def test_what_may_be_tried_again_is_what_operators_hear_of(category, retryable, escalates_to):
    assert (category.retryable, category.escalates_to) == (retryable, escalates_to)


@pytest.mark.parametrize(("typed", "shown"), [("2.50", "2.5"), ("1E+2", "100"), ("-3.0", "-3"), ("0", "0")])
def test_numbers_are_quoted_as_people_write_them(typed, shown):
    for kind in (errors.QuantityNotWhole, errors.QuantityTooSmall):
        assert kind(Decimal(typed)).values == {"quantity": shown}
    assert errors.NumberNotOnList(Decimal(typed), 9).values == {"number": shown, "highest": 9}


def refused(session_maker: Any, statement: Any, **values: Any) -> DBAPIError:
    """What PostgreSQL itself says to a statement."""
    with pytest.raises(DBAPIError) as caught, session_maker.begin() as session:
        session.execute(statement, values)
    return caught.value


def test_a_row_that_exists_is_described_without_it(sessions):
    """PostgreSQL's own message quotes the row: "Key (phone_lookup)=(...) already exists"."""
    with sessions.begin() as session:
        session.add(Customer(phone_lookup=NUMBER, name=NAME))
    with pytest.raises(IntegrityError) as caught, sessions.begin() as session:
        session.add(Customer(phone_lookup=NUMBER, name=NAME))
        session.flush()
    assert NUMBER in str(caught.value), "or there would be nothing to hide"
    described = describe(caught.value)
    assert described.startswith("IntegrityError 23505 in: INSERT INTO customers (")
    assert "phone_lookup" in described
    for secret in (NUMBER, NUMBER[1:], NAME, "Canary"):
        assert secret not in described
    assert "\n" not in described


def test_a_value_that_does_not_fit_is_described_without_it(sessions):
    insert = text("INSERT INTO products (name, price, category, sku)\n  VALUES (:name, :price, 'x', :sku)")
    error = refused(sessions, insert, name=NAME, price=Decimal(10) ** 15, sku=NUMBER)
    assert isinstance(error, DataError)
    described = describe(error)
    assert described.startswith(
        "DataError 22003 in: INSERT INTO products (name, price, category, sku) VALUES"
    )
    for secret in (NUMBER, NAME, "1000000000000000"):
        assert secret not in described


def test_a_check_that_fails_is_described_without_the_row(sessions, make_product):
    product = make_product(name=NAME)
    with pytest.raises(IntegrityError) as caught, sessions.begin() as session:
        session.execute(update(Product).where(Product.id == product.id).values(price=Decimal(-1)))
    assert NAME in str(caught.value), "or there would be nothing to hide"
    described = describe(caught.value)
    assert described.startswith("IntegrityError 23514 in: UPDATE products SET price=")
    assert NAME not in described
    assert str(product.id) not in described


def test_a_word_that_is_no_number_is_described_without_it(sessions):
    error = refused(sessions, text("SELECT CAST(:typed AS integer)"), typed=f"no. {NUMBER}")
    assert NUMBER in str(error)
    assert NUMBER not in describe(error)
    assert describe(error).startswith("DataError 22P02 in: SELECT CAST(")


def test_a_wrong_statement_is_described(sessions):
    error = refused(sessions, text("SELECT nothing_like_it FROM customers WHERE name = :name"), name=NAME)
    assert isinstance(error, ProgrammingError)
    assert describe(error).startswith("ProgrammingError 42703 in: SELECT nothing_like_it FROM customers")
    assert NAME not in describe(error)


def test_a_database_that_is_away_is_described_without_its_address():
    engine = make_engine("postgresql+psycopg2://canary:secret@127.0.0.1:1/shop")
    with pytest.raises(OperationalError) as caught, engine.connect():
        pass
    engine.dispose()
    assert "127.0.0.1" in str(caught.value), "or there would be nothing to hide"
    described = describe(caught.value)
    assert described.startswith("OperationalError OperationalError in:")
    for secret in ("canary", "secret", "127.0.0.1"):
        assert secret not in described


def test_any_other_error_is_described_by_its_name_alone():
    assert describe(ValueError(f"{NAME} has the number {NUMBER}")) == "ValueError"
    assert describe(errors.PaymentRejected(NUMBER)) == "PaymentRejected"
