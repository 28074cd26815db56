"""What the console says where the shop refuses: sentences for staff, customers never read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shop import errors
from shop.errors import ShopError

Words = Callable[[dict[str, Any]], str]

STATUS_WORDS = {
    "awaiting_payment": "waiting for payment",
    "placed": "new",
    "paid": "paid",
    "preparing": "being prepared",
    "ready": "ready",
    "completed": "handed over",
    "cancelled": "cancelled",
    "expired": "let go, not paid in time",
    "review": "in review",
    "refunded": "refunded",
}
"""How an order stands."""
METHOD_WORDS = {
    "sandbox": "Sandbox, no real money",
    "stripe": "Card (Stripe)",
    "paystack": "Paystack",
    "bank_transfer": "Bank transfer",
    "cash": "Cash",
}
"""How it is paid."""

_WORDS: dict[type[ShopError], Words] = {
    errors.NoOrder: lambda _: "There is no such order.",
    errors.CannotMove: lambda v: (
        f"{v['number']} is {STATUS_WORDS.get(v['status'], v['status'])},"
        f" so it cannot become {STATUS_WORDS.get(v['wanted'], v['wanted'])}."
    ),
    errors.MoneyCame: lambda v: (
        f"Money came for {v['number']}, and would go back: only an owner can cancel it."
    ),
    errors.CannotRefund: lambda v: (
        f"That cannot go back: {v['left']:,.2f} of {v['number']} is left." if v["left"] > 0
        else f"Nothing of {v['number']} is left to go back."
    ),
    errors.NoRefund: lambda _: "There is no such refund to send, or it was sent before.",
    errors.AmountDiffers: lambda v: (
        f"{v['number']} costs {v['expected']:,.2f}, not {v['got']:,.2f}: nothing was changed."
    ),
    errors.NothingToPay: lambda _: "No transfer is awaited under that reference.",
    errors.RefundRefused: lambda v: f"{v['provider']} does not send it back; send it by hand.",
    errors.OrderUnderWay: lambda v: f"Order {v['number']} is not finished, or money of it is open.",
    errors.WrongCredentials: lambda _: "Name or password is wrong.",
    errors.TooManyAttempts: lambda v: (
        f"Too many attempts. Wait {v['minutes']} minute{'s' if v['minutes'] != 1 else ''} and try again."
    ),
    errors.BadInput: lambda v: str(v["reason"]),
    errors.NameTaken: lambda v: f"There is a {v['name']} already.",
    errors.ChangedMeanwhile: lambda v: (
        f"{v['by'] or 'Somebody'} changed {v['name']} after you opened this page. What you typed is still"
        " here, nothing of it is saved: compare, and save again if yours is to stand."
    ),
    errors.NotThere: lambda v: f"That {v['what']} is not there any more.",
    errors.WithAnother: lambda v: (
        f"{v['by']} has this conversation." if v["by"] else "Nobody has this conversation: take it first."
    ),
    errors.NumberNotNeeded: lambda _: "The number is shown while an order of the customer is under way.",
    errors.LastOwner: lambda _: "Somebody has to own the shop: make another owner first.",
}  # fmt: skip


def words_for(error: ShopError) -> str:
    """A refusal as a sentence."""
    words = next((_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS), None)
    return words(error.values) if words else "The shop refused that. Nothing was changed."
