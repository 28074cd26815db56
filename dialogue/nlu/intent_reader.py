"""What a message is meant as: the classifier's guess, read together with the order and the state of
the talk."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from dialogue.nlu.order_parser import READING
from dialogue.orders.cover import Segment
from dialogue.orders.drafts import Line
from dialogue.orders.index import SHORT
from dialogue.orders.language import Part
from dialogue.orders.rarity import is_strange
from dialogue.orders.reader import More, Reading
from dialogue.turn import Situation, current_turn

SURE = 0.99
TOO_LONG = "send_too_long"
YES_SIGNS, NO_SIGNS = "👍👌✅✔💯", "👎❌🚫"
# Intents that say something about products; others give way where products are named.
ABOUT_PRODUCTS = frozenset(
    "search_product select_product modify_item remove_item reorder cancel_order track_order complaint".split()
)
WEAK_ABOUT = frozenset("select_product search_product".split())
"""Guesses of these that give way where nothing but a removal was said: "i dont want onions"."""
MOST_WORDS_BESIDE = 2
"""More words than these that say nothing about an order: a message that is not only an order."""
DOUBTFUL, LIKELY, PLAIN, CERTAIN = 0.5, 0.35, 0.7, 0.85
LEAST_OF_NO_ORDER = {"out_of_scope": DOUBTFUL, "browse_menu": LIKELY}
"""How likely a guess has to be against parts of products' names: "how to change the oil of a car" is about no
olive oil, and "what kinds of tea do you serve" orders none."""
DOUBTED_BY = 3.0
MOST_DIGITS = 5
ROUND = re.compile(r"[1-9]\d{0,2}0{3,}")
BESIDE_PRODUCTS = frozenset(
    "out_of_scope inform_contact inform_payment apply_discount order_ahead help".split()
)
"""Intents of messages that may name a product in passing."""
NO_PRODUCT = frozenset("give_quantity greet goodbye".split())
"""Guesses that give way where something that is on no menu was counted: "2 pizzas"."""

CHANGES = frozenset(
    (Part.CORRECTION, Part.INSTEAD_OF, Part.DEFINITE, Part.REFERENCE, Part.REMOVE, Part.REPLACE)
)
"""What speaks of something that was ordered before."""
GOES = frozenset((Part.REMOVE, Part.REPLACE))
BROWSING = frozenset(("BROWSING_PRODUCTS", "ADDING_TO_CART"))
WITH_CART = frozenset(("ADDING_TO_CART", "COLLECTING_QUANTITY", "REVIEWING_ORDER"))
ACTS_ON_WORDS = frozenset(("order_ahead",))
"""What would change an order for a word such as "tomorrow" alone: in doubt it is not taken."""
GUESSED_FROM_NOTHING = frozenset("inform_contact select_product search_product".split())
"""What words are taken for that nobody knows."""
NOTHING_MORE = frozenset("deny affirm thank checkout".split())
ANSWERS = frozenset(("affirm", "deny"))
MOST_WORDS_OF_NO = 3
FAREWELLS = ("goodbye", "thank")
"""Of "a nice day" nobody wants one, and of "the same to you" no more."""
PICKS = frozenset("select_product give_quantity affirm search_product out_of_scope reorder".split())
"""What "the second one" may be taken for where a list was shown."""


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=False)
class IntentReader(GraphComponent):
    """Replaces the classifier's intent where the order that was read, or the state, knows better."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentReader:
        """Rasa's way to make a component."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Read messages; those without text are left as they are."""
        turn = current_turn.get()
        situation = turn.situation if turn is not None else Situation()
        for message in messages:
            reading = message.get(READING)
            if reading is None:
                continue
            guess = _complaint_in_doubt(message, reading) or message.get(INTENT) or {}
            meant = TOO_LONG if reading.is_cut else _meant(str(message.get(TEXT)), reading, guess, situation)
            if meant is not None and meant != guess.get("name"):
                guess = {"name": meant, "confidence": SURE}
            message.set(INTENT, guess, add_to_output=True)
        return messages


def _meant(text: str, reading: Reading, guess: dict[str, Any], situation: Situation) -> str | None:
    return intent_of(text, reading, guess) or in_state(reading, guess, situation)


