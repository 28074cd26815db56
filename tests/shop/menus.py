"""What the tests of the menu's import share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from db.models import OptionGroup, Product
from shop.menu_import import Imported, MenuRefused, Rules, import_menu, read_menu
from shop.service import Shop

HEADER = "sku,name,category,price,stock,available,aliases,removable,tax_class,picture,description,options"
COFFEE = """sku,name,category,description,price,stock,available,aliases,removable,tax_class,picture,options
LAT,Latte,Coffee,"Milky,
and mild",1500.50,20,yes,caffe latte|latte macchiato,foam,,latte.jpg,"Size!: Small=-200 | Large=+500
Milk: Oat~oatly=+300|Soy"
TEA,Tea,Tea,,900,,no,,,standard,,Size; Extras*3: Honey=100 | Lemon
"""


def loader(shop: Shop) -> Callable[..., Imported]:
    """Imports a file into the shop."""

    def load(content: str | bytes, *, price: str = "", replace: bool = False) -> Imported:
        menu = read_menu(content, Rules.of(shop.policy, price))
        return shop.run(lambda work: import_menu(work, menu, replace=replace))

    return load


def refuser(shop: Shop) -> Callable[..., list[tuple[int, str]]]:
    """Imports a file that must be refused; the problems as (line, reason)."""

    def refused(content: str | bytes, **how: Any) -> list[tuple[int, str]]:
        with pytest.raises(MenuRefused) as caught:
            loader(shop)(content, **how)
        return [tuple(problem) for problem in caught.value.problems]

    return refused


def products_of(sessions: sessionmaker[Session]) -> dict[str, Product]:
    """The products by sku, with their groups and options."""
    query = select(Product).options(selectinload(Product.option_groups).selectinload(OptionGroup.options))
    with sessions.begin() as session:
        return {product.sku: product for product in session.scalars(query.order_by(Product.position))}


def csv_of(*rows: str, header: str = "sku,name,category,price") -> str:
    """A CSV file."""
    return "\n".join((header, *rows)) + "\n"


def json_of(products: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]] = ()) -> str:
    """A file in our own JSON."""
    return json.dumps({"products": list(products), "option_groups": list(groups)}, indent=1)
