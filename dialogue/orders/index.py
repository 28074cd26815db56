"""Where a run of words is looked up: what it may name on a menu."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from dialogue.orders.forms import Forms, NameForms, Run, core
from dialogue.orders.menu import Choice, Menu, Name
from dialogue.orders.spellings import Spellings, abbreviations
from dialogue.orders.words import key_of

# What a reading of a name costs; a word that is read as nothing costs 1.
EXACT, SYNONYM, CORE, CORE_PRODUCT, SHORT, SHARED, MISSPELT = 0.2, 0.22, 0.25, 0.4, 0.45, 0.6, 0.3
MOST_SHARED = 400


@dataclass(frozen=True)
class Meaning:
    """What a run of words may name: products (several where the words fit several), a category or a
    choice."""

    cost: float
    products: tuple[str, ...] = ()
    category: str | None = None
    choice: Choice | None = None
    removable: str | None = None

    @property
    def is_option(self) -> bool:
        """Whether it names a choice or something to leave out."""
        return self.choice is not None or self.removable is not None


@dataclass
class _Found:
    """What keys mean, while an index is built."""

    whole: dict[str, set[Meaning]] = field(default_factory=lambda: defaultdict(set))
    product_cores: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    product_parts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    choice_cores: dict[str, set[Choice]] = field(default_factory=lambda: defaultdict(set))
    own_cores: dict[str, set[Choice]] = field(default_factory=lambda: defaultdict(set))
    choice_parts: dict[str, set[Choice]] = field(default_factory=lambda: defaultdict(set))


class NameIndex:
    """Finds the meanings of a key (see `words.key_of`), spelt right or nearly."""

    def __init__(self, menu: Menu, forms: NameForms) -> None:
        known = forms.of({name.text for name in menu.names})
        self._forms = forms
        self._meanings = self._build(
            [(name, known[name.text]) for name in menu.names if known[name.text].words]
        )
        words = {word for one in known.values() for run in (*one.variants, *one.denied) for word in run}
        self._own = frozenset(word for one in known.values() for word in one.words)
        self._spellings = Spellings(words)
        self._whole = Spellings(key for key, meanings in self._meanings.items() if meanings[0].cost <= EXACT)
        self._abbreviations = abbreviations(words)

    def find(self, key: str) -> list[Meaning]:
        """What a key means; nothing if it is not a name, nor a part of one."""
        return self._meanings.get(key, [])

    def knows(self, word: str) -> bool:
        """Whether a word occurs in the menu's names."""
        return word in self._spellings

    def abbreviated(self, word: str) -> str | None:
        """The only word that begins so or has these consonants."""
        return self._abbreviations.get(word)

    def nearest_word(self, word: str, most_edits: int) -> list[tuple[str, int]]:
        """Words of names that are spelt nearly so, with the number of edits, the nearest first; of two that
        are as near, the one that stands on the menu and not a synonym of it."""
        near = self._spellings.nearest(word, most_edits)
        return sorted(near, key=lambda one: (one[1], one[0] not in self._own))

    def nearest_name(self, key: str, most_edits: int) -> list[tuple[str, int]]:
        """Keys of whole names that are spelt nearly so, with the number of edits, the nearest first."""
        return self._whole.nearest(key, most_edits)

    def _build(self, names: list[tuple[Name, Forms]]) -> dict[str, list[Meaning]]:
        of_products = _shared_edges(forms.words for name, forms in names if name.product)
        of_products |= {word for name, forms in names if name.category for word in forms.words}
        of_choices = _shared_ends((name.choice, forms.words) for name, forms in names if name.choice)
        found = _Found()
        for name, forms in names:
            for run in forms.denied:
                found.whole[key_of(list(run))].add(_meaning(name, SYNONYM))
            for number, run in enumerate(forms.variants):
                if number and name.product and len(run) == 1 and run[0] in of_products:
                    continue  # "burger" is no other way to say "hamburger" where there are several burgers
                found.whole[key_of(list(run))].add(_meaning(name, SYNONYM if number else EXACT))
            if name.product:
                self._add_product(found, name.product, forms, of_products)
            elif name.choice:
                self._add_choice(found, name.choice, forms, of_choices)
        return _merge(found)

    def _add_product(self, found: _Found, product: str, forms: Forms, shared: Collection[str]) -> None:
        for run in forms.variants:
            found.product_cores[core(run, shared)].add(product)
        for part in forms.parts:
            if not self._forms.is_vague(part):
                found.product_parts[key_of(list(part))].add(product)

    def _add_choice(self, found: _Found, choice: Choice, forms: Forms, shared: Collection[str]) -> None:
        kinds = {*shared, *self._forms.generic}
        found.own_cores[core(forms.words, kinds)].add(choice)
        for run in forms.variants:
            found.choice_cores[core(run, kinds)].add(choice)
        for part in forms.parts:
            if not all(word in shared for word in part):
                found.choice_parts[key_of(list(part))].add(choice)


