"""What a message is meant as: the guess, read together with the order and where the conversation stands."""

from __future__ import annotations

import pytest
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from dialogue.nlu.intent_reader import IntentReader
from dialogue.nlu.order_parser import OrderParser
from dialogue.orders.reader import OrderReader
from dialogue.turn import Situation, Turn, current_turn
from tests.dialogue.orders.test_reader import MENU

READER = OrderReader(MENU, ("en", "fr"))


def meant(text: str, guess: str, confidence: float = 0.6, **situation: str | bool | None) -> str:
    """The intent of a message after a guess of the classifier, in a situation."""
    parser = OrderParser(None)
    parser.use(READER)
    message = Message({TEXT: text, INTENT: {"name": guess, "confidence": confidence}})
    token = current_turn.set(Turn(situation=Situation(**situation)))
    try:
        return str(IntentReader().process(parser.process([message]))[0].get(INTENT)["name"])
    finally:
        current_turn.reset(token)


@pytest.mark.parametrize(
    ("text", "guess", "expected"),
    [
        ("2 lattes", "give_quantity", "select_product"),
        ("a latte with oat milk", "modify_item", "select_product"),
        ("make it a latte with oat milk", "modify_item", "select_product"),
        ("put bacon on the beef burger", "modify_item", "modify_item"),
        ("change the latte to 4", "select_product", "modify_item"),
        ("change the latte to a mocha", "modify_item", "select_product"),
        ("no fries", "deny", "deny"),
        ("remove the fries", "select_product", "select_product"),
        ("drop the fries", "greet", "remove_item"),
        ("what milk goes with a latte", "browse_menu", "browse_menu"),
        ("no onions", "deny", "modify_item"),
        ("make that three", "select_product", "select_product"),
        ("make that three", "greet", "modify_item"),
        ("8135559987", "inform_contact", "inform_contact"),
        ("3", "select_product", "select_product"),
        ("3", "greet", "give_quantity"),
        ("2 sushi", "give_quantity", "select_product"),
        ("🙂", "affirm", "out_of_scope"),
        ("empty the cart and give me 2 lattes", "clear_cart", "clear_cart"),
        ("a latte with oat milk", "complaint", "select_product"),
        ("the latte i got yesterday was cold", "complaint", "complaint"),
        ("👍", "greet", "affirm"),
        ("a latte for dug", "out_of_scope", "select_product"),
        ("a latte maker for my kitchen, which brand is best", "out_of_scope", "out_of_scope"),
        ("latte art", "out_of_scope", "out_of_scope"),
        ("have a nice day mr charlie", "goodbye", "goodbye"),
        ("same to you, thanks", "thank", "thank"),
        ("2 quantity", "give_quantity", "give_quantity"),
        ("a latte. make it decaf", "modify_item", "select_product"),
        ("a latte with oat milk instead of whole milk", "modify_item", "select_product"),
        ("3 lattes instead", "modify_item", "modify_item"),
        ("oat milk instead of whole milk in the latte", "modify_item", "modify_item"),
        ("2 lattes and remove the fries", "modify_item", "select_product"),
    ],
)
def test_the_order_tells_what_is_meant(text: str, guess: str, expected: str) -> None:
    assert meant(text, guess) == expected


@pytest.mark.parametrize(
    ("text", "guess", "state", "expected"),
    [
        ("no thanks", "deny", "ADDING_TO_CART", "checkout"),
        ("that's all", "affirm", "ADDING_TO_CART", "checkout"),
        ("no thanks", "deny", "BROWSING_PRODUCTS", "deny"),
        ("no that is the wrong one you idiot", "deny", "ADDING_TO_CART", "deny"),
        ("i want to pay", "checkout", "AWAITING_PAYMENT", "inform_payment"),
        ("i want to pay", "checkout", "ADDING_TO_CART", "checkout"),
        ("the second one", "select_product", "BROWSING_PRODUCTS", "give_quantity"),
        ("the second one", "select_product", "GREETING", "select_product"),
        ("no thanks", "deny", None, "deny"),
        ("another one", "give_quantity", "ADDING_TO_CART", "select_product"),
        ("one less", "modify_item", "ADDING_TO_CART", "remove_item"),
        ("same again", "reorder", "ADDING_TO_CART", "select_product"),
        ("same again", "reorder", "ORDER_COMPLETE", "reorder"),
        ("both", "select_product", "BROWSING_PRODUCTS", "give_quantity"),
        ("both", "select_product", "ADDING_TO_CART", "select_product"),
        ("qpwo eiru tyal", "inform_contact", "ADDING_TO_CART", "inform_contact"),
        ("لا أعرف ماذا أقول", "give_quantity", "REVIEWING_ORDER", "out_of_scope"),
        ("make that 1000000000000", "inform_contact", "ADDING_TO_CART", "modify_item"),
        ("1000000000000", "inform_contact", "BROWSING_PRODUCTS", "give_quantity"),
    ],
)
def test_the_state_takes_part(text: str, guess: str, state: str | None, expected: str) -> None:
    assert meant(text, guess, state=state) == expected


def test_in_doubt_nothing_is_made_of_words_that_nobody_knows() -> None:
    browsing = {"state": "BROWSING_PRODUCTS"}
    assert meant("qpwo eiru tyal", "inform_contact", 0.48, **browsing) == "out_of_scope"
    assert meant("will it rain tomorrow", "order_ahead", 0.4, **browsing) == "out_of_scope"
    assert meant("for tomorrow please", "order_ahead", 0.9, **browsing) == "order_ahead"


def test_a_message_that_could_not_be_read_whole_orders_nothing() -> None:
    assert meant("2 lattes and " * 80, "select_product", 0.9) == "send_too_long"


def test_a_form_reads_its_answers_itself() -> None:
    assert meant("no thanks", "deny", state="ADDING_TO_CART", active_form="quantity_form") == "deny"


@pytest.mark.parametrize(("text", "guess"), [("no", "deny"), ("yes", "affirm"), ("no that's all", "deny")])
def test_what_answers_did_you_mean_this_answers_no_other_question(text: str, guess: str) -> None:
    assert meant(text, guess, state="ADDING_TO_CART", proposal_asked=True) == guess
