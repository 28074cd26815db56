"""The order parser: what of the catalogue a message names, how many of it, and what that means."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from dialogue.nlu.intent_reader import IntentReader
from dialogue.nlu.order_parser import OrderParser
from dialogue.orders.menu import from_catalogue
from dialogue.orders.reader import OrderReader

PRODUCTS = [
    ("burger", "Burger", ["hamburger"]),
    ("cheese", "Cheese Burger", []),
    ("coke-35", "Coke 35cl", ["coke", "cola"]),
    ("coke-50", "Coke 50cl", ["coke"]),
    ("7up", "7 Up", []),
    ("five", "Five Alive", []),
    ("fries", "French Fries", ["fries"]),
    ("suya", "Suya", []),
    ("wrap", "Chicken Wrap", []),
]
CATALOGUE = {
    "version": "1",
    "categories": ["Burgers", "Drinks", "Suya"],
    "products": [{"id": key, "name": name, "aliases": aliases} for key, name, aliases in PRODUCTS],
}


@pytest.fixture(scope="module")
def parser() -> OrderParser:
    """A parser that knows this catalogue."""
    parser = OrderParser(None)
    parser.use(OrderReader(from_catalogue(CATALOGUE)))
    return parser


def parse(parser: OrderParser, text: str, intent: str = "out_of_scope", entities: Any = ()) -> Message:
    """A message after the classifier and the parser have seen it."""
    message = Message({TEXT: text, INTENT: {"name": intent, "confidence": 0.5}, ENTITIES: list(entities)})
    return IntentReader().process(parser.process([message]))[0]


def lines(message: Message) -> list[tuple[Any, str | None]]:
    """(products or category, quantity) of each line."""
    values = [e["value"] for e in message.get(ENTITIES) if e["entity"] == "order_line"]
    return [(value.get("products") or value["category"], value["quantity"]) for value in values]


def free(message: Message) -> list[str]:
    """Numbers that belong to no product."""
    return [e["value"] for e in message.get(ENTITIES) if e["entity"] == "quantity"]


def intent(message: Message) -> str:
    """What the message is taken for."""
    return str(message.get(INTENT)["name"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("burger", [(["burger"], None)]),
        ("2 burgers", [(["burger"], "2")]),
        ("Two HAMBURGERS please", [(["burger"], "2")]),
        ("burger x2", [(["burger"], "2")]),
        ("2x burger", [(["burger"], "2")]),
        ("burger 2", [(["burger"], "2")]),
        ("2 burgers and a fries", [(["burger"], "2"), (["fries"], "1")]),
        ("2 cheese burgers", [(["cheese"], "2")]),
        ("i want 3 plates of suya", [(["suya"], "3")]),
        ("half a dozen chicken wraps", [(["wrap"], "6")]),
        ("2 dozen burgers", [(["burger"], "24")]),
        ("1 burger 2 fries", [(["burger"], "1"), (["fries"], "2")]),
        ("burger 1, fries 2", [(["burger"], "1"), (["fries"], "2")]),
        ("burger x1\nfries x2", [(["burger"], "1"), (["fries"], "2")]),
        ("burger, 2 fries", [(["burger"], None), (["fries"], "2")]),
        ("-1 burger", [(["burger"], "-1")]),
        ("2.5 burgers", [(["burger"], "2.5")]),
        ("a million burgers", [(["burger"], "1000000")]),
    ],
)
def test_lines_of_an_order(parser, text, expected):
    message = parse(parser, text)
    assert lines(message) == expected
    assert free(message) == []
    assert intent(message) == "select_product"


@pytest.mark.parametrize("text", ["coke", "2 cokes", "2 burgers and a coke"])
def test_a_shared_name_means_all_products_of_that_name(parser, text):
    assert set(lines(parse(parser, text))[-1][0]) == {"coke-35", "coke-50"}


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("7 Up", None),
        ("7 up", None),
        ("2 7 Up", "2"),
        ("two 7 ups", "2"),
        ("7 Up x3", "3"),
        ("12 7 up", "12"),
    ],
)
def test_a_number_in_a_name_is_no_quantity(parser, text, quantity):
    message = parse(parser, text)
    assert lines(message) == [(["7up"], quantity)]
    assert free(message) == []


@pytest.mark.parametrize(
    ("text", "quantity"), [("five alive", None), ("two five alive", "2"), ("5 five alive", "5")]
)
def test_a_number_word_in_a_name_is_no_quantity(parser, text, quantity):
    message = parse(parser, text)
    assert lines(message) == [(["five"], quantity)]
    assert free(message) == []


def test_the_size_tells_products_of_one_name_apart(parser):
    assert lines(parse(parser, "3 coke 50cl")) == [(["coke-50"], "3")]


@pytest.mark.parametrize("text", ["2", "two", "2 please", "just a couple", "x2"])
def test_a_number_alone_is_a_quantity(parser, text):
    message = parse(parser, text)
    assert intent(message) == "give_quantity"
    assert lines(message) == []
    assert len(free(message)) == 1


@pytest.mark.parametrize("text", ["drinks", "Drinks please", "show me the burgers"])
def test_a_category_alone_is_a_look_at_the_menu(parser, text):
    message = parse(parser, text, intent="browse_menu")
    assert intent(message) == "browse_menu" or lines(message)[0][0] == ["burger"]


def test_a_category_with_a_number_says_how_many(parser):
    assert lines(parse(parser, "3 drinks")) == [("Drinks", "3")]


def test_a_product_comes_before_a_category_of_its_name(parser):
    assert lines(parse(parser, "suya")) == [(["suya"], None)]


@pytest.mark.parametrize("kept", ["remove_item", "modify_item", "search_product", "track_order"])
def test_a_message_that_says_more_about_a_product_keeps_its_intent(parser, kept):
    message = parse(parser, "remove the burger", intent=kept)
    assert intent(message) == kept
    assert lines(message) == [(["burger"], None)]


def test_a_product_in_other_words_is_an_order(parser):
    assert intent(parse(parser, "my kids are crying for burgers", intent="greet")) == "select_product"


@pytest.mark.parametrize(
    ("text", "asked"), [("sushi", ["sushi"]), ("hello there", []), ("/payment", ["payment"])]
)
def test_unknown_words_are_left_to_others(parser, text, asked):
    message = parse(parser, text, intent="greet")
    assert intent(message) == "greet"
    assert [entity["value"].strip("/") for entity in message.get(ENTITIES)] == asked


def test_what_is_counted_and_on_no_menu_is_an_order_all_the_same(parser):
    message = parse(parser, "2 sushi", intent="greet")
    assert intent(message) == "select_product"
    assert "sushi" in [e["value"] for e in message.get(ENTITIES) if e["entity"] == "unknown_product"]


@pytest.mark.parametrize(
    ("text", "meant"), [("👍", "affirm"), ("👎", "deny"), ("🍔", "out_of_scope"), ("???", "out_of_scope")]
)
def test_a_message_without_letters_is_never_guessed(parser, text, meant):
    assert intent(parse(parser, text, intent="affirm")) == meant


def test_only_what_is_unknown_is_named_as_such(parser):
    message = parse(parser, "2 burger and sushi")
    assert [e["value"] for e in message.get(ENTITIES) if e["entity"] == "product"] == ["sushi"]


def test_an_entity_stands_where_its_words_stand(parser):
    text = "please 2 cheese burgers"
    (entity,) = parse(parser, text).get(ENTITIES)
    assert text[entity["start"] : entity["end"]] == "cheese burgers"
    assert entity["extractor"] == "OrderParser"


def test_a_new_catalogue_replaces_the_old_one():
    parser = OrderParser(None)
    parser.use(OrderReader(from_catalogue(CATALOGUE)))
    parser.use(OrderReader(from_catalogue({**CATALOGUE, "products": [], "version": "2"})))
    assert lines(parse(parser, "2 chicken wraps")) == []


@pytest.mark.parametrize("text", ["", None])
def test_a_message_without_text_is_left_alone(parser, text):
    message = Message({TEXT: text})
    assert parser.process([message])[0].get(ENTITIES) is None
