"""The menu as the staff edits it: one product at a time, by the rules of an import (`choice_desk`: choices).

A form becomes a row of a menu's file with one product in it, so that a name, a price or a list of options
is judged here exactly as there. Stock and the sold-out switch are apart: orders change the stock meanwhile.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.models import Product
from shop import audit, catalogue, pictures, stock
from shop.errors import BadInput, ChangedMeanwhile, NameTaken, NotThere
from shop.menu_import import Menu, MenuRefused, Rules, import_menu
from shop.menu_lint import Finding, lint
from shop.work import Work

PAGE = 60
EDITABLE = (
    "name", "price", "category", "tax_class", "picture", "available", "description", "aliases", "removable",
    "choices",
)  # fmt: skip
MOST_UNITS = 1_000_000
EDITED = "product edited"
IMPORTED = "menu imported"


@dataclass(frozen=True)
class ProductRow:
    """A product as the list of all shows it. `left` is what can be sold, None: any number."""

    id: uuid.UUID
    sku: str
    name: str
    category: str
    price: Decimal
    picture: str | None
    available: bool
    sold_out: bool
    stock: int | None
    reserved: int
    left: int | None


@dataclass(frozen=True)
class ProductFile(ProductRow):
    """A product with all that can be edited about it."""

    description: str
    aliases: tuple[str, ...]
    removable: tuple[str, ...]
    tax_class: str
    choices: tuple[str, ...]

    @property
    def version(self) -> str:
        """Another one whenever something that is edited was changed; stock and the switch are not."""
        return digest_of(*(getattr(self, name) for name in EDITABLE))


@dataclass(frozen=True)
class ProductsPage:
    """Some products in the order of the menu, and the id of the last one if there are more."""

    products: tuple[ProductRow, ...]
    next: uuid.UUID | None


@dataclass(frozen=True)
class Known:
    """What a product's form offers: categories that are there, choices, tax classes."""

    categories: tuple[str, ...]
    choices: tuple[str, ...]
    tax_classes: tuple[str, ...]


def products(work: Work, asked: str = "", after: str | None = None, limit: int = PAGE) -> ProductsPage:
    """Products whose name, sku or category has this in it, or all; those after the one with this id."""
    last = work.products.find_by_id(after) if after else None
    rows = work.products.find_page(asked.strip(), last, limit + 1)
    shown = tuple(ProductRow(**_row(product)) for product in rows[:limit])
    return ProductsPage(shown, shown[-1].id if len(rows) > limit else None)


def product(work: Work, product_id: str) -> ProductFile:
    """All about one product.

    Raises:
        NotThere
    """
    return file_of(_product(work, product_id))


def known(work: Work) -> Known:
    """What a product's form offers."""
    return Known(
        tuple(work.products.find_all_categories()),
        tuple(group.name for group in work.option_groups.find_all()),
        ("standard", *work.policy.tax_classes),
    )


def add_product(work: Work, staff: str, values: Mapping[str, Any], picture: bytes | None) -> ProductFile:
    """A new product, last on the menu.

    Args:
        values: as a row of a menu's file in JSON has them (`shop.menu_import`).
        picture: prepared, or None.

    Raises:
        BadInput, NameTaken
    """
    sku = " ".join(str(values.get("sku", "")).split())
    if work.products.find_by_sku(sku) is not None:
        raise NameTaken(f"product with the code {sku}")
    made = _write(work, {**values, **_kept(work, sku, picture)})
    audit.record(work, staff, "product added", "product", made.id, name=made.name, price=str(made.price))
    return file_of(made)


def edit_product(
    work: Work,
    staff: str,
    product_id: str,
    values: Mapping[str, Any],
    picture: bytes | None,
    version: str,
) -> ProductFile:
    """Change a product; what the values do not name stays. Orders that were made keep what they cost.

    Args:
        version: that of the product when the form was opened.

    Raises:
        NotThere, BadInput
        ChangedMeanwhile: it has another version now.
    """
    row = _product(work, product_id)
    work.products.lock([row.id])
    before = file_of(row)
    if before.version != version:
        by = latest_editor(work, "product", row.id, (EDITED, IMPORTED))
        raise ChangedMeanwhile(before.name, by)
    written = {**values, **_kept(work, before.sku, picture), "sku": before.sku}
    after = file_of(_write(work, written))
    changed = {
        name: (in_words(getattr(before, name)), in_words(getattr(after, name)))
        for name in EDITABLE
        if getattr(before, name) != getattr(after, name)
    }
    if after != before:
        audit.record(work, staff, EDITED, "product", after.id, **{"name": after.name, **told(changed)})
    return after


