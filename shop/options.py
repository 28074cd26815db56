"""How a product is wanted: its options (size, milk, extras) and what is to be left out of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from db.models import Product, ProductOption
from shop.errors import TooManyOptions, UnknownOption
from shop.work import Work


@dataclass(frozen=True)
class Wish:
    """Options and removals of one line, sorted: the same wish is always equal."""

    option_ids: tuple[uuid.UUID, ...] = ()
    removals: tuple[str, ...] = ()


@dataclass(frozen=True)
class OptionView:
    """An option as customers see it; `price_difference` is added to a unit's price."""

    name: str
    price_difference: Decimal


@dataclass(frozen=True)
class OptionGroupView:
    """A choice about a product. Where it is required, the first option is meant unless one is named."""

    name: str
    required: bool
    options: tuple[OptionView, ...]


PLAIN = Wish()


def as_wished(
    work: Work, product: Product, asked: Sequence[str], removals: Sequence[str], before: Wish = PLAIN
) -> Wish:
    """What a product is to be like: `before`, changed by what was asked for now.

    An option of a group that takes one replaces the one before; a required group that nobody spoke of
    has its first option.

    Args:
        asked: ids of options.
        removals: what to leave out; compared without regard to case.

    Raises:
        UnknownOption: an option or a removal that this product does not have.
        TooManyOptions
    """
    offered = work.options.find_by_product(product.id)
    by_id = {str(option.id): option for option in offered}
    unknown = next((option for option in asked if option not in by_id), None)
    if unknown is not None:
        raise UnknownOption(product.name, _name_of(work, unknown))
    kept = [by_id[str(option)] for option in before.option_ids if str(option) in by_id]
    wanted = list(dict.fromkeys(by_id[option] for option in asked))
    chosen = _choose(product, kept, wanted)
    chosen += _defaults(offered, chosen)
    left_out = {*before.removals, *(_removal(product, word) for word in removals)}
    return Wish(tuple(sorted(option.id for option in chosen)), tuple(sorted(left_out)))


def offered_with(work: Work, product: Product) -> tuple[OptionGroupView, ...]:
    """What can be chosen about a product, group by group."""
    groups: dict[uuid.UUID, list[ProductOption]] = {}
    for option in work.options.find_by_product(product.id):
        groups.setdefault(option.group_id, []).append(option)
    return tuple(
        OptionGroupView(
            options[0].group.name,
            options[0].group.required,
            tuple(OptionView(option.name, option.price_difference) for option in options),
        )
        for options in groups.values()
    )


def _choose(product: Product, kept: list[ProductOption], wanted: list[ProductOption]) -> list[ProductOption]:
    chosen = list(kept)
    for option in wanted:
        others = [one for one in chosen if one.group_id == option.group_id and one is not option]
        if option.group.most == 1:
            chosen = [one for one in chosen if one not in others]
        elif len(others) >= option.group.most:
            raise TooManyOptions(product.name, option.group.name, option.group.most)
        if option not in chosen:
            chosen.append(option)
    _check_single(product, wanted)
    return chosen


def _check_single(product: Product, wanted: Iterable[ProductOption]) -> None:
    """Large and small at once cannot be meant."""
    seen: set[uuid.UUID] = set()
    for option in wanted:
        if option.group.most == 1 and option.group_id in seen:
            raise TooManyOptions(product.name, option.group.name, 1)
        seen.add(option.group_id)


def _defaults(offered: Sequence[ProductOption], chosen: list[ProductOption]) -> list[ProductOption]:
    decided = {option.group_id for option in chosen}
    defaults: dict[uuid.UUID, ProductOption] = {}
    for option in offered:
        if option.group.required and option.group_id not in decided:
            defaults.setdefault(option.group_id, option)
    return list(defaults.values())


def _removal(product: Product, word: str) -> str:
    for removable in product.removable:
        if removable.casefold() == word.casefold():
            return removable
    raise UnknownOption(product.name, word)


def _name_of(work: Work, option_id: str) -> str:
    option = work.options.find_by_id(option_id)
    return option.name if option else "…"
