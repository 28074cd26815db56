"""The order parser: finds products, categories and quantities of the live catalogue in a message."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from dialogue.nlu.catalogue import EMPTY, Catalogue, CatalogueName, LiveCatalogue
from dialogue.nlu.numbers import NumberSpan, find_numbers
from dialogue.nlu.order_options import FoundOption, OptionFinder, Zone, zones
from settings import SettingError, read_settings

logger = logging.getLogger(__name__)

EXTRACTOR = "OrderParser"
SURE = 0.99
# Words that say nothing about what is wanted, so that a message of a product and these is an order.
FILLERS = frozenset(
    "a an the and please pls plz abeg i want need get me give can could have id would like order add"
    " ill take let us some of for to with also plus x pcs pieces piece plate plates portion portions"
    " bottle bottles cup cups pack packs just only more another will be now then ok okay"
    " yes number option item".split()
)
BETWEEN = frozenset(
    "of x more extra large small medium big cold hot pieces piece plates plate portions portion"
    " bottles bottle cups cup packs pack wraps wrap".split()
)
YES_SIGNS, NO_SIGNS = "👍👌✅✔💯", "👎❌🚫"
# Intents that say something about a product; others give way where products are all there is.
ABOUT_PRODUCTS = frozenset(
    "search_product select_product modify_item remove_item reorder cancel_order track_order".split()
)


@dataclass(frozen=True)
class Mention:
    """A catalogue name in the text; `ids` has several products where a name is shared."""

    start: int
    end: int
    kind: str
    ids: tuple[str, ...]
    shown: str


@dataclass(frozen=True)
class Said:
    """What was found in a message; `covered` are the spans of all that is not a catalogue name."""

    text: str
    mentions: list[Mention]
    numbers: list[NumberSpan]
    unknown: bool
    options: bool
    covered: list[tuple[int, int]]

    @property
    def rest(self) -> str:
        """The text without what was found."""
        spans = [(mention.start, mention.end) for mention in self.mentions] + self.covered
        return "".join(
            " " if any(start <= place < end for start, end in spans) else character
            for place, character in enumerate(self.text)
        )


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=False)
class OrderParser(GraphComponent):
    """Adds `order_line`, `category` and `quantity` entities, and the intent where they are all there is."""

    def __init__(self, live: LiveCatalogue | None) -> None:
        self._live = live
        self._nlp = spacy.blank("en")
        self._catalogue = EMPTY
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        self._names: dict[str, list[CatalogueName]] = {}
        self._finders: dict[tuple[str, ...], OptionFinder] = {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OrderParser:
        """Rasa's way to make a component; without settings or Redis the catalogue is empty."""
        try:
            live = LiveCatalogue(read_settings().redis)
        except SettingError as missing:
            logger.info("no catalogue: %s", missing)
            return cls(None)
        live.start()
        return cls(live)

    def process(self, messages: list[Message]) -> list[Message]:
        """Parse messages; those without text are left as they are."""
        if self._live is not None and self._live.current is not self._catalogue:
            self.use(self._live.current)
        for message in messages:
            if message.get(TEXT):
                self._annotate(message)
        return messages

    def use(self, catalogue: Catalogue) -> None:
        """Parse with this catalogue from now on."""
        self._finders = {}
        matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        names: dict[str, list[CatalogueName]] = {}
        for name in catalogue.names:
            for form in _forms(name.text):
                names.setdefault(form, []).append(name)
        matcher.add("name", [self._nlp.make_doc(form) for form in names])
        self._catalogue, self._matcher, self._names = catalogue, matcher, names

    def _annotate(self, message: Message) -> None:
        text = message.get(TEXT)
        doc = self._nlp.make_doc(text)
        mentions = self._mentions(doc)
        numbers = [number for number in find_numbers(text) if not _inside(number, mentions)]
        entities, free, choices = self._order_lines(text, mentions, numbers)
        entities += [_entity("quantity", str(number.value), number.start, number.end) for number in free]
        kept = [
            entity
            for entity in message.get(ENTITIES, [])
            if not any(m.start < entity["end"] and entity["start"] < m.end for m in mentions)
        ]
        message.set(ENTITIES, kept + entities, add_to_output=True)
        unknown = [(entity["start"], entity["end"]) for entity in kept if entity["entity"] == "product"]
        covered = [(n.start, n.end) for n in numbers] + unknown + [(c.start, c.end) for c in choices]
        said = Said(text, mentions, numbers, bool(unknown), bool(choices), covered)
        intent = _plain_intent(said, message.get(INTENT) or {})
        if intent:
            message.set(INTENT, {"name": intent, "confidence": SURE}, add_to_output=True)

    def _order_lines(
        self, text: str, mentions: list[Mention], numbers: list[NumberSpan]
    ) -> tuple[list[dict[str, Any]], list[NumberSpan], list[FoundOption]]:
        """Products with their numbers and options, the numbers that belong to none, the options."""
        own, free = _own_numbers(text, mentions, numbers)
        if all(mention.kind == "category" for mention in mentions):
            # "extra cheese on the burger": which of the burgers, the cart knows.
            choices = self._finder(()).find(text, Zone(0, len(text)))
            named = mentions[0].shown if mentions else ""
            changes = _changes_of_options(choices, free, named)
            lines = [_category_line(*pair) for pair in zip(mentions, own, strict=True)]
            return [*lines, *changes], free, choices
        entities: list[dict[str, Any]] = []
        choices = []
        spans = [(mention.start, mention.end) for mention in mentions]
        for mention, number, zone in zip(mentions, own, zones(text, spans, own), strict=True):
            if mention.kind == "category":
                entities.append(_category_line(mention, number))
                continue
            found = self._finder(mention.ids[:1]).find(text, zone)
            entities += _product_lines(mention, number, found, free)
            choices += found
        return entities, free, choices

    def _finder(self, products: tuple[str, ...]) -> OptionFinder:
        """Finds the options of these products; of none: all options there are."""
        if products not in self._finders:
            choices = self._catalogue.choices
            offered = [choices[id] for id in products if id in choices] if products else choices.values()
            self._finders[products] = OptionFinder(dict.fromkeys(offered))
        return self._finders[products]

    def _mentions(self, doc: Doc) -> list[Mention]:
        """Catalogue names, the longest first where they overlap; products before categories."""
        spans = spacy.util.filter_spans([doc[start:end] for _, start, end in self._matcher(doc)])
        mentions = []
        for span in spans:
            names = self._names[span.text.lower()]
            products = {name.id: name for name in names if name.kind == "product"}
            chosen = list(products.values()) or names[:1]
            ids = tuple(name.id for name in chosen)
            mentions.append(Mention(span.start_char, span.end_char, chosen[0].kind, ids, chosen[0].shown))
        return mentions


