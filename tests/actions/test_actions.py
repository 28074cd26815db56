"""From hello to a full cart, through the real actions on a real shop."""

from __future__ import annotations

import pytest

from db.models import CartItem, CartStatus, Customer, Product
from tests.actions.tracker import category, number, order_line


def in_carts(sessions) -> dict[str, int]:
    """What is in all open carts."""
    with sessions() as session:
        open_items = session.query(CartItem).where(CartItem.cart.has(status=CartStatus.OPEN))
        return {item.product.name: item.quantity for item in open_items}


async def start(talk) -> None:
    """A session starts: Rasa hands the first message's metadata over in a slot."""
    talk.hears("hi", intent="greet")
    talk.slots["session_started_metadata"] = talk.latest_message["metadata"]
    await talk.does("action_session_start")


async def test_a_first_session_starts_with_the_greeting(talk):
    await start(talk)
    answer = await talk.does("action_greet")
    assert talk.state == "GREETING"
    assert answer.named == ["utter_greet_by_name"]
    assert "Hello Test Customer, welcome to *Test Kitchen*" in answer.text


async def test_a_sessions_start_holds_what_rasa_expects_of_it(talk):
    talk.hears("hi")
    talk.slots["session_started_metadata"] = talk.latest_message["metadata"]
    answer = await talk.does("action_session_start")
    assert answer.events[0]["event"] == "session_started"
    assert (answer.events[-1]["event"], answer.events[-1]["name"]) == ("action", "action_listen")
    assert answer.responses == []


async def test_who_has_no_name_is_greeted_without(make_talk, menu):
    talk = make_talk()
    talk.profile_name = None
    await start(talk)
    assert (await talk.does("action_greet")).named == ["utter_greet"]


async def test_where_recognition_is_off_nobody_is_greeted_by_name(make_talk, menu, sessions):
    talk = make_talk(customer_recognition=False)
    await start(talk)
    assert (await talk.does("action_greet")).named == ["utter_greet"]
    with sessions() as session:
        assert session.query(Customer).one().name is None


async def test_who_comes_back_to_a_full_cart_is_told_so_once(talk, menu, make_talk):
    await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
    later = make_talk()
    await start(later)
    assert later.state == "ADDING_TO_CART"
    answer = await later.does("action_greet")
    assert answer.named == ["utter_welcome_back"]
    assert "(2 in it)" in answer.text
    assert (await later.turn("action_greet", "hi")).named == ["utter_greet_by_name"]


PIN = {"latitude": "6.601838", "longitude": "3.351486", "address": "", "label": "Blue gate"}
READY = {"order_number": "ABC234", "status": "ready", "fulfilment": "pickup"}


@pytest.mark.parametrize(
    ("intent", "data", "notice", "state"),
    [
        ("share_location", PIN, False, "ADDING_TO_CART"),
        ("greet", None, False, "ADDING_TO_CART"),
        ("order_status_changed", READY, True, "COLLECTING_QUANTITY"),
    ],
)
async def test_only_a_notice_leaves_a_customer_in_the_old_session(
    talk, menu, make_talk, intent, data, notice, state
):
    await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
    await talk.turn("action_select_product", "cheese burger", [order_line(menu["cheese"])])
    await talk.does("action_ask_quantity_form_quantity")
    assert talk.state == "COLLECTING_QUANTITY"
    later = make_talk()
    later.hears(intent=intent, event=data, message_id="SM-later")
    later.latest_message["metadata"]["notice"] = notice
    later.slots["session_started_metadata"] = later.latest_message["metadata"]
    await later.does("action_session_start")
    assert later.state == state


async def test_where_recognition_is_off_the_old_cart_is_forgotten(make_talk, menu, sessions):
    talk = make_talk(customer_recognition=False)
    await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
    later = make_talk(customer_recognition=False)
    await start(later)
    assert later.state == "GREETING"
    assert in_carts(sessions) == {}


