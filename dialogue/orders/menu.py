"""A menu as the order reader sees it: names that can be said, of products, categories and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """An option of a product.

    `key` identifies it to the shop; `slot` is its group ("size") and `value` its name.
    """

    key: str
    slot: str
    value: str


@dataclass(frozen=True)
class Name:
    """A name and what it names: a product (its id), a category, or a choice."""

    text: str
    product: str | None = None
    category: str | None = None
    choice: Choice | None = None
    removable: str | None = None


@dataclass(frozen=True)
class Menu:
    """All names of one version of a menu.

    Attributes:
        shown: how a product is called when it is talked about, by its id.
        category_of: a product's category, by its id.
        offered: which choices (by key) a product has; a product that is missing here has all of them.
        removable: what can be left out of a product (in lower case), by its id; one that is missing has all.
        qualifiers: phrases such as "lots of", by the name of the amount that they mean.
    """

    version: str
    names: tuple[Name, ...]
    shown: Mapping[str, str] = field(default_factory=dict)
    category_of: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    removable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    qualifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)

    def has(self, product: str, choice: Choice) -> bool:
        """Whether a product comes with this choice."""
        return product not in self.offered or choice.key in self.offered[product]

    def removes(self, product: str, removable: str) -> bool:
        """Whether this can be left out of a product."""
        return product not in self.removable or removable.lower() in self.removable[product]


EMPTY = Menu("", ())


def from_catalogue(values: Mapping[str, Any]) -> Menu:
    """The menu that the shop published in Redis."""
    products = values["products"]
    groups = values.get("option_groups", {})
    names = [Name(text, product=p["id"]) for p in products for text in (p["name"], *p["aliases"])]
    names += [Name(category, category=category) for category in values["categories"]]
    for group, options in groups.items():
        for option in options:
            choice = Choice(option["id"], group, option["name"])
            names += [Name(text, choice=choice) for text in (option["name"], *option["aliases"])]
    words = {word for product in products for word in product.get("removable", ())}
    names += [Name(word, removable=word) for word in sorted(words)]
    by_group = {group: frozenset(option["id"] for option in options) for group, options in groups.items()}
    return Menu(
        values["version"],
        tuple(names),
        {p["id"]: p["name"] for p in products},
        {p["id"]: p.get("category", "") for p in products},
        {p["id"]: _joined(by_group, p.get("option_groups", ())) for p in products},
        {p["id"]: frozenset(word.lower() for word in p.get("removable", ())) for p in products},
    )


def from_menu_file(values: Mapping[str, Any]) -> Menu:
    """A menu of the evaluation's format, in which every product has every option."""
    names = [Name(text, product=p["id"]) for p in values["products"] for text in (p["id"], *p["aliases"])]
    categories = sorted({p.get("category", "") for p in values["products"]} - {""})
    names += [Name(category.replace("_", " "), category=category) for category in categories]
    for slot, options in values.get("options", {}).items():
        for value, aliases in options.items():
            choice = Choice(f"{slot}/{value}", slot, value)
            names += [Name(text, choice=choice) for text in (value, *aliases)]
    language = values.get("language", {})
    return Menu(
        str(values.get("domain", "")),
        tuple(names),
        {p["id"]: p["id"] for p in values["products"]},
        {p["id"]: p.get("category", "") for p in values["products"]},
        qualifiers={name: tuple(phrases) for name, phrases in language.get("quant_qualifier", {}).items()},
        numbers=_numbers(language.get("number", {})),
    )


def _numbers(section: Mapping[str, Any]) -> dict[str, int]:
    """Number words of a menu file, `{"2": ["two", "a couple"]}`."""
    return {
        str(phrase): int(value)
        for value, phrases in section.items()
        if str(value).isdigit()
        for phrase in ([phrases] if isinstance(phrases, str) else phrases)
    }


def _joined(by_group: Mapping[str, frozenset[str]], groups: list[str]) -> frozenset[str]:
    return frozenset().union(*(by_group.get(group, frozenset()) for group in groups))
