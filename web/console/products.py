"""The menu: products with price, picture, stock and choices; one click takes one off sale."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import menu_desk
from shop.errors import ChangedMeanwhile, NotThere, ShopError
from shop.pictures import Darkroom
from shop.work import Work
from web.console.fields import whole_or_none
from web.console.frame import Console, Flash
from web.console.permissions import Permission
from web.console.visit import Visit
from web.console.words import words_for
from web.security import MOST_UPLOADED_BYTES

PATH = "/console/products"
FIELDS = ("name", "category", "price", "description", "tax_class")
LISTS = ("aliases", "removable")


class ProductPages:
    """The list, a product's page, and what is done with them."""

    def __init__(self, console: Console, darkroom: Darkroom) -> None:
        self._console = console
        self._darkroom = darkroom

    def routes(self) -> list[BaseRoute]:
        """Everybody reads; staff sets stock and sells out; the owner edits."""
        route, post = self._console.route, ["POST"]
        upload = partial(route, methods=post, most_bytes=MOST_UPLOADED_BYTES)
        return [
            route("/products", self._list, Permission.MENU_READ),
            route("/products/new", self._new, Permission.MENU),
            upload("/products/new", self._add, Permission.MENU),
            route("/products/{product}", self._show, Permission.MENU_READ),
            upload("/products/{product}", self._edit, Permission.MENU),
            route("/products/{product}/sold-out", self._sold_out, Permission.STOCK, methods=post),
            route("/products/{product}/stock", self._stock, Permission.STOCK, methods=post),
        ]

    async def _list(self, request: Request, visit: Visit) -> Response:
        asked = request.query_params.get("asked", "")[:100]
        page = await self._console.ask(menu_desk.products, asked, request.query_params.get("after"))
        return self._console.page(
            request, visit, "products.html", page=page, asked=asked, currency=self._currency
        )

    async def _show(self, request: Request, visit: Visit) -> Response:
        product = await self._find(request)
        return await self._form(request, visit, product, _kept(product), version=product.version)

    async def _new(self, request: Request, visit: Visit) -> Response:
        values: dict[str, Any] = {"available": True, "tax_class": "standard", "choices": []}
        return await self._form(request, visit, None, values)

    async def _add(self, request: Request, visit: Visit) -> Response:
        """A new product; what was typed stays in the form where it is refused."""
        values = {**_typed(visit), "sku": visit.text("sku")}
        try:
            picture = await self._picture(visit)
            units = whole_or_none(visit, "stock", "Stock")

            def add(work: Work) -> str:
                row = {**_row(values), "sku": values["sku"], "stock": units}
                return str(menu_desk.add_product(work, visit.who.name, row, picture).id)

            made = await self._console.once(visit, "add product", add, str)
        except ShopError as error:
            typed = {**values, "stock": visit.text("stock")}
            return await self._form(request, visit, None, typed, error=error)
        return self._console.back(f"{PATH}/{made}", f"{values['name']} is on the menu.")

    async def _edit(self, request: Request, visit: Visit) -> Response:
        """Change a product; the customers' next message knows."""
        product, values, version = await self._find(request), _typed(visit), visit.text("version")
        try:
            picture = await self._picture(visit)

            def edit(work: Work) -> str:
                who, row = visit.who.name, _row(values)
                return menu_desk.edit_product(work, who, str(product.id), row, picture, version).name

            name = await self._console.once(visit, f"edit product {product.id}", edit, str)
        except ChangedMeanwhile as error:
            product = await self._find(request)
            differs = {label: value for label, value in _kept(product).items() if value != values[label]}
            return await self._form(
                request, visit, product, values, version=product.version, error=error, differs=differs
            )
        except ShopError as error:
            return await self._form(request, visit, product, values, version=version, error=error)
        return self._console.back(f"{PATH}/{product.id}", f"{name} is changed.")

    async def _sold_out(self, request: Request, visit: Visit) -> Response:
        """The switch: off sale from the next message on, or back."""
        product_id, sold_out = request.path_params["product"], visit.text("sold_out") == "yes"

        def switch(work: Work) -> str:
            name = menu_desk.set_sold_out(work, visit.who.name, product_id, sold_out)
            return f"{name} is {'sold out' if sold_out else 'on sale again'}, from the next message on."

        return await self._console.carry_out(
            visit, _back(visit, product_id), f"sold out {product_id}", switch
        )

    async def _stock(self, request: Request, visit: Visit) -> Response:
        """How many there are, or how many came."""
        product_id, added = request.path_params["product"], visit.text("how") == "added"

        def count(work: Work) -> str:
            units = whole_or_none(visit, "units", "Units", menu_desk.MOST_UNITS)
            return menu_desk.set_stock(work, visit.who.name, product_id, units, added=added)

        return await self._console.carry_out(visit, _back(visit, product_id), f"stock {product_id}", count)

    async def _form(
        self,
        request: Request,
        visit: Visit,
        product: menu_desk.ProductFile | None,
        values: Mapping[str, Any],
        *,
        version: str = "",
        error: ShopError | None = None,
        differs: Mapping[str, Any] | None = None,
    ) -> Response:
        """The form with these values, and what the lint says about the product's names.

        `differs`: what somebody made of it meanwhile, where that is not what was typed.
        """
        known = await self._console.ask(menu_desk.known)
        names = [product.name, *product.aliases] if product else None
        warnings = await self._console.ask(menu_desk.warnings, names) if names else []
        context: dict[str, Any] = {"flash": Flash("refused", words_for(error))} if error else {}
        chosen = values["choices"]
        return self._console.page(
            request,
            visit,
            "product.html",
            422 if error else 200,
            product=product,
            values=values,
            known=known,
            choices=[*chosen, *(name for name in known.choices if name not in chosen)],
            chosen=chosen,
            warnings=warnings,
            currency=self._currency,
            version=version,
            differs=differs or {},
            **context,
        )

    async def _find(self, request: Request) -> menu_desk.ProductFile:
        try:
            return await self._console.ask(menu_desk.product, request.path_params["product"])
        except NotThere:
            raise HTTPException(404, "There is no such product") from None

    async def _picture(self, visit: Visit) -> bytes | None:
        """The picture that was uploaded, ready to be kept.

        Raises:
            BadInput
        """
        upload = visit.file("picture")
        if upload is None:
            return None
        content = await upload.read(MOST_UPLOADED_BYTES)
        return await run_in_threadpool(self._darkroom.prepare, content)

    @property
    def _currency(self) -> str:
        return self._console.shop.policy.currency


def _typed(visit: Visit) -> dict[str, Any]:
    """The product's form as it was filled in."""
    values: dict[str, Any] = {name: visit.text(name) for name in FIELDS}
    values |= {name: [line for line in visit.text(name).splitlines() if line.strip()] for name in LISTS}
    values["choices"] = [str(name) for name in visit.form.getlist("choices")]
    values["available"] = visit.text("available") == "yes"
    return values


def _kept(product: menu_desk.ProductFile) -> dict[str, Any]:
    """The same, filled in with what is kept."""
    values: dict[str, Any] = {name: str(getattr(product, name)) for name in FIELDS}
    values |= {name: list(getattr(product, name)) for name in (*LISTS, "choices")}
    return {**values, "available": product.available}


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form as a row of a menu's file, where a product's choices are its options."""
    row = {name: values[name] for name in (*FIELDS, *LISTS, "available")}
    return {**row, "options": values["choices"]}


def _back(visit: Visit, product_id: str) -> str:
    """Where the form was: on the list, as it was searched, or on the product's page."""
    if visit.text("from") == "product":
        return f"{PATH}/{product_id}"
    return f"{PATH}?{visit.text('query')}" if visit.text("query") else PATH
