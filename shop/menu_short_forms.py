"""Short forms of a product's names that no other product has: words by which it will also be understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations

from shop.menu_names import MenuNames, Owner, Said, key_of
from shop.menu_words import WordLists, word_lists

MOST_WORDS = 8
"""Longer names have no short forms."""

Places = tuple[int, ...]


def short_forms(menu: MenuNames, said: Sequence[Said]) -> Mapping[Owner, tuple[str, ...]]:
    """The short forms of each product that has any, the shortest first.

    A form that holds another one is left out.

    Args:
        said: the menu's names and aliases.
    """
    taken = {one.key for one in said} | _other_keys(menu)
    keys = [(one, _keys(one)) for one in said if 2 <= len(one.words) <= MOST_WORDS]
    # None: several have it.
    owners: dict[str, Owner | None] = {}
    for one, own in keys:
        owner = one.owner
        for key in own:
            if owners.setdefault(key, owner) is not owner:
                owners[key] = None
    found: dict[Owner, list[str]] = {}
    for one, own in keys:
        if one.owner.group is None:
            unique = [key not in taken and owners[key] is one.owner for key in own]
            if any(unique):
                found.setdefault(one.owner, []).extend(_forms(one, unique))
    return {owner: _shortest(forms) for owner, forms in found.items() if forms}


def _other_keys(menu: MenuNames) -> set[str]:
    """Keys of categories and of what can be left out of products."""
    texts = {text for product in menu.products for text in product.removable}
    return set(map(key_of, texts | {product.category for product in menu.products}))


def _keys(said: Said) -> list[str]:
    """What the parts of a name are compared by, in the order of `_places`."""
    synonyms = word_lists().synonyms
    stems = [synonyms.get(stem, stem) for stem in said.stems]
    return ["".join([stems[at] for at in places]) for places in _places(len(stems))]


@cache
def _places(count: int) -> tuple[Places, ...]:
    """Which words make a part of a name that has so many, the shortest first.

    Neighbours, or all but one in the middle: so the order reader shortens names.
    """
    runs = {tuple(range(start, stop)) for start, stop in combinations(range(count + 1), 2)}
    gaps = {tuple(at for at in range(count) if at != left_out) for left_out in range(1, count - 1)}
    return tuple(sorted((runs | gaps) - {tuple(range(count))}, key=lambda places: (len(places), places)))


def _forms(said: Said, unique: Sequence[bool]) -> list[str]:
    """Those unique parts of a name that say enough, the shortest ones."""
    words, lists = said.words, word_lists()
    weak = [lists.is_weak(word) for word in words]
    torn = not lists.denying.isdisjoint(words)
    kept: list[Places] = []
    for is_unique, places in zip(unique, _places(len(words)), strict=True):
        if not is_unique or all(weak[at] for at in places) or any(set(one) <= set(places) for one in kept):
            continue
        if lists.function.isdisjoint((words[places[0]], words[places[-1]])) and not (
            torn and _is_torn(words, places, lists)
        ):
            kept.append(places)
    return [" ".join([words[at] for at in places]) for places in kept]


def _is_torn(words: Sequence[str], places: Places, lists: WordLists) -> bool:
    """Whether a word is left without the "free" that turns it round."""
    return any(
        word in lists.denying and (at in places) != (at - 1 in places) for at, word in enumerate(words)
    )


def _shortest(forms: Sequence[str]) -> tuple[str, ...]:
    if len(forms) == 1:
        return tuple(forms)
    kept: list[str] = []
    for form in sorted(set(forms), key=lambda form: (form.count(" "), form)):
        if not any(f" {shorter} " in f" {form} " for shorter in kept):
            kept.append(form)
    return tuple(kept)