def _complaint_in_doubt(message: Message, reading: Reading) -> dict[str, Any] | None:
    """A complaint that the classifier put just behind "none of the shop's business": it names a product,
    and says more than an order would."""
    ranking = message.get(INTENT_RANKING_KEY) or []
    if (
        not ranking
        or ranking[0]["name"] != "out_of_scope"
        or not reading.left_over
        or not any(line.products for line in reading.lines)
    ):
        return None
    second = next((one for one in ranking if one["name"] == "complaint"), None)
    return second if second and second["confidence"] * DOUBTED_BY >= ranking[0]["confidence"] else None


def intent_of(text: str, reading: Reading, guess: dict[str, Any]) -> str | None:
    """What the order that was read says about the intent; None where the guess stands."""
    if not any(character.isalnum() for character in text):
        return _sign_intent(text)
    name, confidence = guess.get("name"), float(guess.get("confidence") or 0)
    only_order = reading.left_over == 0
    if any(line.products for line in reading.lines):
        return _intent_with_products(reading, name, confidence)
    if name in FAREWELLS and confidence >= DOUBTFUL:
        return None
    if reading.counted_unknown and name == "modify_item" and _orders_more(reading):
        return "select_product"
    if reading.counted_unknown and name in NO_PRODUCT and reading.left_over <= MOST_WORDS_BESIDE:
        return "select_product"
    if only_order and reading.change is not None and not reading.lines and name in WEAK_ABOUT:
        return "modify_item" if reading.change.removals or reading.change.without else None
    if not only_order or name in ABOUT_PRODUCTS:
        return None
    if reading.lines:  # of categories
        return "select_product" if any(line.quantity is not None for line in reading.lines) else "browse_menu"
    if reading.change is not None:
        left_out = reading.change.removals or reading.change.without
        return "modify_item" if left_out or confidence < DOUBTFUL else None
    unsure = confidence < PLAIN or name == "inform_contact"  # "1000000000000" is nobody's telephone
    if len(reading.free) == 1 and _is_quantity(reading.free[0]) and unsure:
        return "modify_item" if reading.corrects else "give_quantity"
    return None


def _intent_with_products(reading: Reading, name: str | None, confidence: float) -> str | None:
    if name == "clear_cart" and confidence >= DOUBTFUL:
        return None  # "empty the cart and give me 2 colas": the action does both
    weak = all(_is_weak(line) for line in reading.lines)
    if weak and confidence >= LEAST_OF_NO_ORDER.get(str(name), 1.0):
        return None
    if name == "out_of_scope" and confidence >= CERTAIN and not any(map(_is_named, reading.lines)):
        return None  # "remind me to get an oil change"
    removed = all(line.removed for line in reading.lines)
    if not removed and (reading.corrects or any(line.removed for line in reading.lines)):
        return "select_product"  # one thing takes the place of another
    if not removed and _orders_more(reading):
        changes = any(segment.part in CHANGES for segment in reading.segments)
        if name == "modify_item" or changes:
            return "select_product"
    if not removed and any(segment.part in (Part.REPLACE, Part.INSTEAD_OF) for segment in reading.segments):
        return "modify_item"  # "change the zobo to 4"
    if name == "complaint" and not reading.left_over:
        about = False  # every word of it belongs to an order
    else:
        about = name == "complaint" or (name in ABOUT_PRODUCTS and confidence >= LIKELY)
    if about or (name == "deny" and removed):
        return None
    if confidence >= DOUBTFUL and weak:
        return None  # "speak french" names no fries
    if removed:
        return "remove_item"
    if name == "out_of_scope" and reading.left_over <= MOST_WORDS_BESIDE and _orders_surely(reading):
        return "select_product"
    if name == "browse_menu" or (name in BESIDE_PRODUCTS and reading.left_over):
        return None if confidence >= DOUBTFUL else "select_product"
    if reading.left_over > MOST_WORDS_BESIDE and confidence >= DOUBTFUL:
        return None
    return "select_product"


def _is_weak(line: Line) -> bool:
    """Whether a product is only guessed, and not counted."""
    return line.quantity is None and not _is_named(line)


