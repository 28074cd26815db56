"""Order lines while they are being read, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from dialogue.orders.cover import Segment
from dialogue.orders.index import Meaning
from dialogue.orders.menu import Choice, Menu


@dataclass(frozen=True)
class Said:
    """An option or a removal as it was said; `amount` is "extra" or the like, `count` "two shots"."""

    segment: Segment
    left_out: bool = False
    amount: str = ""
    count: int | None = None
    copied: bool = False
    """Whether it was said of the product before: "the same"."""


def copies(said: Iterable[Said]) -> list[Said]:
    """The same, said of another product: "the same"."""
    return [replace(one, copied=True) for one in said]


@dataclass
class Group:
    """Units of a draft that are to be like this: all of them, or those that "one with ..." speaks of.

    `count` is None where nothing was said; `additional` units come on top of the draft's quantity.
    """

    count: Decimal | None = None
    said: list[Said] = field(default_factory=list)
    additional: bool = False
    is_rest: bool = False
    is_plain: bool = False


@dataclass
class Draft:
    """A product that was named, how many, and how they differ; `like` is the product named before it."""

    segment: Segment
    whole: Group
    groups: list[Group] = field(default_factory=list)
    removed: bool = False
    plural: bool = False
    like: tuple[str, ...] = ()


@dataclass(frozen=True)
class Modifier:
    """A choice, with its amount ("extra") and count (two shots) where they were said."""

    choice: Choice
    amount: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Line:
    """One line of an order, as it was understood.

    `products` has several ids where the words fit several; `quantity` is None where none was said. `refused`
    are options that the product does not have; `kind` are the products of a category that was named; `start`
    and `end` are places in the text.
    """

    products: tuple[str, ...]
    name: str
    quantity: Decimal | None
    modifiers: tuple[Modifier, ...]
    without: tuple[Modifier, ...]
    removals: tuple[str, ...]
    start: int
    end: int
    category: str | None = None
    removed: bool = False
    cost: float = 0.0
    edits: int = 0
    refused: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()


def lines_of(drafts: Sequence[Draft], menu: Menu) -> list[Line]:
    """The lines that drafts mean; "two lattes, one decaf" are two."""
    for before, draft in zip(drafts, drafts[1:], strict=False):
        draft.like = before.segment.products[:1]
    return [line for draft in drafts for line in _lines(draft, menu)]


def change_of(said: Sequence[Said], count: Decimal | None, menu: Menu) -> Line | None:
    """What options mean that were said without a product: a change of something that was named before."""
    if not said:
        return None
    line = _line(Draft(said[0].segment, Group()), count, said, menu)
    return replace(line, products=(), name="", category=None)


def _lines(draft: Draft, menu: Menu) -> Iterable[Line]:
    if not draft.groups:
        yield _line(draft, draft.whole.count, draft.whole.said, menu)
        return
    total = draft.whole.count
    if total is None and not draft.whole.said and not draft.plural and len(draft.groups) == 1:
        group = draft.groups[0]
        if not (group.additional or group.is_rest):
            yield _line(draft, group.count, group.said, menu)  # "jollof? give me 2 with beef"
            return
    counted = sum((group.count or Decimal(1)) for group in draft.groups if not group.is_rest)
    shared = _is_shared(draft, total, counted)
    if not shared:
        yield _line(draft, total, draft.whole.said, menu)
    rest = (total or counted) - counted if shared else Decimal(0)
    if rest > 0 and not any(group.is_rest for group in draft.groups):
        # What is plain comes first: the newest line of a cart is the one that was described last.
        yield _line(draft, rest, draft.whole.said, menu)
    rests = [group for group in draft.groups if group.is_rest]
    for group in draft.groups:
        count = group.count or Decimal(1)
        if group.is_rest and group.count is None and rest >= len(rests):
            # "The second ..., the third ...": one each, and the last has what is left.
            count = Decimal(1) if group is not rests[-1] else rest - len(rests) + 1
        is_alike = not (group.said or group.is_plain) if group.additional else shared
        common = draft.whole.said if is_alike else []
        yield _line(draft, count, [*common, *group.said], menu)


def _is_shared(draft: Draft, total: Decimal | None, counted: Decimal) -> bool:
    """Whether the groups speak of the units that the draft counts, not of further ones."""
    if any(group.additional for group in draft.groups):
        # "two lattes, one iced and another hot" speaks of the two; "a latte and another decaf" of two more.
        plain = total is not None and total > 1 and not all(group.additional for group in draft.groups)
        return plain and counted <= (total or 0)
    if total is None:
        return draft.plural or any(group.is_rest for group in draft.groups)
    return total > 1 and counted <= total


def _line(draft: Draft, quantity: Decimal | None, said: Sequence[Said], menu: Menu) -> Line:
    segment = draft.segment
    said, named = _told_apart(segment.products, said)
    whole_category = segment.category is not None and not segment.is_whole_product and len(named) != 1
    products = () if whole_category else _of_one_kind(_fitting(named, said, menu), draft.like, menu)
    modifiers: list[Modifier] = []
    without: list[Modifier] = []
    removals: list[str] = []
    refused: list[str] = []
    for one in said:
        meaning = _meant(one, products, menu)
        if meaning is None:
            continue
        if len(products) == 1 and not _has(menu, products[0], meaning):
            refused.append(meaning.choice.value if meaning.choice else str(meaning.removable))
            continue
        if meaning.removable is not None:
            removals += [] if meaning.removable in removals else [meaning.removable]
        elif meaning.choice is not None:
            modifier = Modifier(meaning.choice, one.amount, one.count)
            _put(modifier, without if one.left_out else modifiers)
    without_keys = {modifier.choice.key for modifier in without}
    modifiers = [m for m in _refined(modifiers) if m.choice.key not in without_keys]
    spans = [segment, *(one.segment for one in said)]
    return Line(
        products,
        menu.shown.get(products[0], segment.text) if products else segment.text,
        quantity,
        tuple(modifiers),
        tuple(without),
        tuple(removals),
        min(span.start for span in spans),
        max(span.end for span in spans),
        None if products else segment.category,
        draft.removed,
        segment.cost,
        sum(span.edits for span in spans),
        tuple(refused),
        segment.products if whole_category else (),
    )


def _put(modifier: Modifier, among: list[Modifier]) -> None:
    """Say a choice once; the later of two that name the same counts."""
    for place, one in enumerate(among):
        if one.choice.key == modifier.choice.key:
            among[place] = replace(modifier, amount=modifier.amount or one.amount)
            return
    among.append(modifier)


def _refined(modifiers: Sequence[Modifier]) -> list[Modifier]:
    """Without "vanilla" where "sugar free vanilla" is said as well: the longer name says which."""
    return [
        one
        for one in modifiers
        if not any(
            other.choice.slot == one.choice.slot
            and set(one.choice.value.lower().split()) < set(other.choice.value.lower().split())
            for other in modifiers
        )
    ]


def _told_apart(products: tuple[str, ...], said: Sequence[Said]) -> tuple[Sequence[Said], tuple[str, ...]]:
    """What else was said, and the products that are left where an option's word tells which: "2 shawarmas,
    one chicken one beef"."""
    rest: list[Said] = []
    for one in said:
        meant = tuple(product for product in products if product in one.segment.kind)
        if len(products) > 1 and len(meant) == 1 and not one.left_out:
            products = meant
        else:
            rest.append(one)
    return rest, products


