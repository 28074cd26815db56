"""The order parser: order lines, numbers and unknown things of a message, read with the live menu."""

from __future__ import annotations

import logging
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from dialogue.nlu.live_menu import LiveMenu
from dialogue.orders.drafts import Line
from dialogue.orders.language import available
from dialogue.orders.menu import EMPTY
from dialogue.orders.reader import OrderReader, Reading
from settings import SettingError, read_settings

logger = logging.getLogger(__name__)

EXTRACTOR = "OrderParser"
SAID_OF_KIND = ("quantity", "options", "without", "removals")
READING = "order_reading"
"""Where a message carries its `Reading` to the components that follow."""
TEXT_OF_ANY_MENU = "text_of_any_menu"
"""Where a message carries its text with a mark in place of each product's name."""
PRODUCT_MARK = "__product__"
ONLY_LANGUAGE = ("en",)
MANY_EDITS = 2
"""A name that was spelt as differently as this is asked about, not taken."""


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=False)
class OrderParser(GraphComponent):
    """Adds the entities `order_line`, `quantity` and `product` (something that is on no menu).

    It also hands the classifier a text without names of products, so that what it learnt holds on any menu.
    """

    def __init__(self, live: LiveMenu | None) -> None:
        self._live = live
        self._reader = OrderReader(EMPTY, ONLY_LANGUAGE)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OrderParser:
        """Rasa's way to make a component; without settings or Redis the menu is empty."""
        try:
            settings = read_settings()
        except SettingError as missing:
            logger.info("no menu: %s", missing)
            return cls(None)
        codes = available() if settings.flags.multi_language else ONLY_LANGUAGE
        live = LiveMenu(settings.redis, codes)
        live.start()
        return cls(live)

    def use(self, reader: OrderReader) -> None:
        """Parse with this menu from now on, whatever the shop publishes."""
        if self._live is not None:
            self._live.stop()
        self._live, self._reader = None, reader

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Names of products are marked in the examples; each is learnt with its name and without."""
        for example in list(training_data.training_examples):
            names = [e for e in example.get(ENTITIES, []) if e["entity"] == "product"]
            if not names:
                continue
            text = example.get(TEXT)
            training_data.training_examples.append(Message({**example.data, ENTITIES: []}))
            example.set(TEXT_OF_ANY_MENU, _marked(text, [(name["start"], name["end"]) for name in names]))
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Parse messages; those without text are left as they are."""
        if self._live is not None:
            self._reader = self._live.current
        for message in messages:
            text = message.get(TEXT)
            if not text:
                continue
            reading = self._reader.read(text)
            message.set(READING, reading)
            named = [(s.start, s.end) for s in reading.segments if s.is_whole_product]
            message.set(TEXT_OF_ANY_MENU, _marked(text, named))
            message.set(ENTITIES, message.get(ENTITIES, []) + entities(reading, text), add_to_output=True)
        return messages


def entities(reading: Reading, text: str) -> list[dict[str, Any]]:
    """What was read, as Rasa's entities; an `order_line` is what `actions.understood` reads."""
    if reading.is_cut:
        return []  # a part of an order is not what was ordered
    found = [_entity("order_line", _line(line), line.start, line.end) for line in reading.lines]
    for line in reading.lines:
        if line.category is not None and (line.modifiers or line.without or line.removals):
            # "Extra cheese on the burger": which of the burgers, the cart knows.
            found.append(_entity("order_line", {**_wish(line), "products": []}, line.start, line.end))
    if reading.change is not None or reading.more is not None:
        found.append(_entity("order_line", _change(reading), 0, len(text)))
    for segment in reading.free:
        assert segment.number is not None
        found.append(_entity("quantity", str(segment.number.value), segment.start, segment.end))
    for name, spans in (("product", reading.unknown), ("unknown_product", reading.counted_unknown)):
        found += [_entity(name, " ".join(text[start:end].split()), start, end) for start, end in spans]
    if reading.left_over and (said := [segment.number for segment in reading.segments if segment.number]):
        found.append(_entity("numbers", [str(number.value) for number in said], 0, len(text)))
    if reading.ordinal is not None:
        found.append(_entity("ordinal", reading.ordinal, 0, len(text)))
    if reading.for_all:
        found.append(_entity("for_all", True, 0, len(text)))
    if reading.corrects and reading.lines:
        found.append(_entity("correction", True, 0, len(text)))
    if reading.checks_out and reading.lines:
        found.append(_entity("and_checkout", True, 0, len(text)))
    return found


def _line(line: Line) -> dict[str, Any]:
    if line.category is not None:
        # Which of the kind is in the cart, the shop knows.
        wish = {name: value for name, value in _wish(line).items() if name in SAID_OF_KIND}
        return {**wish, "category": line.category, "kind": list(line.kind)}
    return _wish(line)


def _change(reading: Reading) -> dict[str, Any]:
    """What is said about something that was ordered before, without its name."""
    value = _wish(reading.change) if reading.change is not None else {"products": [], "name": ""}
    more = reading.more
    if more is not None:
        value |= {"quantity": _text(more.count), "again": not more.fewer, "removed": more.fewer}
    return value


def _wish(line: Line) -> dict[str, Any]:
    return {
        "products": list(line.products),
        "name": line.name,
        "quantity": _text(line.quantity),
        "removed": line.removed,
        "unsure": line.edits >= MANY_EDITS,
        "options": [modifier.choice.key for modifier in line.modifiers],
        "without": [modifier.choice.key for modifier in line.without],
        "removals": list(line.removals),
        "refused": list(line.refused),
    }


def _text(quantity: object) -> str | None:
    return None if quantity is None else str(quantity)


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{PRODUCT_MARK}{text[end:]}"
    return text


def _entity(name: str, value: Any, start: int, end: int) -> dict[str, Any]:
    return {"entity": name, "value": value, "start": start, "end": end, "extractor": EXTRACTOR}
