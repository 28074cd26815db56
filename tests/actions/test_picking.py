"""A name that fits several products: what was said along with it goes for the one that is picked."""

from __future__ import annotations

from typing import Any

from tests.actions.test_actions import in_carts
from tests.actions.tracker import category, number, order_line

FOR_ALL = {"entity": "for_all", "value": True}
CHECKOUT = {"entity": "and_checkout", "value": True}


def wish(quantity: str | None = None, **values: Any) -> dict[str, Any]:
    """What the order parser leaves for what was said without a product's name."""
    return {"entity": "order_line", "value": {"products": [], "name": "", "quantity": quantity, **values}}


async def test_how_many_and_how_are_kept_until_one_is_picked(talk, menu, sessions):
    entities = [category("Burgers", "2"), wish("2", removals=["onions"])]
    await talk.turn("action_select_product", "2 burgers without onions", entities)
    answer = await talk.turn("action_select_product", "1", [number("1")])
    assert "2 × Test Burger" in answer.text
    assert in_carts(sessions) == {"Test Burger": 2}
    assert talk.slots["wish"] is None


async def test_what_the_picked_one_does_not_have_is_told_and_it_is_taken_all_the_same(talk, menu, sessions):
    entities = [category("Burgers", "1"), wish(removals=["pineapple"])]
    await talk.turn("action_select_product", "a burger without pineapple", entities)
    answer = await talk.turn("action_select_product", "2", [number("2")])
    assert answer.named == ["utter_unknown_option", "utter_added"]
    assert in_carts(sessions) == {"Cheese Burger": 1}


async def test_to_pay_is_kept_as_well(talk, menu):
    await talk.turn("action_select_product", "2 burgers and checkout", [category("Burgers", "2"), CHECKOUT])
    answer = await talk.turn("action_select_product", "1", [number("1")])
    assert answer.followed_by == ["action_checkout"]


async def test_a_new_list_forgets_what_was_said_along_with_the_old_one(talk, menu):
    await talk.turn("action_select_product", "2 burgers", [category("Burgers", "2")])
    await talk.turn("action_show_menu", "drinks", [category("Drinks")])
    answer = await talk.turn("action_select_product", "1", [number("1")])
    assert answer.followed_by == ["quantity_form"]


async def test_of_several_products_the_one_on_the_list_is_meant(talk, menu, sessions):
    await talk.turn("action_select_product", "1 burger", [category("Burgers", "1")])
    several = order_line(menu["burger"], menu["pie"], name="beef")
    await talk.turn("action_select_product", "the beef one", [several])
    assert in_carts(sessions) == {"Test Burger": 1}


async def test_several_numbers_of_a_list(talk, menu, sessions):
    await talk.turn("action_show_menu", "drinks", [category("Drinks")])
    await talk.turn("action_select_product", "1 and 2", [number("1"), number("2")])
    assert in_carts(sessions) == {"Coke 35cl": 1, "Coke 50cl": 1}


async def test_both_of_a_list(talk, menu, sessions):
    await talk.turn("action_show_menu", "drinks", [category("Drinks")])
    talk.hears("both", [FOR_ALL], intent="give_quantity")
    await talk.does("action_select_product")
    assert in_carts(sessions) == {"Coke 35cl": 1, "Coke 50cl": 1}


async def test_numbers_of_categories_are_no_order(talk, menu, sessions):
    await talk.turn("action_show_menu", "menu")
    answer = await talk.turn("action_select_product", "1 and 2", [number("1"), number("2")])
    assert answer.named == ["utter_products"]
    assert in_carts(sessions) == {}


async def test_how_many_is_answered_along_with_how(talk, menu, sessions):
    await talk.turn("action_select_product", "burger", [order_line(menu["burger"])])
    talk.form = "quantity_form"
    answer = await talk.turn("action_select_product", "2 plain ones", [wish("2")])
    assert answer.left_the_form
    assert in_carts(sessions) == {"Test Burger": 2}


async def test_the_answer_to_how_many_may_order_more(talk, menu, sessions):
    await talk.turn("action_select_product", "burger", [order_line(menu["burger"])])
    talk.hears("2 and a big coke", [number("2"), order_line(menu["big coke"], quantity="1")])
    talk.fills("quantity", 2)
    await talk.does("action_add_to_cart")
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_the_question_how_many_survives_what_is_taken_out_beside_it(talk, menu, sessions):
    await talk.turn("action_select_product", "1 coke", [order_line(menu["big coke"], quantity="1")])
    await talk.turn("action_select_product", "burger", [order_line(menu["burger"])])
    talk.form = "quantity_form"
    line = order_line(menu["big coke"])
    line["value"]["removed"] = True
    answer = await talk.turn("action_remove_item", "remove the coke", [line])
    assert answer.named == ["utter_removed_last"]
    assert not answer.left_the_form
    assert talk.slots["product"] == str(menu["burger"].id)


async def test_another_one(talk, menu, sessions):
    await talk.turn("action_select_product", "1 coke", [order_line(menu["big coke"], quantity="1")])
    answer = await talk.turn("action_select_product", "another one", [wish("1", again=True)])
    assert "1 × Coke 50cl" in answer.text
    assert in_carts(sessions) == {"Coke 50cl": 2}


async def test_both_are_removed_but_of_three_it_is_asked_which(talk, menu, sessions):
    lines = [order_line(menu[name], quantity="1") for name in ("burger", "big coke", "cheese")]
    await talk.turn("action_select_product", "three things", lines)
    answer = await talk.turn("action_remove_item", "remove both", [FOR_ALL])
    assert answer.named == ["utter_what_can_be_changed"]
    await talk.turn("action_remove_item", "no cheese burger", [order_line(menu["cheese"])])
    answer = await talk.turn("action_remove_item", "remove both", [FOR_ALL])
    assert answer.named == ["utter_cart_cleared"]
    assert in_carts(sessions) == {}
