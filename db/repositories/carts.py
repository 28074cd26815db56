"""Carts and their lines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from db.models import Cart, CartItem, CartStatus
from db.repositories.base import Repository


class CartsRepository(Repository[Cart]):
    """Carts; a customer has at most one open cart."""

    model = Cart

    def find_open(self, customer_id: uuid.UUID, *, lock: bool = False) -> Cart | None:
        """The customer's open cart."""
        query = select(Cart).where(Cart.customer_id == customer_id, Cart.status == CartStatus.OPEN)
        return self.session.scalar(query.with_for_update() if lock else query)

    def find_expired(self, now: datetime, limit: int) -> Sequence[Cart]:
        """Open carts that nobody touched for long, locked, skipping those that another replica holds."""
        query = (
            select(Cart)
            .where(Cart.status == CartStatus.OPEN, Cart.expires_at <= now)
            .order_by(Cart.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self.session.scalars(query).all()


class CartItemsRepository(Repository[CartItem]):
    """Lines of carts."""

    model = CartItem