async def test_the_menu_leads_by_numbers_to_a_product_and_the_question_how_many(talk, menu):
    categories = await talk.turn("action_show_menu", "menu")
    assert categories.named == ["utter_categories"]
    assert "1. Burgers\n2. Drinks\n3. Snacks" in categories.text
    assert talk.state == "BROWSING_PRODUCTS"
    products = await talk.turn("action_select_product", "1", [number("1")])
    assert "1. Test Burger · ₦5,500.00\n2. Cheese Burger · ₦6,000.00" in products.text
    picked = await talk.turn("action_select_product", "2", [number("2")])
    assert picked.followed_by == ["quantity_form"]
    assert talk.slots["product"] == str(menu["cheese"].id)
    assert talk.state == "ADDING_TO_CART"
    asked = await talk.does("action_ask_quantity_form_quantity")
    assert asked.named == ["utter_ask_quantity"]
    assert asked.responses[0]["image"] == "http://127.0.0.1:4000/pictures/bur-001.jpg"
    assert talk.state == "COLLECTING_QUANTITY"


async def test_what_is_sold_out_is_struck_through_on_its_list(talk):
    answer = await talk.turn("action_show_menu", "snacks", [category("Snacks")])
    assert "1. ~Meat Pie~ · ₦900.00" in answer.text


async def test_an_empty_shop_says_so(make_talk, shop):
    assert (await make_talk().turn("action_show_menu", "menu")).named == ["utter_menu_empty"]


@pytest.mark.parametrize(
    ("given", "response"),
    [
        ("9", "utter_number_not_on_list"),
        ("0", "utter_number_not_on_list"),
        ("1.5", "utter_number_not_on_list"),
    ],
)
async def test_a_number_that_is_not_on_the_list_is_told(talk, given, response):
    await talk.turn("action_show_menu", "menu")
    answer = await talk.turn("action_select_product", given, [number(given)])
    assert answer.named == [response]
    assert f"no number {given} on that list" in answer.text
    assert "1 to 3" in answer.text


async def test_a_number_without_a_list_is_asked_about(talk):
    assert (await talk.turn("action_select_product", "2", [number("2")])).named == [
        "utter_nothing_to_choose_from"
    ]


async def test_a_product_is_picked_by_its_name(talk, menu):
    answer = await talk.turn("action_select_product", "test burger", [order_line(menu["burger"])])
    assert answer.followed_by == ["quantity_form"]
    assert talk.slots["product"] == str(menu["burger"].id)


async def test_a_product_is_picked_by_a_name_with_a_slip(talk, menu):
    answer = await talk.turn("action_select_product", "chese burgr")
    assert answer.followed_by == ["quantity_form"] or "Cheese Burger" in answer.text


async def test_a_name_that_several_products_share_leads_to_their_list(talk, menu):
    shared = order_line(menu["coke"], menu["big coke"], name="Coke 35cl")
    answer = await talk.turn("action_select_product", "coke", [shared])
    assert "1. Coke 35cl" in answer.text
    assert "2. Coke 50cl" in answer.text
    picked = await talk.turn("action_select_product", "2", [number("2")])
    assert talk.slots["product"] == str(menu["big coke"].id)
    assert picked.followed_by == ["quantity_form"]


async def test_a_quantity_said_with_a_category_is_kept_until_the_product_is_picked(talk, menu, sessions):
    await talk.turn("action_select_product", "3 drinks", [category("Drinks", "3")])
    answer = await talk.turn("action_select_product", "2", [number("2")])
    assert answer.named == ["utter_added"]
    assert in_carts(sessions) == {"Coke 50cl": 3}
    assert talk.slots["quantity"] is None


async def test_an_unknown_name_leads_to_the_menu(talk):
    answer = await talk.turn("action_select_product", "sushi")
    assert answer.named == ["utter_unknown_product", "utter_categories"]
    assert "“sushi”" in answer.text


async def test_a_search_for_what_the_shop_has_not_shows_what_it_has(talk):
    answer = await talk.turn("action_search_product", "sushi", [{"entity": "product", "value": "sushi"}])
    assert answer.named == ["utter_unknown_product", "utter_categories"]


async def test_a_search_tells_products_and_prices(talk, menu):
    answer = await talk.turn("action_search_product", "got burger?", [order_line(menu["burger"])])
    assert answer.named == ["utter_suggestions"]
    assert "1. Test Burger · ₦5,500.00" in answer.text


async def test_whole_lines_go_into_the_cart_at_once(talk, menu, sessions):
    lines = [order_line(menu["burger"], quantity="2"), order_line(menu["big coke"])]
    answer = await talk.turn("action_select_product", "2 burgers and a big coke", lines)
    assert answer.named == ["utter_added"]
    assert "Added 2 × Test Burger, 1 × Coke 50cl." in answer.text
    assert "Subtotal: ₦11,700.00" in answer.text
    assert in_carts(sessions) == {"Test Burger": 2, "Coke 50cl": 1}


