"""Customers: their number masked, shown only on demand; their data handed out, or erased.

What is searched for is never in an address: names and numbers would end up in histories and logs.
"""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from shop import customer_desk, privacy
from shop.customer_desk import CustomersPage
from shop.errors import NotThere, ShopError
from shop.known_customers import CacheUnavailable
from shop.work import Work
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.visit import Visit
from whatsapp.identity import Identity, InvalidAddress, mask, number_of

PATH = "/console/customers"
CONFIRMATION = "erase"


class CustomerPages:
    """The list, a customer's page, and what is done with a customer's data."""

    def __init__(self, console: Console, identity: Identity) -> None:
        self._console = console
        self._identity = identity

    def routes(self) -> list[BaseRoute]:
        """Staff reads; the owner hands data out and erases."""
        route, post = self._console.route, ["POST"]
        return [
            route("/customers", self._list, Permission.CUSTOMERS),
            route("/customers", self._find, Permission.CUSTOMERS, methods=post),
            route("/customers/{customer}", self._show, Permission.CUSTOMERS),
            route("/customers/{customer}/number", self._number, Permission.CUSTOMER_NUMBERS, methods=post),
            route("/customers/{customer}/export", self._export, Permission.CUSTOMER_DATA, methods=post),
            route("/customers/{customer}/erase", self._erase, Permission.CUSTOMER_DATA, methods=post),
        ]

    async def _list(self, request: Request, visit: Visit) -> Response:
        page = await self._console.ask(customer_desk.customers, request.query_params.get("after"))
        return await self._render_list(request, visit, page)

    async def _find(self, request: Request, visit: Visit) -> Response:
        """By a whole number, or by a part of the name."""
        asked = visit.text("asked")[:100]
        if not asked:
            return RedirectResponse(PATH, status_code=303)
        try:
            lookup = self._identity.pseudonym(number_of(asked))
        except InvalidAddress:
            page = await self._console.ask(customer_desk.named, asked)
            return await self._render_list(request, visit, page, asked)
        found = await self._console.ask(customer_desk.known_as, lookup)
        if found is None:
            return self._console.back(PATH, "Nobody with that number has written yet.", "refused")
        return RedirectResponse(f"{PATH}/{found}", status_code=303)

    async def _show(self, request: Request, visit: Visit) -> Response:
        return await self._render(request, visit)

    async def _number(self, request: Request, visit: Visit) -> Response:
        """The number, on this one page, after it was recorded who asked."""
        customer_id = request.path_params["customer"]
        always = visit.may(Permission.CUSTOMER_DATA)
        try:
            address = await self._console.ask(
                customer_desk.show_number, visit.who.name, customer_id, always=always
            )
        except ShopError as error:
            return self._console.refused(f"{PATH}/{customer_id}", error)
        return await self._render(request, visit, number=self._unsealed(address))

    async def _export(self, request: Request, visit: Visit) -> Response:
        """All that is kept, as a file."""
        customer_id = request.path_params["customer"]
        try:
            exported = await self._console.ask(customer_desk.export, visit.who.name, customer_id)
        except NotThere:
            raise HTTPException(404, "There is no such customer") from None
        address = exported.pop("address")
        profile = exported["profile"]
        assert isinstance(profile, dict)
        profile["phone_number"] = self._unsealed(str(address)) if address else None
        body = json.dumps(exported, default=privacy.plain, ensure_ascii=False, indent=2)
        headers = {"Content-Disposition": f'attachment; filename="customer-{profile["id"]}.json"'}
        return Response(body, media_type="application/json", headers=headers)

    async def _erase(self, request: Request, visit: Visit) -> Response:
        """For who asked for it; the word is typed, since nothing brings a customer back."""
        customer_id = request.path_params["customer"]
        page = f"{PATH}/{customer_id}"
        if visit.text("confirmation").casefold() != CONFIRMATION:
            return self._console.back(page, f"Type the word {CONFIRMATION}. Nothing was erased.", "refused")

        def erase(work: Work) -> int:
            return customer_desk.erase(work, visit.who.name, customer_id)

        try:
            kept = await self._console.once(visit, f"erase {customer_id}", erase, int)
        except ShopError as error:
            return self._console.refused(page, error)
        except CacheUnavailable:
            return self._console.back(page, "Redis is out of reach. Nothing was erased.", "refused")
        orders = f"{kept} order{'s' if kept != 1 else ''} without a person stay in the books"
        return self._console.back(PATH, f"The customer is erased; {orders if kept else 'nothing is left'}.")

    async def _render_list(
        self, request: Request, visit: Visit, page: CustomersPage, asked: str = ""
    ) -> Response:
        masked = await run_in_threadpool(
            lambda: {one.id: self._masked(one.address) for one in page.customers}
        )
        return self._console.page(request, visit, "customers.html", page=page, masked=masked, asked=asked)

    async def _render(self, request: Request, visit: Visit, number: str = "") -> Response:
        try:
            found = await self._console.ask(customer_desk.find, request.path_params["customer"])
        except NotThere:
            raise HTTPException(404, "There is no such customer") from None
        return self._console.page(
            request,
            visit,
            "customer.html",
            file=found,
            masked=self._masked(found.row.address),
            number=number,
            may_see=visit.may(Permission.CUSTOMER_DATA) or found.under_way,
            confirmation=CONFIRMATION,
        )

    def _masked(self, address: str | None) -> str:
        return mask(self._unsealed(address)) if address else ""

    def _unsealed(self, address: str) -> str:
        try:
            return self._identity.unseal(address)
        except InvalidAddress:
            return ""  # sealed with a key that was taken away too early
