"""Choices that products share, and the whole menu: imported from a file, checked for names misread."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import menu_desk
from shop.errors import NotThere, ShopError
from shop.menu_import import Menu, MenuRefused, Problem, Rules, read_menu
from shop.work import Work
from web.console.frame import Console, Flash
from web.console.permissions import Permission
from web.console.visit import Visit
from web.console.words import words_for
from web.security import MOST_UPLOADED_BYTES

CHOICES, MENU = "/console/choices", "/console/menu"
MOST_PROBLEMS = 200


class MenuTools:
    """What concerns more than one product."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """Choices; import and check."""
        route, post = self._console.route, ["POST"]
        return [
            route("/choices", self._choices, Permission.MENU_READ),
            route("/choices", self._edit_choice, Permission.MENU, methods=post),
            route("/choices/new", self._new_choice, Permission.MENU),
            route("/choices/{choice}", self._choice, Permission.MENU),
            route("/choices/{choice}/option", self._switch_option, Permission.STOCK, methods=post),
            route("/menu", self._menu, Permission.MENU),
            route(
                "/menu/import", self._import, Permission.MENU, methods=post, most_bytes=MOST_UPLOADED_BYTES
            ),
        ]

    async def _choices(self, request: Request, visit: Visit) -> Response:
        choices = await self._console.ask(menu_desk.choices)
        currency = self._console.shop.policy.currency
        return self._console.page(request, visit, "choices.html", choices=choices, currency=currency)

    async def _choice(self, request: Request, visit: Visit) -> Response:
        try:
            choice = await self._console.ask(menu_desk.choice, request.path_params["choice"])
        except NotThere:
            raise HTTPException(404, "There is no such choice") from None
        offered = [option for option in choice.options if option.available]
        values = {
            "name": choice.name,
            "required": choice.required,
            "most": choice.most,
            "options": [
                {"name": one.name, "price": one.price_difference, "aliases": " | ".join(one.aliases)}
                for one in offered
            ],
        }
        return self._console.page(request, visit, "choice.html", choice=choice, values=values)

    async def _new_choice(self, request: Request, visit: Visit) -> Response:
        values = {"most": 1, "options": []}
        return self._console.page(request, visit, "choice.html", choice=None, values=values)

    async def _edit_choice(self, request: Request, visit: Visit) -> Response:
        """A choice with its options in order; a line without a name is none."""
        typed = _typed_choice(visit)
        row = {
            **typed,
            "options": [
                {"name": one["name"], "price_difference": one["price"] or "0", "aliases": one["aliases"]}
                for one in typed["options"]
            ],
        }

        def edit(work: Work) -> str:
            return menu_desk.edit_choice(work, visit.who.name, row).name

        try:
            name = await self._console.once(visit, "edit choice", edit, str)
        except ShopError as error:
            flash = Flash("refused", words_for(error))
            return self._console.page(
                request, visit, "choice.html", 422, choice=None, values=typed, flash=flash
            )
        return self._console.back(CHOICES, f"{name} is changed, for every product that has it.")

    async def _switch_option(self, request: Request, visit: Visit) -> Response:
        choice_id, name = request.path_params["choice"], visit.text("option")
        available = visit.text("available") == "yes"

        def switch(work: Work) -> str:
            menu_desk.set_option_available(work, visit.who.name, choice_id, name, available)
            return f"{name} is {'on sale again' if available else 'off sale'}."

        return await self._console.carry_out(visit, CHOICES, f"option {choice_id} {name}", switch)

    async def _menu(self, request: Request, visit: Visit) -> Response:
        return await self._show_menu(request, visit)

    async def _import(self, request: Request, visit: Visit) -> Response:
        """A file's menu: all of it, or none and why."""
        upload = visit.file("menu")
        if upload is None:
            return self._console.back(MENU, "Choose a file first.", "refused")
        content = await upload.read(MOST_UPLOADED_BYTES)
        price, replace = visit.text("price"), visit.text("replace") == "yes"
        try:
            rules = Rules.of(self._console.shop.policy, price)
        except ValueError as error:
            return self._console.back(MENU, f"One price for all: {error}.", "refused")
        menu = await run_in_threadpool(read_menu, content, rules)
        try:
            done = await self._console.once(visit, "import menu", self._importing(visit, menu, replace), str)
        except MenuRefused as refused:
            return await self._show_menu(request, visit, refused.problems)
        return self._console.back(MENU, done)

    def _importing(self, visit: Visit, menu: Menu, replace: bool) -> partial[str]:
        return partial(menu_desk.import_file, staff=visit.who.name, menu=menu, replace=replace)

    async def _show_menu(
        self, request: Request, visit: Visit, problems: tuple[Problem, ...] | None = None
    ) -> Response:
        warnings = await self._console.ask(menu_desk.warnings)
        context: dict[str, Any] = {}
        if problems is not None:
            context["flash"] = Flash("refused", f"Nothing was imported; problems: {len(problems)}.")
        return self._console.page(
            request,
            visit,
            "menu.html",
            200 if problems is None else 422,
            warnings=warnings,
            problems=(problems or ())[:MOST_PROBLEMS],
            more=max(0, len(problems or ()) - MOST_PROBLEMS),
            **context,
        )


def _typed_choice(visit: Visit) -> dict[str, Any]:
    columns = [
        [str(value).strip() for value in visit.form.getlist(name)] for name in ("option", "price", "aliases")
    ]
    return {
        "name": visit.text("name"),
        "required": visit.text("required") == "yes",
        "most": visit.text("most") or "1",
        "options": [
            {"name": name, "price": price, "aliases": aliases}
            for name, price, aliases in zip(*columns, strict=False)
            if name
        ],
    }
