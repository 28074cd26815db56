"""Loads the demo menu into an empty catalogue."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import OptionGroup, Product, ProductOption
from db.repositories import OptionGroupsRepository, ProductsRepository

MENU = Path(__file__).parent / "menu.yml"


def load_demo_menu(session: Session) -> int:
    """Insert the demo products if there are no products at all; how many were inserted."""
    if session.scalar(select(func.count()).select_from(Product)):
        return 0
    menu = yaml.safe_load(MENU.read_text(encoding="utf-8"))
    groups = {group["name"]: _load_group(session, group) for group in menu["option_groups"]}
    products = ProductsRepository(session)
    for position, values in enumerate(menu["products"]):
        names = values.pop("options", [])
        product = products.create(**{**values, "price": Decimal(values["price"]), "position": position})
        product.option_groups = [groups[name] for name in names]
    session.flush()
    return len(menu["products"])


def _load_group(session: Session, values: dict[str, Any]) -> OptionGroup:
    options = [
        ProductOption(
            name=option["name"],
            aliases=option.get("aliases", []),
            price_difference=Decimal(option.get("price_difference", 0)),
            position=position,
        )
        for position, option in enumerate(values.pop("options"))
    ]
    return OptionGroupsRepository(session).create(**values, options=options)
