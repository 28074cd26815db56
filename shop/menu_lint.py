"""A lint of the menu: names that the bot may take for something else than the shop means.

    findings = lint(MenuNames(products, options))

Pure: it is given names and returns what it found, the worst first. Its time grows with the number of names,
not of pairs of names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shop.menu_names import (
    MenuNames,
    OptionNames,
    Owner,
    ProductNames,
    Said,
    all_said,
    groups_together,
    key_of,
    quoted,
)
from shop.menu_short_forms import short_forms
from shop.menu_words import word_lists

__all__ = ["Finding", "Kind", "MenuNames", "OptionNames", "ProductNames", "lint"]

MOST_LISTED = 4
"""How many names a sentence lists."""
FEWEST_LETTERS = 3
"""Of an alias."""


class Kind(StrEnum):
    """What was found, the worst first; the last is no fault."""

    SAME_NAME = "same name"
    ALMOST_SAME_NAME = "almost the same name"
    NUMBER = "alias is a number"
    EVERYDAY_WORD = "alias is an everyday word"
    TOO_SHORT = "alias is too short"
    PART_OF_NAME = "alias is a part of another name"
    CATEGORY = "alias is a category"
    READ_OTHERWISE = "name may be read otherwise"
    SHORT_FORMS = "short forms"

    @property
    def is_warning(self) -> bool:
        """Whether it is more than information."""
        return self is not Kind.SHORT_FORMS


@dataclass(frozen=True)
class Finding:
    """Something about a menu's names that the shop should know.

    Attributes:
        about: the name of the product or option.
        words: the names or aliases concerned; of `SHORT_FORMS` the short forms.
        sentence: what was found, for staff.
        suggestion: what to do about it.
    """

    kind: Kind
    about: str
    words: tuple[str, ...]
    sentence: str
    suggestion: str


def lint(menu: MenuNames) -> tuple[Finding, ...]:
    """All findings about a menu, the worst first; the order of its products makes no difference."""
    said, together = all_said(menu), groups_together(menu)
    found: list[Finding] = []
    sensible: list[Said] = []
    for one in said:
        finding = _not_an_alias(one) if one.is_alias else None
        if finding is None:
            sensible.append(one)
            finding = None if one.is_option else _read_otherwise(one)
        if finding is not None:
            found.append(finding)
    found += _same_names(said, together)
    found += _parts_of_names([one for one in sensible if one.is_alias], said, together)
    found += _categories(menu, sensible)
    found += _short_forms(menu, said)
    ranks = {kind: rank for rank, kind in enumerate(Kind)}
    return tuple(sorted(found, key=lambda one: (ranks[one.kind], one.about, one.words, one.sentence)))


def _not_an_alias(said: Said) -> Finding | None:
    """An alias that customers say when they mean something else."""
    lists, letters = word_lists(), "".join(said.words)
    if len(letters) >= FEWEST_LETTERS and lists.is_harmless(said.words):
        return None
    alias = f"{quoted(said.text)}, an alias of {said.owner},"
    remove = f"Remove the alias {quoted(said.text)}"
    everyday = lists.everyday if said.is_option else lists.everyday | lists.sizes
    if all(map(lists.is_number, said.words)):
        sentence = f"{alias} is a number: the bot reads it as a quantity or as a place on a list."
        return _finding(Kind.NUMBER, said, sentence, f"{remove}, or add a word to it.")
    if all(word in everyday for word in said.words):
        sentence = f"{alias} is an everyday word: it is read as {_meaning(said.words)}."
        return _finding(Kind.EVERYDAY_WORD, said, sentence, f"{remove}, or add a word that only this has.")
    # Scripts without capitals may write a word with one sign.
    short = len(letters) < FEWEST_LETTERS and letters.upper() != letters
    if short and not (said.is_option and letters in lists.size_letters):
        sentence = f"{alias} is so short that other words are easily taken for it."
        suggestion = f"{remove}, or write it with {FEWEST_LETTERS} letters or more."
        return _finding(Kind.TOO_SHORT, said, sentence, suggestion)
    return None


def _read_otherwise(said: Said) -> Finding | None:
    """A name of a product that holds words to which the bot does something else."""
    lists, words = word_lists(), said.words
    if lists.is_harmless(words):
        return None
    add = "in the chat; if it goes wrong, add an alias without"
    if all(map(lists.is_number, words)):
        sentence = f"{said} is a number: alone it is read as a quantity or as a place on a list."
        suggestion = "Add a word that tells what it is, in the name or as an alias."
    elif all(word in lists.everyday or word in lists.sizes for word in words):
        sentence = f"{said} is an everyday word: alone it is read as {_meaning(words)}."
        suggestion = "Add a word that tells what it is, in the name or as an alias."
    elif lists.is_number(words[0]):
        sentence = (
            f"{said} begins with a number: it may be read as {words[0]} of {quoted(' '.join(words[1:]))}."
        )
        suggestion = f"Try {quoted(f'two {said.text}')} {add} the number."
    else:
        word = next((word for word in words if word in lists.commands), None)
        if word is None:
            return None
        sentence = f"{said} has {quoted(word)} in it, which may be read as {lists.commands[word]}."
        suggestion = f"Try {quoted(said.text)} {add} {quoted(word)}."
    return _finding(Kind.READ_OTHERWISE, said, sentence, suggestion)


def _meaning(words: Sequence[str]) -> str:
    """What everyday words are read as."""
    lists = word_lists()
    command = next((lists.commands[word] for word in words if word in lists.commands), None)
    if command:
        return command
    return "a size" if all(word in lists.sizes for word in words) else "a part of the sentence"


def _same_names(said: Sequence[Said], together: Mapping[str, set[str]]) -> Iterator[Finding]:
    """Names that several products have, or several options of one product."""
    of_products: dict[str, list[Said]] = defaultdict(list)
    of_options: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        (of_options if one.is_option else of_products)[one.key].append(one)
    for group in of_products.values():
        if len({one.owner for one in group}) > 1:
            yield _same(group)
    for group in of_options.values():
        times = Counter(owner.group for owner in {one.owner for one in group})
        meeting = [one for one in group if _meets_another(one, times, together)]
        if meeting:
            yield _same(meeting)


def _meets_another(said: Said, times: Mapping[str | None, int], together: Mapping[str, set[str]]) -> bool:
    own = said.owner.group
    assert own is not None
    return times[own] > 1 or any(other in times for other in together[own] if other != own)


def _same(group: Sequence[Said]) -> Finding:
    """A finding about names with the same key, of several owners."""
    each = _one_of_each(group)
    spelt = Counter(text for _, text in {(one.owner, one.text.casefold()) for one in group})
    aliases = [one for one in each if one.is_alias]
    about = aliases[-1] if aliases else each[-1]
    words = tuple(dict.fromkeys(one.text for one in group))
    if max(spelt.values()) > 1:
        text = next(one.text for one in group if spelt[one.text.casefold()] > 1)
        kind, sentence = Kind.SAME_NAME, f"{quoted(text)} names {_listed([one.owner for one in each])}."
    else:
        kind = Kind.ALMOST_SAME_NAME
        sentence = f"{_listed(each)} differ only by plural, accents, spaces or signs."
    if not aliases:
        suggestion = "Rename one of them, so that customers can say which one they want."
    elif len(aliases) < len(each):
        suggestion = f"Remove the alias from {_listed([one.owner for one in aliases])}."
    else:
        suggestion = "Leave the alias to the one that customers mean by it, and remove it from the others."
    return Finding(kind, about.owner.name, words, sentence, suggestion)


def _one_of_each(group: Sequence[Said]) -> list[Said]:
    """For each owner one of its names, or else of its aliases; names come first."""
    first: dict[Owner, Said] = {}
    for is_alias in (False, True):
        for one in group:
            if one.is_alias is is_alias:
                first.setdefault(one.owner, one)
    return list(first.values())


def _parts_of_names(
    aliases: Sequence[Said], said: Sequence[Said], together: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """Aliases that are some of the words of another name, or of a product and the name of an option."""
    holders: dict[tuple[str, ...], list[Said]] = defaultdict(list)
    lengths: dict[str, set[int]] = defaultdict(set)
    for alias in aliases:
        holders[alias.stems].append(alias)
        lengths[alias.stems[0]].add(len(alias.stems))
    containing: dict[tuple[str, ...], list[Said]] = defaultdict(list)
    for one in said:
        stems = one.stems
        for start, word in enumerate(stems):
            for length in lengths.get(word, ()):
                run = stems[start : start + length]
                # Once for each name, however often the words are in it.
                if run in holders and not (containing[run] and containing[run][-1] is one):
                    containing[run].append(one)
    for run, own in holders.items():
        own = [alias for alias in own if not alias.is_option] or own
        others = _others(own, containing[run], together)
        if others:
            yield _part_of(own[0], others)


def _others(own: Sequence[Said], containing: Sequence[Said], together: Mapping[str, set[str]]) -> list[Said]:
    """Names of others that hold an alias; who has it as a name is told by `_same_names`."""
    key, is_option = own[0].key, own[0].is_option
    owners = {one.owner for one in containing if one.key == key and one.is_option == is_option}
    owners.update(alias.owner for alias in own)
    others = [one for one in containing if one.owner not in owners]
    if not is_option:
        return others
    near = set().union(*(together[alias.owner.group or ""] for alias in own))
    return [one for one in others if not one.is_option or one.owner.group in near]


def _part_of(alias: Said, others: Sequence[Said]) -> Finding:
    text, owner = quoted(alias.text), str(alias.owner)
    what = "the same as" if all(one.key == alias.key for one in others) else "a part of"
    return _finding(
        Kind.PART_OF_NAME,
        alias,
        f"{text}, an alias of {owner}, is {what} {_listed(_one_of_each(others))}.",
        f"Keep it if {text} alone always means {owner}; otherwise remove the alias, or make it longer.",
    )


def _categories(menu: MenuNames, said: Sequence[Said]) -> Iterator[Finding]:
    """Aliases of a product that name a category in which there are others, too."""
    times = Counter(product.category for product in menu.products)
    categories = {key_of(name): name for name in sorted(times) if times[name] > 1}
    for one in said:
        if one.is_alias and not one.is_option and one.key in categories:
            category = quoted(categories[one.key])
            sentence = f"{quoted(one.text)}, an alias of {one.owner}, is also the category {category}."
            suggestion = f"Remove the alias, unless {quoted(one.text)} never means the others in {category}."
            yield _finding(Kind.CATEGORY, one, sentence, suggestion)


def _short_forms(menu: MenuNames, said: Sequence[Said]) -> Iterator[Finding]:
    for owner, forms in short_forms(menu, said).items():
        sentence = f"{owner} will also be understood as {_listed([quoted(form) for form in forms])}."
        suggestion = "Nothing to do; if one of these means another product, give it to that one as an alias."
        yield Finding(Kind.SHORT_FORMS, owner.name, forms, sentence, suggestion)


def _finding(kind: Kind, said: Said, sentence: str, suggestion: str) -> Finding:
    return Finding(kind, said.owner.name, (said.text,), sentence, suggestion)


def _listed(items: Sequence[object]) -> str:
    """`a, b and c`, and how many more there are."""
    kept = list(map(str, items[:MOST_LISTED]))
    if len(items) > MOST_LISTED:
        kept.append(f"{len(items) - MOST_LISTED} more")
    return " and ".join(part for part in (", ".join(kept[:-1]), kept[-1]) if part)
