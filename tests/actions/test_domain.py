"""Actions and domain fit: no action without code, no sentence without words, no gap without a value."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from decimal import Decimal

import pytest

from actions.base import REFUSALS
from actions.formatting import cart_values
from actions.notices import DELIVERED
from actions.server import make_executor
from assist.grammar import PROPOSED
from db.models import OrderStatus
from settings import KNOWN_PAYMENT_PROVIDERS
from shop.cart_view import CartView
from shop.conversation import ConversationState
from shop.customers import LANGUAGES
from shop.errors import InvalidInput, OrderChanged, ServiceUnavailable, ShopError, StaffRefusal
from shop.pricing import Totals
from tests.actions.tracker import ROOT, domain, placeholders

NO_CART = CartView((), Totals(*[Decimal(0)] * 5), "NGN")
PUT_TOGETHER = {
    "conversation.values_of": set(cart_values(NO_CART, str)),
    "transfer_values": {"account", "hours", "reference"},
}
"""The names that functions give to a `say`."""
SOURCES = sorted((ROOT / "actions").glob("*.py"))
FAMILIES = {
    "utter_next_": [state.value.lower() for state in ConversationState],
    "utter_language_changed_": list(LANGUAGES),
    "utter_status_": [status.value for status in OrderStatus],
    "utter_delivery_": [status.value for status in DELIVERED],
    "utter_pay_by_": list(KNOWN_PAYMENT_PROVIDERS),
    "utter_changed_": ["price", "total"],
    "utter_did_you_mean_": sorted(PROPOSED),
    "utter_clarify_": ["product", "quantity"],
}


def calls(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Call]]:
    """Every `say(...)` with the function it stands in."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "say":
                    yield function, node


def responses_of(argument: ast.expr) -> list[str]:
    """The responses that a `say` may name."""
    if isinstance(argument, ast.Constant):
        return [str(argument.value)]
    if isinstance(argument, ast.JoinedStr):
        prefix = argument.values[0].value
        return [prefix + value for value in FAMILIES[prefix]]
    assert ast.unparse(argument) == "REFUSALS[kind]"
    return []


def values_of(function: ast.AST, keywords: list[ast.keyword]) -> set[str]:
    """The values that a `say` gives, `**` followed to where they are put together."""
    given: set[str] = set()
    for keyword in keywords:
        if keyword.arg is not None:
            given.add(keyword.arg)
        else:
            given |= spread(function, keyword.value)
    return given


def spread(function: ast.AST, value: ast.expr) -> set[str]:
    """The names inside a `**value`."""
    if isinstance(value, ast.Call):
        return PUT_TOGETHER[ast.unparse(value.func)]
    assert isinstance(value, ast.Name), ast.unparse(value)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == value.id:
            if isinstance(node.value, ast.Call):
                return spread(function, node.value)
            assert isinstance(node.value, ast.Dict)
            names: set[str] = set()
            for key, inner in zip(node.value.keys, node.value.values, strict=True):
                names |= spread(function, inner) if key is None else {str(ast.literal_eval(key))}
            return names
    raise AssertionError(f"where does **{value.id} come from?")


def all_said() -> list[tuple[str, str, set[str]]]:
    """(where, response, values) of every `say` in the actions."""
    said = []
    for source in SOURCES:
        for function, call in calls(ast.parse(source.read_text(encoding="utf-8"))):
            for response in responses_of(call.args[0]):
                where = f"{source.name}:{call.lineno}"
                said.append((where, response, values_of(function, call.keywords)))
    return said


def action_names() -> list[str]:
    """The names of the actions; some are with settings."""
    return [action if isinstance(action, str) else next(iter(action)) for action in domain()["actions"]]


def test_every_action_of_the_domain_is_registered_and_every_registered_one_is_in_the_domain(shop, settings):
    assert set(make_executor(shop, settings).actions) == set(action_names())


def test_no_action_is_named_twice():
    assert len(action_names()) == len(set(action_names()))


def test_every_state_and_status_has_words():
    for prefix, values in FAMILIES.items():
        for value in values:
            assert prefix + value in domain()["responses"]
    assert domain()["slots"]["conversation_state"]["values"] == [state.value for state in ConversationState]


def test_the_actions_say_something():
    assert len(all_said()) > 40


@pytest.mark.parametrize(("where", "response", "values"), all_said())
def test_what_an_action_says_has_words_and_every_gap_gets_a_value(where, response, values):
    assert response in domain()["responses"], f"{where}: {response} is not in domain.yml"
    assert placeholders(response) <= values, f"{where}: {response}"


def test_every_refusal_of_the_shop_can_be_told():
    """What changed since the review is told change by change; the staff has its own screen."""
    kinds = {InvalidInput, ServiceUnavailable, StaffRefusal}
    leaves = {
        *ShopError.__subclasses__(),
        *InvalidInput.__subclasses__(),
        *ServiceUnavailable.__subclasses__(),
    }
    assert set(REFUSALS) == leaves - kinds - {OrderChanged}


@pytest.mark.parametrize(("refusal", "response"), REFUSALS.items())
def test_a_refusal_gives_every_value_that_its_words_want(refusal, response):
    own = refusal.__init__ is not ShopError.__init__
    values = set(inspect.signature(refusal).parameters) if own else set()
    assert placeholders(response) <= values


def test_what_rules_say_without_an_action_wants_no_values():
    by_actions = {response for _, response, _ in all_said()} | set(REFUSALS.values())
    for response in set(domain()["responses"]) - by_actions:
        assert placeholders(response) == set(), response


def test_names_in_the_source_are_names_of_the_domain():
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and str(node.value).startswith("utter_"):
                name = str(node.value)
                if name == "utter_action":
                    continue  # where Rasa keeps a response's name
                assert name in domain()["responses"] or name in FAMILIES, f"{source.name}: {name}"
