"""A cart or an order as it is shown: its lines and totals."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from db.models import Cart, Fulfilment, Order, ProductOption
from shop import discounts
from shop.pricing import (
    PricedLine,
    TaxLine,
    TaxRates,
    Totals,
    line_total,
    order_totals,
    unit_price,
)
from shop.work import Work


@dataclass(frozen=True)
class Line:
    """One line of a cart or an order. `options` and `removals` are as customers read them."""

    product_id: uuid.UUID
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    options: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    option_ids: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True)
class CartView:
    """A cart or an order with its totals, in `currency`, and how it reaches the customer."""

    lines: tuple[Line, ...]
    totals: Totals
    currency: str
    discount_code: str | None = None
    fulfilment: str = Fulfilment.PICKUP.value
    delivery_address: str | None = None
    scheduled_for: datetime | None = None


def tax_rates(work: Work) -> TaxRates:
    """The shop's rates."""
    return TaxRates(work.policy.tax_rate, work.policy.tax_classes)


def view_cart(work: Work, cart: Cart) -> CartView:
    """A cart at today's prices; a discount that does not hold (any more) takes nothing off."""
    options = work.options.find_by_ids(option for item in cart.items for option in item.option_ids)
    lines = []
    for item in cart.items:
        chosen = [options[option] for option in item.option_ids if option in options]
        price = unit_price(item.product.price, (option.price_difference for option in chosen))
        lines.append(
            Line(
                product_id=item.product_id,
                name=item.product.name,
                quantity=item.quantity,
                unit_price=price,
                total=line_total(price, item.quantity),
                options=_names(chosen),
                removals=tuple(item.removals),
                option_ids=tuple(item.option_ids),
            )
        )
    priced = [
        PricedLine(line.total, item.product.tax_class) for line, item in zip(lines, cart.items, strict=True)
    ]
    items = sum((line.total for line in lines), Decimal(0))
    terms = discounts.terms_for(work, cart, items)
    totals = order_totals(priced, tax_rates(work), work.policy.currency, terms, delivery_fee(work, cart))
    return CartView(
        tuple(lines),
        totals,
        work.policy.currency,
        discount_code=terms.code if terms else None,
        fulfilment=cart.fulfilment.value,
        delivery_address=cart.address,
        scheduled_for=cart.scheduled_for,
    )


def delivery_fee(work: Work, cart: Cart) -> Decimal:
    """The flat fee where the cart is to be delivered, else nothing."""
    if cart.fulfilment != Fulfilment.DELIVERY:
        return Decimal(0)
    return work.policy.delivery_fee or Decimal(0)


def view_order(order: Order) -> CartView:
    """An order's lines and totals as they were when it was made."""
    lines = tuple(
        Line(
            product_id=item.product_id,
            name=item.product_name,
            quantity=item.quantity,
            unit_price=item.unit_price,
            total=item.total_price,
            options=tuple(item.option_names),
            removals=tuple(item.removals),
            option_ids=tuple(item.option_ids),
        )
        for item in order.items
    )
    totals = Totals(
        items=order.items_amount,
        discount=order.discount_amount,
        tax=order.tax_amount,
        delivery_fee=order.delivery_fee,
        total=order.total_amount,
        taxes=tuple(
            TaxLine(tax["tax_class"], *(Decimal(tax[part]) for part in ("rate", "base", "amount")))
            for tax in order.taxes
        ),
    )
    return CartView(
        lines,
        totals,
        order.currency,
        discount_code=order.discount_code,
        fulfilment=order.fulfilment.value,
        delivery_address=order.delivery_address,
        scheduled_for=order.scheduled_for,
    )


def _names(chosen: list[ProductOption]) -> tuple[str, ...]:
    """Options as customers read them: those of required groups (the size) first. The first option of a
    required group is what is meant anyway, and goes without saying."""
    worth_saying = [option for option in chosen if not (option.group.required and option.position == 0)]
    ordered = sorted(
        worth_saying, key=lambda option: (not option.group.required, option.group.name, option.position)
    )
    return tuple(option.name for option in ordered)
