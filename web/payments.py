"""Payment webhooks, and the sandbox provider's pay page."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from shop.errors import PaymentRejected, ProviderUnavailable
from shop.money import format_money
from shop.payments import flow
from shop.payments.sandbox import SandboxProvider
from shop.service import Shop
from web.security import BodyTooLarge, read_body

logger = logging.getLogger(__name__)


class PaymentPages:
    """The routes through which money is reported. `sandbox` None: its page does not exist."""

    def __init__(
        self, shop: Shop, templates: Jinja2Templates, business_name: str, sandbox: SandboxProvider | None
    ) -> None:
        self._shop = shop
        self._templates = templates
        self._business_name = business_name
        self._sandbox = sandbox

    def routes(self) -> list[BaseRoute]:
        """Webhooks of all providers; the pay page where the sandbox exists."""
        routes: list[BaseRoute] = [
            Route("/payments/webhooks/{provider}", self._webhook, methods=["POST"]),
            Route("/payments/thanks", self._thanks),
        ]
        if self._sandbox is not None:
            routes.append(Route("/payments/sandbox/{reference}", self._pay, methods=["GET", "POST"]))
        return routes

    async def _thanks(self, request: Request) -> Response:
        """Where providers send customers back to: the rest is told in WhatsApp."""
        context = {"business_name": self._business_name}
        return self._templates.TemplateResponse(request, "payment_thanks.html", context)

    async def _webhook(self, request: Request) -> Response:
        """A provider tells what became of a payment."""
        try:
            body = await read_body(request)
        except BodyTooLarge:
            return JSONResponse({"error": "too large"}, status_code=413)
        provider = request.path_params["provider"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            outcome = await asyncio.get_running_loop().run_in_executor(
                self._shop.outside, flow.receive, self._shop, provider, body, headers
            )
        except PaymentRejected as rejection:
            self._shop.observer.failed(rejection)
            logger.warning("payment webhook of %r rejected: %s", provider[:20], rejection)
            return JSONResponse({"error": "rejected"}, status_code=400)
        except ProviderUnavailable as error:
            self._shop.observer.failed(error)
            # The event is kept; told again, or asked about by the jobs, it is applied.
            return JSONResponse({"error": "try again"}, status_code=503)
        return JSONResponse({"outcome": outcome})

    async def _pay(self, request: Request) -> Response:
        """The sandbox's pay page: what is to pay, and a button for each outcome."""
        sandbox = self._sandbox
        assert sandbox is not None
        reference = request.path_params["reference"]
        if "\0" in reference:  # PostgreSQL cannot even be asked for it
            return JSONResponse({"error": "no such payment"}, status_code=404)
        if request.method == "POST":
            try:
                body = await read_body(request)
            except BodyTooLarge:
                return JSONResponse({"error": "too large"}, status_code=413)
            outcome = parse_qs(body.decode("utf-8", "replace")).get("outcome", [""])[0]
            try:
                await asyncio.to_thread(self._settle, sandbox, reference, outcome)
            except PaymentRejected as rejection:
                return JSONResponse({"error": str(rejection)}, status_code=400)
        charge = await asyncio.to_thread(sandbox.charge, reference)
        if charge is None:
            return JSONResponse({"error": "no such payment"}, status_code=404)
        context = {
            "business_name": self._business_name,
            "amount": format_money(charge.amount, charge.currency),
            "paid": charge.paid,
        }
        return self._templates.TemplateResponse(request, "sandbox_payment.html", context)

    def _settle(self, sandbox: SandboxProvider, reference: str, outcome: str) -> None:
        """Decide the charge, then take in its notification by the way of every provider."""
        notification = sandbox.settle(reference, outcome)
        flow.receive(self._shop, sandbox.name, notification.body, notification.headers)
