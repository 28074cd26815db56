"""What is measured: commands of customers, through the shop as the actions call it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bench.customers import LINES, lookup, product_id, product_of
from db.models import Customer
from shop import cart, checkout
from shop.cart_view import CartView
from shop.service import Caller, Shop
from shop.work import Work


@dataclass(frozen=True)
class Measured:
    """A command, or several that always come together; `lines` are in the cart before."""

    name: str
    title: str
    lines: int
    carry_out: Callable[[Shop, int], Coroutine[Any, Any, None]]


async def add(shop: Shop, customer: int) -> None:
    """A third product is put into the cart."""
    product = product_id(product_of(customer, LINES - 1))
    await _do(shop, customer, "add", 1, cart.CartChange, cart.add, product, "2")


async def check_out(shop: Shop, customer: int) -> None:
    """ "Checkout" (begun, and shown for the yes), then "yes": the order with its units and its payment."""
    await _do(shop, customer, "checkout", 1, checkout.Handover, checkout.begin)
    await _do(shop, customer, "checkout", 2, CartView, checkout.review)
    outcome = await _do(shop, customer, "yes", 1, checkout.Confirmation, checkout.confirm, "sandbox")
    if outcome.placed is None:
        raise RuntimeError(f"not ordered: {outcome}")


ADD = Measured("add", "add to cart", LINES - 1, add)
CHECKOUT = Measured("checkout", "checkout", LINES, check_out)
MEASURED = (ADD, CHECKOUT)


async def _do(
    shop: Shop,
    customer: int,
    message: str,
    number: int,
    result_type: type[Any],
    operation: Callable[..., Any],
    *args: Any,
) -> Any:
    """As `actions.conversation.Conversation.do`: at most once for the message, off the event loop."""

    def bound(work: Work, who: Customer) -> Any:
        return operation(work, who, *args)

    name = lookup(customer)
    caller = Caller(name, f"SM-{message}-{customer}", number, f"sealed-{customer}", f"Ada {customer}")
    command = f"action_{message}:{operation.__name__}"
    return (await asyncio.to_thread(shop.execute, caller, command, result_type, bound)).result
