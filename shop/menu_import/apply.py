"""Writes a menu into the catalogue, with few statements however many products there are."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched, count
from typing import Any

from sqlalchemy import Table, Text, cast, column, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from db.models import OptionGroup, Product, ProductOption, product_option_groups
from shop.menu_import.rows import GroupRow, Menu, MenuRefused, Problem, ProductRow
from shop.menu_import.values import shown
from shop.work import Work

BATCH = 1_000
NEW_PRODUCT: Mapping[str, Any] = {
    "description": "",
    "stock_quantity": None,
    "available": True,
    "aliases": [],
    "removable": [],
    "tax_class": "standard",
    "picture": None,
}
PRODUCT_COLUMNS = ("name", "category", "price", "position", *NEW_PRODUCT)
GROUP_COLUMNS = ("name", "required", "most")
OPTION_COLUMNS = ("name", "price_difference", "aliases", "available", "position")

Values = dict[str, Any]
Progress = Callable[[int], object]
"""Told how many more products are done."""


@dataclass(frozen=True)
class Imported:
    """What an import did: products added, changed, left as they were and taken off the menu, and choices
    that were added or changed."""

    added: int
    changed: int
    unchanged: int
    made_unavailable: int
    choices_changed: int


@dataclass
class _Group:
    """A choice as it will be: its own values and those of its options, by name."""

    id: uuid.UUID
    values: Values
    options: dict[str, Values] = field(default_factory=dict)
    changed: list[Values] = field(default_factory=list)
    """Options to write."""
    is_changed: bool = False

    @property
    def cheapest(self) -> Decimal:
        """What this choice takes off a unit's price at most (zero or less), or adds to it at least."""
        offered = sorted(row["price_difference"] for row in self.options.values() if row["available"])
        taken = offered[: self.values["most"]]
        must = 1 if self.values["required"] else 0
        return sum(taken[:must], Decimal(0)) + sum((one for one in taken[must:] if one < 0), Decimal(0))


@dataclass
class _Plan:
    """The catalogue before, and what is to become of it."""

    before: dict[str, Values]
    """Products of the file, and with `replace` all others on sale, by sku."""
    groups: dict[str, _Group]
    links: dict[uuid.UUID, list[uuid.UUID]]
    """Groups of products, in order."""


def import_menu(
    work: Work,
    menu: Menu,
    *,
    replace: bool = False,
    keep_order: bool = False,
    progress: Progress = lambda _: None,
) -> Imported:
    """Write a menu, all of it.

    Args:
        replace: the file is the whole menu: what it lists is on sale unless it says otherwise, and what it
            does not list goes off sale.
        keep_order: products stay where they are on the menu, and new ones come last; otherwise they stand in
            the order of the file.

    Raises:
        MenuRefused: with all that is wrong, in the file and with what the shop has; nothing was written.
    """
    plan = _read_catalogue(work.session, menu, replace)
    problems = [
        *menu.problems,
        *_missing_groups(menu, plan),
        *_stock_problems(menu, plan),
        *_price_problems(menu, plan),
    ]
    if not replace:
        problems += _problems_of_others(work.session, menu, plan)
    if problems:
        raise MenuRefused(problems)
    order = _present_order(work.session, menu, plan) if keep_order else _order_of_file(menu)
    return _write(work.session, menu, plan, replace, order, progress)


def _read_catalogue(session: Session, menu: Menu, replace: bool) -> _Plan:
    columns = [Product.__table__.c[name] for name in ("id", "sku", "reserved_quantity", *PRODUCT_COLUMNS)]
    concerned = Product.sku.in_(menu.products)
    # Locked in the order of their ids, as buyers do.
    query = (
        select(*columns)
        .where(or_(concerned, Product.available.is_(True)) if replace else concerned)
        .order_by(Product.id)
        .with_for_update(key_share=True)
    )
    before = {row["sku"]: dict(row) for row in session.execute(query).mappings()}
    groups = _read_groups(session)
    for name, (_, row) in menu.groups.items():
        groups[name] = _planned(row, groups.get(name))
    links = _read_links(session, [values["id"] for sku, values in before.items() if sku in menu.products])
    return _Plan(before, groups, links)


