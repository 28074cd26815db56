"""The receipt of an order: a page to keep, to print, or to hand on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from shop import receipts
from shop.money import format_money
from shop.pricing import STANDARD, TaxLine, Totals
from shop.receipts import Receipt
from shop.service import Shop

HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
STATUSES = {
    "awaiting_payment": "Waiting for payment",
    "placed": "Placed",
    "paid": "Confirmed",
    "preparing": "Being prepared",
    "ready": "Ready",
    "completed": "Completed",
    "review": "Payment being checked",
    "refunded": "Refunded",
}
METHODS = {
    "sandbox": "Sandbox, no real money",
    "stripe": "Card (Stripe)",
    "paystack": "Paystack",
    "bank_transfer": "Bank transfer",
    "cash": "Cash",
}


class ReceiptPages:
    """The page behind a receipt's link. Who has the link may read it; nobody can guess one."""

    def __init__(self, shop: Shop, templates: Jinja2Templates) -> None:
        self._shop = shop
        self._templates = templates

    def routes(self) -> list[BaseRoute]:
        """Everything below /receipts/, so that a mangled link gets an explanation, too."""
        return [Route("/receipts/{token:path}", self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        """The receipt; that there is none, if the order came to nothing; 404 for any other token."""
        token = request.path_params["token"]
        receipt = await asyncio.to_thread(self._shop.run, partial(receipts.find, token=token))
        context: dict[str, object] = {"business_name": self._shop.policy.business_name, "receipt": receipt}
        if receipt is not None:
            context.update(self._words(receipt))
        status = 404 if receipt is None else 200
        return self._templates.TemplateResponse(request, "receipt.html", context, status, HEADERS)

    def _words(self, receipt: Receipt) -> dict[str, object]:
        """What the template needs beside the receipt itself."""
        payment = receipt.payment
        return {
            "heading": "Receipt" if payment and payment.paid else "Order",
            "badge": _badge(receipt),
            "status": STATUSES.get(receipt.status, receipt.status),
            "method": METHODS.get(payment.method, payment.method) if payment else "At the counter",
            "taxes": _taxes(receipt.totals, receipt.currency),
            "money": partial(format_money, currency=receipt.currency),
            "paid_money": partial(format_money, currency=payment.currency if payment else receipt.currency),
            "when": partial(_when, zone=ZoneInfo(self._shop.policy.timezone)),
            "moment": partial(_moment, zone=ZoneInfo(self._shop.policy.timezone)),
        }


def _badge(receipt: Receipt) -> str:
    """Whether it is paid, in a word or two; nothing where nobody told the shop."""
    payment = receipt.payment
    if payment is None:
        return "" if receipt.status == "completed" else "Pay at the counter"
    if payment.amount and payment.refunded >= payment.amount:
        return "Refunded"
    if payment.paid:
        return "Paid"
    return "Payment being checked" if payment.in_review else "Not paid yet"


def _taxes(totals: Totals, currency: str) -> list[tuple[str, Decimal]]:
    """A label and an amount for each tax class; nothing where nothing is taxed."""
    if not totals.taxes and totals.tax:
        return [("Tax", totals.tax)]
    if not any(line.rate for line in totals.taxes):
        return []
    return [(_tax_label(line, currency), line.amount) for line in totals.taxes]


def _tax_label(line: TaxLine, currency: str) -> str:
    rate = format_decimal(line.rate * 100, "#,##0.####", locale="en")
    name = "" if line.tax_class == STANDARD else f" ({line.tax_class.replace('_', ' ')})"
    return f"Tax {rate}%{name} of\N{NO-BREAK SPACE}{format_money(line.base, currency)}"


def _when(at: datetime, zone: ZoneInfo) -> str:
    """A time as people read it where the shop is: `22 November 2026, 13:00`."""
    return format_datetime(at, "d MMMM y, HH:mm", tzinfo=zone, locale="en")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    """The same time for machines."""
    return at.astimezone(zone).isoformat(timespec="minutes")
