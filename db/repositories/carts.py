"""Carts and their lines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from db.models import Cart, CartItem, CartStatus
from db.repositories.base import Repository

_OPEN = select(Cart).where(Cart.customer_id == bindparam("customer_id"), Cart.status == CartStatus.OPEN)
_OPEN_LOCKED = _OPEN.with_for_update()


class CartsRepository(Repository[Cart]):
    """Carts; a customer has at most one open cart."""

    model = Cart

    def find_open(self, customer_id: uuid.UUID, *, lock: bool = False) -> Cart | None:
        """The customer's open cart."""
        return self.session.scalar(_OPEN_LOCKED if lock else _OPEN, {"customer_id": customer_id})

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
