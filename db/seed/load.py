"""Loads the demo menu into an empty catalogue."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Product
from db.repositories import ProductsRepository

MENU = Path(__file__).parent / "menu.yml"


def load_demo_menu(session: Session) -> int:
    """Insert the demo products if there are no products at all; how many were inserted."""
    if session.scalar(select(func.count()).select_from(Product)):
        return 0
    products = yaml.safe_load(MENU.read_text(encoding="utf-8"))["products"]
    repository = ProductsRepository(session)
    for position, product in enumerate(products):
        repository.create(**{**product, "price": Decimal(product["price"]), "position": position})
    return len(products)
