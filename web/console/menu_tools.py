"""Choices that products share, and the whole menu: imported from a file, checked for names misread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import choice_desk, menu_desk
from shop.errors import ChangedMeanwhile, NotThere, ShopError
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
            route("/choices/new", self._new_choice, Permission.MENU),
            route("/choices/new", self._add_choice, Permission.MENU, methods=post),
            route("/choices/{choice}", self._choice, Permission.MENU),
            route("/choices/{choice}", self._edit_choice, Permission.MENU, methods=post),
            route("/choices/{choice}/option", self._switch_option, Permission.STOCK, methods=post),
            route("/menu", self._menu, Permission.MENU),
            route(
                "/menu/import", self._import, Permission.MENU, methods=post, most_bytes=MOST_UPLOADED_BYTES
            ),
        ]

    async def _choices(self, request: Request, visit: Visit) -> Response:
        choices = await self._console.ask(choice_desk.choices)
        currency = self._console.shop.policy.currency
        return self._console.page(request, visit, "choices.html", choices=choices, currency=currency)

    async def _choice(self, request: Request, visit: Visit) -> Response:
        choice = await self._find(request)
        return self._form(request, visit, choice, _kept(choice), version=choice.version)

    async def _new_choice(self, request: Request, visit: Visit) -> Response:
        return self._form(request, visit, None, {"most": 1, "options": []})

    async def _add_choice(self, request: Request, visit: Visit) -> Response:
        """A new choice with its options in order; a line without a name is none."""
        typed = _typed_choice(visit)

        def add(work: Work) -> str:
            return choice_desk.add_choice(work, visit.who.name, _row(typed)).name

        try:
            name = await self._console.once(visit, "add choice", add, str)
        except ShopError as error:
            return self._form(request, visit, None, typed, error=error)
        return self._console.back(CHOICES, f"Products can have the choice {name} now.")

    async def _edit_choice(self, request: Request, visit: Visit) -> Response:
        """Change a choice; what was typed stays in its form where it is refused."""
        choice, typed, version = await self._find(request), _typed_choice(visit), visit.text("version")

        def edit(work: Work) -> str:
            who = visit.who.name
            return choice_desk.edit_choice(work, who, str(choice.id), _row(typed), version).name

        try:
            name = await self._console.once(visit, f"edit choice {choice.id}", edit, str)
        except ChangedMeanwhile as error:
            choice = await self._find(request)
            return self._form(
                request, visit, choice, typed, version=choice.version, error=error, differs=_in_words(choice)
            )
        except ShopError as error:
            return self._form(request, visit, choice, typed, version=version, error=error)
        return self._console.back(CHOICES, f"{name} is changed, for every product that has it.")

    async def _find(self, request: Request) -> choice_desk.ChoiceFile:
        try:
            return await self._console.ask(choice_desk.choice, request.path_params["choice"])
        except NotThere:
            raise HTTPException(404, "There is no such choice") from None

    def _form(
        self,
        request: Request,
        visit: Visit,
        choice: choice_desk.ChoiceFile | None,
        values: Mapping[str, Any],
        *,
        version: str = "",
        error: ShopError | None = None,
        differs: Mapping[str, Any] | None = None,
    ) -> Response:
        """A choice's form with these values; `differs`: what somebody made of it meanwhile."""
        context: dict[str, Any] = {"flash": Flash("refused", words_for(error))} if error else {}
        return self._console.page(
            request,
            visit,
            "choice.html",
            422 if error else 200,
            choice=choice,
            values=values,
            version=version,
            differs=differs or {},
            **context,
        )

    async def _switch_option(self, request: Request, visit: Visit) -> Response:
        choice_id, name = request.path_params["choice"], visit.text("option")
        available = visit.text("available") == "yes"

        def switch(work: Work) -> str:
            choice_desk.set_option_available(work, visit.who.name, choice_id, name, available)
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


def _kept(choice: choice_desk.ChoiceFile) -> dict[str, Any]:
    """A choice's form, filled in with what is kept of it; options that are off sale are not in it."""
    return {
        "name": choice.name,
        "required": choice.required,
        "most": choice.most,
        "options": [
            {"name": one.name, "price": one.price_difference, "aliases": " | ".join(one.aliases)}
            for one in choice.options
            if one.available
        ],
    }


def _in_words(choice: choice_desk.ChoiceFile) -> dict[str, str]:
    """A choice as it is, for whoever typed something else."""
    on_sale = [f"{one.name} {one.price_difference:+.2f}" for one in choice.options if one.available]
    every_unit = "every unit has one" if choice.required else f"up to {choice.most}"
    return {"options": ", ".join(on_sale), "how many": every_unit}


def _row(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The form as an option group of a menu's file."""
    options = [
        {"name": one["name"], "price_difference": one["price"] or "0", "aliases": one["aliases"]}
        for one in typed["options"]
    ]
    return {**typed, "options": options}


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
