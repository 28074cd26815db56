"""The names of a menu, of products and of options, and who bears them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from shop.menu_words import split, stem

MOST_SHOWN = 60
"""Characters of a name."""


@dataclass(frozen=True)
class ProductNames:
    """What a product is called, and what can be said about it.

    `groups` are the names of its groups of options; `removable` is what can be left out of it.
    """

    name: str
    sku: str = ""
    category: str = ""
    aliases: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    removable: tuple[str, ...] = ()


@dataclass(frozen=True)
class OptionNames:
    """What an option of a group is called."""

    name: str
    group: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class MenuNames:
    """All names of a menu, in any order."""

    products: tuple[ProductNames, ...]
    options: tuple[OptionNames, ...] = ()


# Not frozen, because a large menu has a hundred thousand of these and frozen ones take long to make.
@dataclass(eq=False, slots=True)
class Owner:
    """A product or, with a group, an option. `sku` is given where several products have its name."""

    name: str
    group: str | None = None
    sku: str = ""

    def __str__(self) -> str:
        if self.group is not None:
            return f"the option {quoted(self.name)}"
        return f"{quoted(self.name)} (sku {quoted(self.sku)})" if self.sku else quoted(self.name)


@dataclass(eq=False, slots=True)
class Said:
    """A name or alias that has words: as they are, and as they are compared.

    `key` is the same for all that differ only by case, accents, spaces, signs or plural.
    """

    text: str
    owner: Owner
    is_alias: bool
    words: tuple[str, ...]
    stems: tuple[str, ...]
    key: str

    @property
    def is_option(self) -> bool:
        """Whether it is said of an option."""
        return self.owner.group is not None

    def __str__(self) -> str:
        return f"{quoted(self.text)} (an alias of {self.owner})" if self.is_alias else str(self.owner)


def all_said(menu: MenuNames) -> list[Said]:
    """Every name and alias, of products and then of options, both sorted; a name comes before its aliases."""
    times = Counter(product.name for product in menu.products)
    found: list[Said] = []
    for product in sorted(menu.products, key=_fields):
        owner = Owner(product.name, sku=product.sku if times[product.name] > 1 else "")
        _add(found, owner, product.name, product.aliases)
    for option in sorted(menu.options, key=lambda one: (one.name, one.group, one.aliases)):
        _add(found, Owner(option.name, option.group), option.name, option.aliases)
    return found


def quoted(text: str) -> str:
    """A name as a message may show it: on one line, harmless on a terminal, not too long."""
    written = repr(text)
    return written if len(written) <= MOST_SHOWN else f"{written[:MOST_SHOWN]}..."


def key_of(text: str) -> str:
    """What two texts have in common that differ only by case, accents, spaces, signs or plural."""
    return "".join(map(stem, split(text)))


def groups_together(menu: MenuNames) -> Mapping[str, set[str]]:
    """With which groups of options, itself among them, a group can meet on one product."""
    found: dict[str, set[str]] = {option.group: {option.group} for option in menu.options}
    for groups in {product.groups for product in menu.products}:
        for group in groups:
            found.setdefault(group, {group}).update(groups)
    return found


def _fields(product: ProductNames) -> tuple[object, ...]:
    return product.name, product.sku, product.category, product.aliases, product.groups, product.removable


def _add(found: list[Said], owner: Owner, name: str, aliases: tuple[str, ...]) -> None:
    for text in (name, *sorted(set(aliases) - {name})):
        words = split(text)
        if words:
            stems = tuple(map(stem, words))
            found.append(Said(text, owner, text != name, words, stems, "".join(stems)))
