"""Lines as customers ask for them."""

from __future__ import annotations

from shop.cart_lines import WantedLine


def wanted(product: str | None, quantity: str | None = None, name: str = "") -> WantedLine:
    """A line of one product, or of none: the newest of the cart."""
    return WantedLine((product,) if product else (), name, quantity)