def _forms(name: str) -> set[str]:
    """A name as people write it: singular and plural of its last word."""
    lower = name.lower()
    forms = {lower, lower.replace("-", " ")}
    if lower.endswith("s") and not lower.endswith("ss"):
        forms.add(lower[:-1])
    else:
        forms.update(
            (f"{lower}s", f"{lower}es") if lower.endswith(("s", "x", "ch", "sh", "o")) else (f"{lower}s",)
        )
    return forms


def _inside(number: NumberSpan, mentions: list[Mention]) -> bool:
    return any(m.start <= number.start and number.end <= m.end for m in mentions)


def _own_numbers(
    text: str, mentions: list[Mention], numbers: list[NumberSpan]
) -> tuple[list[NumberSpan | None], list[NumberSpan]]:
    """The number that belongs to each mention, and the numbers that belong to none."""
    free = list(numbers)
    own: list[NumberSpan | None] = []
    for mention in mentions:
        number = _number_of(text, mention, mentions, free)
        if number is not None:
            free.remove(number)
        own.append(number)
    return own, free


def _product_lines(
    mention: Mention, number: NumberSpan | None, found: list[FoundOption], free: list[NumberSpan]
) -> list[dict[str, Any]]:
    """The lines that one mention means: one, or two where some units are to be different
    ("2 burgers, one w/o onions")."""
    some = next((n for n in free if n.start >= mention.end and _speaks_of(n, found)), None)
    total = number.value if number else None
    if some is None or total is None or not 0 < some.value < total:
        return [_line(mention, _text(number), found)]
    free.remove(some)
    different = [one for one in found if one.start >= some.end]
    common = [one for one in found if one.start < some.start]
    return [
        _line(mention, str(total - some.value), common),
        _line(mention, str(some.value), [*common, *different]),
    ]