def _read_groups(session: Session) -> dict[str, _Group]:
    groups_table, options_table = OptionGroup.__table__, ProductOption.__table__
    query = select(*(groups_table.c[name] for name in ("id", *GROUP_COLUMNS))).order_by(OptionGroup.id)
    groups = {
        row["id"]: _Group(row["id"], {name: row[name] for name in GROUP_COLUMNS})
        for row in session.execute(query.with_for_update(key_share=True)).mappings()
    }
    for row in session.execute(select(options_table)).mappings():
        groups[row["group_id"]].options[row["name"]] = dict(row)
    return {group.values["name"]: group for group in groups.values()}


def _read_links(session: Session, product_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    links: dict[uuid.UUID, list[uuid.UUID]] = {}
    columns = product_option_groups.c
    for some in batched(product_ids, BATCH * 10):
        query = select(columns.product_id, columns.group_id).where(columns.product_id.in_(some))
        for product_id, group_id in session.execute(query.order_by(columns.position)):
            links.setdefault(product_id, []).append(group_id)
    return links


def _planned(row: GroupRow, before: _Group | None) -> _Group:
    """A group as the file wants it: its options in order, those that it does not name off sale."""
    values = {"name": row.name, "required": row.required, "most": row.most}
    group = _Group(before.id if before else uuid.uuid4(), values)
    group.is_changed = before is None or before.values != values
    known = before.options if before else {}
    for position, option in enumerate(row.options):
        old = known.get(option.name)
        new = {
            **(old or {"id": uuid.uuid4(), "group_id": group.id, "aliases": []}),
            **option.model_dump(exclude_unset=True),
            "price_difference": option.price_difference,
            "available": True,
            "position": position,
        }
        group.options[option.name] = new
        if new != old:
            group.changed.append(new)
    for name, old in known.items():
        if name not in group.options:
            group.options[name] = {**old, "available": False}
            if old["available"]:
                group.changed.append(group.options[name])
    return group


def _missing_groups(menu: Menu, plan: _Plan) -> Iterable[Problem]:
    for line, row in menu.products.values():
        for name in row.options:
            if name not in plan.groups and name not in menu.spoiled_groups:
                yield Problem(line, f"options: neither this file nor the shop has a choice {shown(name)}")


def _stock_problems(menu: Menu, plan: _Plan) -> Iterable[Problem]:
    for sku, (line, row) in menu.products.items():
        reserved = plan.before[sku]["reserved_quantity"] if sku in plan.before else 0
        if row.stock is not None and row.stock < reserved:
            yield Problem(line, f"stock {row.stock} is below the {reserved} units that unpaid orders hold")


def _price_problems(menu: Menu, plan: _Plan) -> Iterable[Problem]:
    cheapest = {group.id: group.cheapest for group in plan.groups.values()}
    for line, row in menu.products.values():
        group_ids = _wanted_links(row, plan)
        lowest = row.price + sum((cheapest[group_id] for group_id in group_ids), Decimal(0))
        if lowest < 0:
            yield Problem(line, f"price {row.price:.2f} with its cheapest options would be {lowest:.2f}")


def _problems_of_others(session: Session, menu: Menu, plan: _Plan) -> Iterable[Problem]:
    """Products that are not in the file, but have a choice that it changes."""
    changed = {plan.groups[name].id: (line, name) for name, (line, _) in menu.groups.items()}
    columns = product_option_groups.c
    query = (
        select(Product.id, Product.name, Product.price)
        .where(Product.id.in_(select(columns.product_id).where(columns.group_id.in_(changed))))
        .where(Product.sku.not_in(menu.products))
    )
    others = session.execute(query).all()
    links = _read_links(session, [product_id for product_id, _, _ in others])
    cheapest = {group.id: group.cheapest for group in plan.groups.values()}
    for product_id, name, price in others:
        lowest = price + sum((cheapest[group_id] for group_id in links[product_id]), Decimal(0))
        if lowest < 0:
            line, choice = next(changed[group_id] for group_id in links[product_id] if group_id in changed)
            yield Problem(
                line, f"the choice {shown(choice)} would make the product {shown(name)} cost {lowest:.2f}"
            )


def _wanted_links(row: ProductRow, plan: _Plan) -> list[uuid.UUID]:
    before = plan.before.get(row.sku)
    if "options" in row.model_fields_set:
        return [plan.groups[name].id for name in row.options if name in plan.groups]
    return plan.links.get(before["id"], []) if before else []


def _order_of_file(menu: Menu) -> dict[str, int]:
    """The positions of products by sku."""
    return {sku: position for position, sku in enumerate(menu.products)}


def _present_order(session: Session, menu: Menu, plan: _Plan) -> dict[str, int]:
    """The same, as they are on the menu now; what is new comes last."""
    last = session.scalar(select(func.max(Product.position)))
    new = count(0 if last is None else last + 1)
    known = plan.before
    return {sku: known[sku]["position"] if sku in known else next(new) for sku in menu.products}


def _write(
    session: Session,
    menu: Menu,
    plan: _Plan,
    replace: bool,
    order: Mapping[str, int],
    progress: Progress,
) -> Imported:
    _write_groups(session, [plan.groups[name] for name in menu.groups])
    changed: list[Values] = []
    links: dict[uuid.UUID, list[uuid.UUID]] = {}
    touched: set[str] = set()
    for _, row in menu.products.values():
        before = plan.before.get(row.sku)
        after = _product_values(row, before, order[row.sku], replace)
        wanted = _wanted_links(row, plan)
        if wanted != plan.links.get(after["id"], []):
            links[after["id"]] = wanted
            touched.add(row.sku)
        if after != before:
            changed.append(after)
            touched.add(row.sku)
    progress(len(menu.products) - len(changed))
    for some in batched(changed, BATCH):
        _upsert(session, Product, PRODUCT_COLUMNS, some, updated_at=func.now())
        progress(len(some))
    _write_links(session, links)
    off = [values["id"] for sku, values in plan.before.items() if sku not in menu.products]
    if off:
        session.execute(update(Product).where(Product.id.in_(off)).values(available=False))
    session.expire_all()
    added = sum(sku not in plan.before for sku in menu.products)
    return Imported(
        added=added,
        changed=len(touched) - added,
        unchanged=len(menu.products) - len(touched),
        made_unavailable=len(off),
        choices_changed=sum(
            plan.groups[name].is_changed or bool(plan.groups[name].changed) for name in menu.groups
        ),
    )


def _product_values(row: ProductRow, before: Values | None, position: int, replace: bool) -> Values:
    given = row.model_dump(exclude_unset=True, exclude={"options", "stock"})
    if "stock" in row.model_fields_set:
        given["stock_quantity"] = row.stock
    if replace:
        given.setdefault("available", True)
    base = before or {**NEW_PRODUCT, "id": uuid.uuid4(), "reserved_quantity": 0}
    return {**base, **given, "price": row.price, "position": position}


def _write_groups(session: Session, groups: Sequence[_Group]) -> None:
    rows = [{"id": group.id, **group.values} for group in groups if group.is_changed]
    _upsert(session, OptionGroup, GROUP_COLUMNS, rows)
    _upsert(session, ProductOption, OPTION_COLUMNS, [option for group in groups for option in group.changed])


def _write_links(session: Session, links: Mapping[uuid.UUID, Sequence[uuid.UUID]]) -> None:
    columns = product_option_groups.c
    for some in batched(links, BATCH):
        session.execute(delete(product_option_groups).where(columns.product_id.in_(some)))
    rows = [
        {"product_id": product_id, "group_id": group_id, "position": position}
        for product_id, group_ids in links.items()
        for position, group_id in enumerate(group_ids)
    ]
    if rows:
        session.execute(insert(product_option_groups), rows)


def _upsert(
    session: Session,
    model: type[OptionGroup | Product | ProductOption],
    columns: Sequence[str],
    rows: Sequence[Values],
    **also: Any,
) -> None:
    """Insert rows, or change those columns of the ones whose ids are there already."""
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    # As one JSON value: SQLAlchemy sends an upsert of many rows one by one.
    content = cast(literal(json.dumps(rows, default=str), Text), JSONB)
    names = list(rows[0])
    typed = [column(name, table.c[name].type) for name in names]
    source = func.jsonb_to_recordset(content).table_valued(*typed).render_derived(with_types=True)
    statement = upsert(table).from_select(names, select(source), include_defaults=False)
    changes = {name: statement.excluded[name] for name in columns}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={**changes, **also}))