async def test_lines_of_which_one_cannot_be_had_add_nothing(talk, menu, sessions):
    lines = [order_line(menu["burger"], quantity="2"), order_line(menu["pie"], quantity="1")]
    answer = await talk.turn("action_select_product", "2 burgers and a pie", lines)
    assert answer.named == ["utter_sold_out"]
    assert in_carts(sessions) == {}


@pytest.mark.parametrize(
    ("quantity", "response"),
    [
        ("0", "utter_quantity_too_small"),
        ("-1", "utter_quantity_too_small"),
        ("2.5", "utter_quantity_not_whole"),
        ("1000000", "utter_quantity_too_large"),
        ("6", "utter_not_enough_stock"),
    ],
)
async def test_a_line_with_a_wrong_quantity_is_asked_about(talk, menu, sessions, quantity, response):
    line = order_line(menu["coke"], quantity=quantity)
    answer = await talk.turn("action_select_product", f"{quantity} cokes", [line])
    assert answer.named == [response]
    assert answer.followed_by == ["quantity_form"]
    assert talk.slots["product"] == str(menu["coke"].id)
    assert in_carts(sessions) == {}


async def test_a_product_that_is_sold_out_is_not_asked_about(talk, menu):
    answer = await talk.turn("action_select_product", "a pie", [order_line(menu["pie"])])
    assert answer.named == ["utter_sold_out"]
    assert answer.followed_by == []


async def picked(talk, product: Product) -> None:
    """A product is picked and the form asks how many."""
    await talk.turn("action_select_product", product.name, [order_line(product)])
    talk.form = "quantity_form"
    await talk.does("action_ask_quantity_form_quantity")
    talk.slots["requested_slot"] = "quantity"


@pytest.mark.parametrize(
    ("given", "response", "told"),
    [
        ("0", "utter_quantity_too_small", "0 does not work; the smallest order is 1."),
        ("-1", "utter_quantity_too_small", "-1 does not work; the smallest order is 1."),
        ("2.5", "utter_quantity_not_whole", "We only sell whole ones, so 2.5 does not work."),
        ("a million", "utter_quantity_not_a_number", "I need a number there, such as *2*."),
        ("1000000", "utter_quantity_too_large", "The most is 100."),
        ("51", "utter_not_enough_stock", "We only have 50 of *Test Burger* left."),
        ("NaN", "utter_quantity_not_a_number", "I need a number there, such as *2*."),
    ],
)
async def test_a_quantity_that_cannot_be_had_is_explained_and_asked_again(
    talk, menu, sessions, given, response, told
):
    await picked(talk, menu["burger"])
    talk.hears(given, [number(given)])
    talk.fills("quantity", given)
    answer = await talk.does("validate_quantity_form")
    assert answer.named == [response]
    assert told in answer.text
    assert answer.slots["quantity"] is None
    again = await talk.does("action_ask_quantity_form_quantity")
    assert again.named == ["utter_ask_quantity_again"]
    assert again.responses[0].get("image") is None
    assert in_carts(sessions) == {}


async def test_a_good_quantity_goes_into_the_cart_on_top_of_what_is_there(talk, menu, sessions):
    for given in ("2", "3"):
        await picked(talk, menu["burger"])
        talk.hears(given, [number(given)])
        talk.fills("quantity", given)
        validated = await talk.does("validate_quantity_form")
        assert validated.slots["quantity"] == int(given)
        answer = await talk.does("action_add_to_cart")
        assert answer.named == ["utter_added"]
        assert f"Added {given} × Test Burger." in answer.text
    assert in_carts(sessions) == {"Test Burger": 5}
    assert (talk.slots["product"], talk.slots["quantity"]) == (None, None)


async def test_what_is_in_the_cart_counts_against_what_is_left(talk, menu):
    await talk.turn("action_select_product", "3 cokes", [order_line(menu["coke"], quantity="3")])
    await picked(talk, menu["coke"])
    talk.hears("3", [number("3")])
    talk.fills("quantity", "3")
    assert (await talk.does("validate_quantity_form")).named == ["utter_not_enough_stock"]