def _is_named(line: Line) -> bool:
    """Whether a product was named by more than a part of its name, and spelt right."""
    return line.cost < SHORT and not line.edits


def _orders_more(reading: Reading) -> bool:
    """Whether it counts something before it speaks of anything as known: "a latte with oat milk", "a latte,
    make it large", but not "the latte with a shot of vanilla"."""
    counted = [line.start for line in reading.lines if line.products and line.quantity is not None]
    counted += [start for start, _ in reading.counted_unknown]
    changes = [segment for segment in reading.segments if segment.part in CHANGES]
    if not counted or any(segment.part in GOES for segment in changes):
        return False
    last_option = max((segment.start for segment in reading.segments if segment.option), default=-1)
    # "Three colas instead": what is corrected was said in another message.
    corrects = any(one.part is Part.CORRECTION and one.start > last_option for one in changes)
    if corrects or any(line.removed for line in reading.lines):
        return False
    return all(segment.start > min(counted) for segment in changes)


def _orders_surely(reading: Reading) -> bool:
    """Whether it counts a product by its whole name: "a latte for Dug"."""
    return any(line.products and line.quantity is not None and _is_named(line) for line in reading.lines)


def _is_quantity(segment: Segment) -> bool:
    """Whether a number may be how many of something; a longer one is a telephone's or an order's, but for a
    round one."""
    digits = "".join(character for character in segment.text if character.isdigit())
    return len(digits) < MOST_DIGITS or ROUND.fullmatch(digits) is not None


def in_state(reading: Reading, guess: dict[str, Any], situation: Situation) -> str | None:
    """What the guess means in the state of the talk; a form that asks reads its answers itself.

    Who is asked "Anything else?" and says no, or that this is all, wants to check out.
    """
    name = guess.get("name")
    if situation.state is not None and _says_nothing(reading, str(name), float(guess.get("confidence") or 0)):
        return "out_of_scope"
    if reading.more is not None and not reading.lines and not reading.left_over:
        return _of_more(reading.more, name, situation)
    if situation.active_form is not None or reading.lines or reading.change is not None:
        return None
    if situation.proposal_asked and name in ANSWERS:
        return None  # to "Did you mean this?", and to no other question
    picks = name in PICKS or (name == "modify_item" and situation.state == "BROWSING_PRODUCTS")
    if situation.state in BROWSING and reading.ordinal is not None and picks:
        return "give_quantity"
    if situation.state == "BROWSING_PRODUCTS" and reading.for_all and picks:
        return "give_quantity"  # "both", of a list
    if situation.state == "AWAITING_PAYMENT" and name == "checkout":
        return "inform_payment"
    if situation.state != "ADDING_TO_CART":
        return None
    if reading.checks_out and name in NOTHING_MORE:
        return "checkout"
    words = sum(not segment.is_sign for segment in reading.segments)
    return "checkout" if name == "deny" and words <= MOST_WORDS_OF_NO else None


def _says_nothing(reading: Reading, name: str, confidence: float) -> bool:
    """Whether a guess is all that there is: strange words only, or a quantity in which nothing counts."""
    if reading.lines or reading.change is not None or reading.more is not None:
        return False
    counts = reading.free or reading.ordinal is not None or reading.for_all
    if name == "give_quantity":
        return not counts and bool(reading.left_over)
    if name in ACTS_ON_WORDS and confidence < DOUBTFUL:
        return True
    words = [segment for segment in reading.segments if not segment.is_sign]
    strange = [segment for segment in words if segment.unknown and is_strange(segment.text)]
    return name in GUESSED_FROM_NOTHING and confidence < DOUBTFUL and len(strange) == len(words)


def _of_more(more: More, name: str | None, situation: Situation) -> str | None:
    """ "Another one" and "one less" are about the cart; "the same again" is, where there is one."""
    if more.fewer:
        return "remove_item"
    again = name == "reorder" and situation.state not in WITH_CART
    return None if again or name == "track_order" or name in FAREWELLS else "select_product"


def _sign_intent(text: str) -> str:
    """What a message without a single letter says; a classifier of words can only guess there."""
    if any(sign in text for sign in YES_SIGNS):
        return "affirm"
    return "deny" if any(sign in text for sign in NO_SIGNS) else "out_of_scope"