def _speaks_of(number: NumberSpan, found: list[FoundOption]) -> bool:
    """Whether an option or a removal follows a number at once."""
    return any(0 <= one.start - number.end <= len(" with ") for one in found)


def _line(mention: Mention, quantity: str | None, found: list[FoundOption]) -> dict[str, Any]:
    value = {"products": list(mention.ids), "name": mention.shown, "quantity": quantity, **_chosen(found)}
    return _entity("order_line", value, mention.start, mention.end)


def _category_line(mention: Mention, number: NumberSpan | None) -> dict[str, Any]:
    value = {"category": mention.ids[0], "quantity": _text(number)}
    return _entity("order_line", value, mention.start, mention.end)


def _changes_of_options(found: list[FoundOption], free: list[NumberSpan], named: str) -> list[dict[str, Any]]:
    """What was said about options without naming a product: about a line of the cart."""
    if not found:
        return []
    some = next((number for number in free if _speaks_of(number, found)), None)
    if some is not None:
        free.remove(some)
    value = {"products": [], "name": named, "quantity": _text(some), **_chosen(found)}
    return [_entity("order_line", value, found[0].start, found[-1].end)]


def _chosen(found: list[FoundOption]) -> dict[str, list[str]]:
    return {
        "options": list(dict.fromkeys(one.option for one in found if one.option)),
        "removals": list(dict.fromkeys(one.removal for one in found if one.removal)),
    }


def _text(number: NumberSpan | None) -> str | None:
    return str(number.value) if number else None


def _number_of(
    text: str, mention: Mention, mentions: list[Mention], free: list[NumberSpan]
) -> NumberSpan | None:
    before = [n for n in free if n.end <= mention.start]
    if before and _only(text[before[-1].end : mention.start], BETWEEN):
        return before[-1]
    after = [n for n in free if n.start >= mention.end]
    following = min((m.start for m in mentions if m.start >= mention.end), default=len(text) + 1)
    if after and after[0].end <= following and _only(text[mention.end : after[0].start], BETWEEN):
        between = text[after[0].end : following]
        belongs_to_next = following <= len(text) and _only(between, BETWEEN) and not _parted(between)
        return None if belongs_to_next else after[0]
    return None


def _plain_intent(said: Said, intent: dict[str, Any]) -> str | None:
    """The intent of a message that names products, options or numbers and says nothing else about them."""
    if not any(character.isalnum() for character in said.text):
        return _sign_intent(said.text)
    plain = _only(said.rest, FILLERS)
    if plain and said.unknown and not said.mentions:
        return "select_product"
    only_categories = all(m.kind == "category" for m in said.mentions)
    if plain and said.options and only_categories:
        return "modify_item"
    if plain and said.mentions:
        browsing = only_categories and not said.numbers
        return "browse_menu" if browsing else "select_product"
    if plain and len(said.numbers) == 1:
        return "give_quantity"
    if any(m.kind == "product" for m in said.mentions) and intent.get("name") not in ABOUT_PRODUCTS:
        return "select_product"
    return None


def _sign_intent(text: str) -> str:
    """What a message without a single letter says; a classifier of words can only guess there."""
    if any(sign in text for sign in YES_SIGNS):
        return "affirm"
    return "deny" if any(sign in text for sign in NO_SIGNS) else "out_of_scope"


def _only(text: str, words: frozenset[str]) -> bool:
    return all(word in words for word in re.findall(r"[^\W_]+", text.lower().replace("'", "")))


def _parted(text: str) -> bool:
    """Whether a list goes on to its next item: `burger 1, fries 2`, or one line for each."""
    return any(mark in text for mark in ",;\n")


def _entity(name: str, value: Any, start: int, end: int) -> dict[str, Any]:
    return {"entity": name, "value": value, "start": start, "end": end, "extractor": EXTRACTOR}
