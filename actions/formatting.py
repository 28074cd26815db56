"""Values for responses: numbers, names and amounts. No words; those are in domain.yml."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from db.models import Fulfilment
from shop.cart_view import CartView, Line
from shop.catalogue import Choice, Choices, ProductDetails
from shop.money import format_money
from shop.options import OptionView

MOST_BUTTONS = 10
TIME_LOCALES = {"fr": "fr", "es": "es", "pt": "pt_BR"}
"""The locales of the languages whose names of days and months are shown; the others read the English ones."""


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


def choice_buttons(choices: Choices) -> list[dict[str, str]]:
    """The list as buttons, where WhatsApp can show it as something to tap: at most ten."""
    if len(choices.choices) > MOST_BUTTONS:
        return []
    return [{"title": choice.name, "payload": _payload(choice)} for choice in choices.choices]


def _payload(choice: Choice) -> str:
    """What a tap means, as the order parser would have understood the name."""
    if choice.kind == "category":
        return choice_payload("browse_menu", order_line={"category": choice.id})
    return choice_payload("select_product", order_line={"products": [choice.id], "name": choice.name})


def choice_payload(intent: str, **entities: Any) -> str:
    """What a choice means to Rasa: `/intent{"entity": value}`; a list is an entity for each of its values."""
    return f"/{intent}{json.dumps(entities) if entities else ''}"


def wish_text(quantity: int, name: str, options: Sequence[str], removals: Sequence[str]) -> str:
    """How many of what, and how: `2 × Cola (Large, − ice)`."""
    details = [*options, *(f"− {removal}" for removal in removals)]
    return f"{quantity} × {name} ({', '.join(details)})" if details else f"{quantity} × {name}"


def shown_choices(slot: Sequence[dict[str, str]] | None) -> list[Choice]:
    """The list that was shown, out of its slot."""
    return [Choice(entry["kind"], entry["id"], entry["name"]) for entry in slot or []]


def line_text(line: Line, currency: str) -> str:
    """One line: `2 × Cola (Large, − ice) · ₦1,600.00`."""
    shown = wish_text(line.quantity, line.name, line.options, line.removals)
    return f"{shown} · {format_money(line.total, currency)}"


def cart_values(cart: CartView, time: Callable[[datetime], str]) -> dict[str, Any]:
    """Lines and totals of a cart or order. What it may lack (a discount, a delivery, a time) is a line
    of its own behind a sign, or nothing."""
    totals, currency = cart.totals, cart.currency
    extras, where = [], []
    if totals.discount:
        extras.append(f"🏷️ {cart.discount_code} −{format_money(totals.discount, currency)}")
    if cart.fulfilment == Fulfilment.DELIVERY:
        extras.append(f"🛵 +{format_money(totals.delivery_fee, currency)}")
        where += [f"🛵 {cart.delivery_address}"] if cart.delivery_address else []
    if cart.scheduled_for is not None:
        where.append(f"⏰ {time(cart.scheduled_for)}")
    return {
        "lines": "\n".join([*(line_text(line, currency) for line in cart.lines), *where]),
        "items_amount": "\n".join([format_money(totals.items, currency), *extras]),
        "tax": format_money(totals.tax, currency),
        "total": format_money(totals.total, currency),
    }


def product_choices(product: ProductDetails, currency: str) -> str:
    """What can be chosen about a product, a line for each group, and what can be left out."""
    shown = []
    for group in product.option_groups:
        options = ", ".join(_option_text(option, currency) for option in group.options)
        shown.append(f"{group.name}: {options}")
    if product.removable:
        shown.append(f"− {', '.join(product.removable)}")
    return "".join(f"\n{line}" for line in shown)


def local_time(at: datetime, timezone: str, language: str | None) -> str:
    """A time as people read it where the shop is: `Mon 23 Nov, 09:00`."""
    locale = TIME_LOCALES.get(language or "", "en")
    return str(format_datetime(at, "EEE d MMM, HH:mm", tzinfo=ZoneInfo(timezone), locale=locale))


def readable(values: Mapping[str, Any], time: Callable[[datetime], str]) -> dict[str, Any]:
    """The values of a refusal as a response shows them: money with its currency, times in local time."""
    currency = values.get("currency")
    shown = {}
    for name, value in values.items():
        if isinstance(value, Decimal) and currency:
            shown[name] = format_money(value, currency)
        elif isinstance(value, datetime):
            shown[name] = time(value)
        else:
            shown[name] = value
    return shown


def amount(value: str | Decimal, currency: str) -> str:
    """One amount."""
    return format_money(Decimal(value), currency)


def _struck(name: str, sold_out: bool) -> str:
    return f"~{name}~" if sold_out else name


def _option_text(option: OptionView, currency: str) -> str:
    if not option.price_difference:
        return option.name
    sign = "+" if option.price_difference > 0 else "−"
    return f"{option.name} ({sign}{format_money(abs(option.price_difference), currency)})"