def _fitting(products: tuple[str, ...], said: Sequence[Said], menu: Menu) -> tuple[str, ...]:
    """Of several products, those that have what was asked for, if any has."""
    if len(products) < 2 or not said:
        return products
    fit = tuple(p for p in products if all(_offered(one.segment, p, menu) for one in said))
    return fit or products


def _of_one_kind(products: tuple[str, ...], like: tuple[str, ...], menu: Menu) -> tuple[str, ...]:
    """Of several products the only one of the kind that was spoken of: "a beef taco and another of
    chicken"."""
    if len(products) < 2 or not like:
        return products
    kind = menu.category_of.get(like[0])
    fit = tuple(product for product in products if kind and menu.category_of.get(product) == kind)
    return fit if len(fit) == 1 else products


def _offered(segment: Segment, product: str, menu: Menu) -> bool:
    return any(_has(menu, product, meaning) for meaning in segment.meanings if meaning.is_option)


def _has(menu: Menu, product: str, meaning: Meaning) -> bool:
    if meaning.choice is not None:
        return menu.has(product, meaning.choice)
    return meaning.removable is not None and menu.removes(product, meaning.removable)


def _meant(one: Said, products: tuple[str, ...], menu: Menu) -> Meaning | None:
    """What an option's words mean for a product: what it offers, a removal first where it is left out."""
    meanings = [meaning for meaning in one.segment.meanings if meaning.is_option]
    offered = [m for m in meanings if products and _has(menu, products[0], m)] or meanings
    removals = [meaning for meaning in offered if meaning.removable is not None]
    choices = [meaning for meaning in offered if meaning.choice is not None]
    first = removals + choices if one.left_out else choices
    return first[0] if first else None
