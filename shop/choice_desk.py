"""Choices that products share, such as sizes, as the staff edits them: by the rules of an import."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.models import OptionGroup
from shop import audit
from shop.errors import ChangedMeanwhile, NameTaken, NotThere
from shop.menu_desk import IMPORTED, digest_of, import_rows, in_words, latest_editor, told
from shop.menu_import import Menu, Rules
from shop.work import Work

ADDED, EDITED = "choice added", "choice edited"
OFF, ON = "option off sale", "option on sale again"


@dataclass(frozen=True)
class OptionView:
    """An option of a choice."""

    name: str
    price_difference: Decimal
    aliases: tuple[str, ...]
    available: bool


@dataclass(frozen=True)
class ChoiceFile:
    """A choice that products share, and which products do."""

    id: uuid.UUID
    name: str
    required: bool
    most: int
    options: tuple[OptionView, ...]
    products: tuple[str, ...]

    @property
    def version(self) -> str:
        """Another one whenever the choice or one of its options was changed."""
        return digest_of(self.name, self.required, self.most, self.options)


def choices(work: Work) -> list[ChoiceFile]:
    """All choices."""
    return [_choice(work, group) for group in work.option_groups.find_all()]


def choice(work: Work, group_id: str) -> ChoiceFile:
    """One choice.

    Raises:
        NotThere
    """
    group = work.option_groups.find_by_id(group_id)
    if group is None:
        raise NotThere("choice")
    return _choice(work, group)


def add_choice(work: Work, staff: str, values: Mapping[str, Any]) -> ChoiceFile:
    """A new choice.

    Raises:
        BadInput
        NameTaken: another choice is called like this, in whatever case.
    """
    groups = work.option_groups.lock_all()
    menu = _menu(work, values)
    for name in menu.groups:
        if name.casefold() in (group.name.casefold() for group in groups):
            raise NameTaken(f"choice called {name}")
    made = _write(work, menu)
    audit.record(work, staff, ADDED, "choice", made.id, name=made.name, **_options(made))
    return made


def edit_choice(work: Work, staff: str, group_id: str, values: Mapping[str, Any], version: str) -> ChoiceFile:
    """Change a choice, but for its name: what is left out of its options goes off sale.

    Args:
        version: that of the choice when the form was opened.

    Raises:
        NotThere, BadInput
        ChangedMeanwhile: it has another version now.
    """
    work.option_groups.lock_all()
    before = choice(work, group_id)
    if before.version != version:
        by = latest_editor(work, "choice", before.id, (ADDED, EDITED, OFF, ON, IMPORTED))
        raise ChangedMeanwhile(before.name, by)
    after = _write(work, _menu(work, {**values, "name": before.name}))
    if after != before:
        audit.record(work, staff, EDITED, "choice", after.id, name=after.name, **_changes(before, after))
    return after


def set_option_available(work: Work, staff: str, group_id: str, name: str, available: bool) -> None:
    """Take an option off sale, or back.

    Raises:
        NotThere
    """
    work.option_groups.lock_all()
    group = work.option_groups.find_by_id(group_id)
    option = next((one for one in group.options if one.name == name), None) if group else None
    if group is None or option is None:
        raise NotThere("option")
    option.available = available
    audit.record(work, staff, ON if available else OFF, "choice", group.id, name=f"{group.name}: {name}")


def _menu(work: Work, values: Mapping[str, Any]) -> Menu:
    menu = Menu(Rules.of(work.policy))
    menu.add_group(1, values)
    return menu


def _write(work: Work, menu: Menu) -> ChoiceFile:
    import_rows(work, menu)
    group = work.option_groups.find_by_name(next(iter(menu.groups)))
    assert group is not None
    return _choice(work, group)


def _choice(work: Work, group: OptionGroup) -> ChoiceFile:
    return ChoiceFile(
        group.id,
        group.name,
        group.required,
        group.most,
        tuple(
            OptionView(option.name, option.price_difference, tuple(option.aliases), option.available)
            for option in group.options
        ),
        tuple(product.name for product in work.option_groups.find_products(group.id)),
    )


def _changes(before: ChoiceFile, after: ChoiceFile) -> dict[str, str]:
    """What differs, option by option, as the record keeps it."""
    pairs = {
        name: (in_words(getattr(before, name)), in_words(getattr(after, name)))
        for name in ("required", "most")
    }
    old, new = _options(before), _options(after)
    pairs |= {name: (old.get(name, "none"), told_now) for name, told_now in new.items()}
    return told({name: pair for name, pair in pairs.items() if pair[0] != pair[1]})


def _options(shown: ChoiceFile) -> dict[str, str]:
    """Each option in words: its price difference, its other names, whether it is off sale."""
    return {
        f"option {one.name}": ", ".join(
            [
                f"{one.price_difference:+.2f}",
                *([f"also {in_words(one.aliases)}"] if one.aliases else ()),
                *(() if one.available else ("off sale",)),
            ]
        )
        for one in shown.options
    }
