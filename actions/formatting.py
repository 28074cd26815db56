"""Values for responses: numbers, names and amounts. No words; those are in domain.yml."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from shop.cart import CartView
from shop.catalogue import Choice, Choices
from shop.money import format_money


def choice_list(choices: Choices, currency: str) -> str:
    """A numbered list; products with their price, struck through where none are left."""
    if not choices.products:
        return "\n".join(f"{n}. {choice.name}" for n, choice in enumerate(choices.choices, start=1))
    return "\n".join(
        f"{n}. {_struck(product.name, product.sold_out)} · {format_money(product.price, currency)}"
        for n, product in enumerate(choices.products, start=1)
    )


def choice_slot(choices: Choices) -> list[dict[str, str]]:
    """The list that was shown, as a slot keeps it."""
    return [{"kind": choice.kind, "id": choice.id, "name": choice.name} for choice in choices.choices]


def shown_choices(slot: Sequence[dict[str, str]] | None) -> list[Choice]:
    """The list that was shown, out of its slot."""
    return [Choice(entry["kind"], entry["id"], entry["name"]) for entry in slot or []]


def cart_values(cart: CartView) -> dict[str, Any]:
    """Lines and totals of a cart or order."""
    lines = "\n".join(
        f"{line.quantity} × {line.name} · {format_money(line.total, cart.currency)}" for line in cart.lines
    )
    return {
        "lines": lines,
        "items_amount": format_money(cart.totals.items, cart.currency),
        "tax": format_money(cart.totals.tax, cart.currency),
        "total": format_money(cart.totals.total, cart.currency),
    }


def amount(value: str | Decimal, currency: str) -> str:
    """One amount."""
    return format_money(Decimal(value), currency)


def _struck(name: str, sold_out: bool) -> str:
    return f"~{name}~" if sold_out else name