def _meaning(name: Name, cost: float) -> Meaning:
    products = (name.product,) if name.product else ()
    return Meaning(cost, products, name.category, name.choice, name.removable)


def _shared_edges(names: Iterable[Run]) -> set[str]:
    """Words that begin or end several names of more than one word."""
    counts = Counter(word for words in set(names) if len(words) > 1 for word in {words[0], words[-1]})
    return {word for word, times in counts.items() if times > 1}


def _shared_ends(names: Iterable[tuple[Choice, Run]]) -> set[str]:
    """Words that end the names of several choices."""
    choices: dict[str, set[Choice]] = defaultdict(set)
    for choice, words in names:
        if len(words) > 1:
            choices[words[-1]].add(choice)
    return {word for word, those in choices.items() if len(those) > 1}


def _merge(found: _Found) -> dict[str, list[Meaning]]:
    """The meanings by key. A whole name beats a part of another one of its kind; a part that fits several
    products is kept as the question which one, and one that fits several choices is dropped."""
    merged = {key: _distinct(meanings) for key, meanings in found.whole.items()}
    for key, products in found.product_parts.items():
        own = merged.setdefault(key, [])
        if not any(meaning.products for meaning in own):
            cores = found.product_cores.get(key, set())
            cost = CORE_PRODUCT if len(cores) == 1 else SHORT if len(products) == 1 else SHARED
            own.append(Meaning(cost, tuple(sorted(cores if len(cores) == 1 else products))[:MOST_SHARED]))
    # "0%" is rather the "0% sugar" that is called so than the "no ice" that is "0% ice" in other words.
    for cost, choices_by_key in (
        (CORE, found.own_cores),
        (CORE, found.choice_cores),
        (SHORT, found.choice_parts),
    ):
        for key, choices in choices_by_key.items():
            own = merged.setdefault(key, [])
            if key and len(choices) == 1 and not any(meaning.choice for meaning in own):
                own.append(Meaning(cost, choice=next(iter(choices))))
    return {key: meanings for key, meanings in merged.items() if meanings}


def _rank(meaning: Meaning) -> tuple[float, str, str, str]:
    """The cheapest first; of two, the same in every process, however it hashes its strings."""
    choice = meaning.choice.key if meaning.choice else ""
    return meaning.cost, choice, meaning.removable or "", meaning.category or ""


def _distinct(meanings: set[Meaning]) -> list[Meaning]:
    """The cheapest meaning of each thing; products of one name become one meaning with all of them."""
    if len(meanings) == 1:
        return list(meanings)
    cheapest = min(meaning.cost for meaning in meanings)
    least = min((meaning.cost for meaning in meanings if meaning.products), default=0.0)
    products = sorted({p for m in meanings for p in m.products if m.cost == least})
    result = [Meaning(least, tuple(products))] if products else []
    things: dict[object, Meaning] = {}
    for meaning in sorted(meanings, key=_rank):
        thing = meaning.choice or meaning.removable or meaning.category
        if thing is not None and meaning.cost <= cheapest + 0.1:
            things.setdefault(thing, meaning)
    return result + list(things.values())
