"""Pictures of products, for WhatsApp and for whoever looks: uploaded ones, else those of the first menu."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from shop import pictures
from shop.service import Shop

FOR_EVER = "public, max-age=31536000, immutable"
"""A name never gets another picture."""


class Pictures:
    """One address for all pictures, whoever brought them."""

    def __init__(self, shop: Shop, first_menu: Path) -> None:
        self._shop = shop
        self._first_menu = StaticFiles(directory=first_menu)

    def routes(self) -> list[BaseRoute]:
        """Everything below /pictures/."""
        return [Route("/pictures/{name}", self._show)]

    async def _show(self, request: Request) -> Response:
        name = request.path_params["name"]
        if "\0" in name:
            raise HTTPException(404)
        content = await run_in_threadpool(self._shop.run, partial(pictures.find, name=name))
        if content is None:
            return await self._first_menu.get_response(name, request.scope)
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": FOR_EVER})