def set_sold_out(work: Work, staff: str, product_id: str, sold_out: bool) -> str:
    """Take a product off sale for now, or back; from the customer's next message on. Its name.

    Raises:
        NotThere
    """
    row = _locked(work, product_id)
    if row.sold_out != sold_out:
        row.sold_out = sold_out
        action = "sold out" if sold_out else "on sale again"
        audit.record(work, staff, action, "product", row.id, name=row.name)
    return row.name


def set_stock(work: Work, staff: str, product_id: str, units: int | None, *, added: bool = False) -> str:
    """How many units there are, those that unpaid orders hold among them (None: any number), or how many
    came (`added`). What it is now, as a sentence.

    Raises:
        NotThere, BadInput
    """
    row = _locked(work, product_id)
    before = row.stock_quantity
    now = (before or 0) + (units or 0) if added else units
    if now is not None and not row.reserved_quantity <= now <= MOST_UNITS:
        raise BadInput("stock", f"Unpaid orders hold {row.reserved_quantity}: there cannot be fewer.")
    row.stock_quantity = now
    audit.record(work, staff, "stock set", "product", row.id, name=row.name, before=before, after=now)
    return f"{row.name}: {'any number' if now is None else f'{now:,} there'}."


def import_file(work: Work, staff: str, menu: Menu, *, replace: bool) -> str:
    """Write the menu of a file, all of it; what that did, as a sentence.

    Raises:
        MenuRefused: with all that is wrong; nothing was written.
    """
    done = import_menu(work, menu, replace=replace)
    counts = {
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "taken off the menu": done.made_unavailable,
    }
    audit.record(work, staff, IMPORTED, "menu", "menu", **counts)
    return "Imported: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()) + "."


def warnings(work: Work, names: Sequence[str] | None = None) -> list[Finding]:
    """What the lint says about the menu on sale; about these names only, or (None) about all."""
    found = [finding for finding in lint(catalogue.names(work)) if finding.kind.is_warning]
    if names is None:
        return found
    wanted = {name.casefold() for name in names}
    return [one for one in found if wanted & {word.casefold() for word in (one.about, *one.words)}]


def _kept(work: Work, sku: str, picture: bytes | None) -> dict[str, str]:
    return {} if picture is None else {"picture": pictures.keep(work, sku, picture)}


def _write(work: Work, values: Mapping[str, Any]) -> Product:
    menu = Menu(Rules.of(work.policy))
    menu.add_product(1, values)
    import_rows(work, menu)
    made = work.products.find_by_sku(next(iter(menu.products)))
    assert made is not None
    return made


def import_rows(work: Work, menu: Menu) -> None:
    """Write what a form became.

    Raises:
        BadInput: with all that is wrong.
    """
    try:
        import_menu(work, menu, keep_order=True)
    except MenuRefused as refused:
        reasons = [reason for _, reason in refused.problems]
        raise BadInput(
            "product", " ".join(f"{reason[0].upper()}{reason[1:]}." for reason in reasons)
        ) from None


def _product(work: Work, product_id: str) -> Product:
    row = work.products.find_by_id(product_id)
    if row is None:
        raise NotThere("product")
    return row


def _locked(work: Work, product_id: str) -> Product:
    """The product, locked, with expired holds freed."""
    row = _product(work, product_id)
    return stock.lock(work, [row.id])[row.id]


def _row(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "price": product.price,
        "picture": product.picture,
        "available": product.available,
        "sold_out": product.sold_out,
        "stock": product.stock_quantity,
        "reserved": product.reserved_quantity,
        "left": catalogue.view(product).left,
    }


def file_of(product: Product) -> ProductFile:
    """A product with all that can be edited about it."""
    return ProductFile(
        **_row(product),
        description=product.description,
        aliases=tuple(product.aliases),
        removable=tuple(product.removable),
        tax_class=product.tax_class,
        choices=tuple(group.name for group in product.option_groups),
    )


def latest_editor(work: Work, subject: str, subject_id: object, actions: Sequence[str]) -> str | None:
    """Who of the staff did one of these last, with this or with the whole menu; None: nobody did."""
    action = work.staff_actions.find_latest_about([(subject, str(subject_id)), ("menu", "menu")], actions)
    return action.staff if action else None


def digest_of(*values: object) -> str:
    """A short digest of values: two that differ differ in it."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def in_words(value: object) -> str:
    """A value as the record tells it."""
    return " | ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def told(changed: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Changes as the record keeps them: `price: 100.00 -> 120.00`."""
    return {("new name" if name == "name" else name): " -> ".join(pair) for name, pair in changed.items()}
