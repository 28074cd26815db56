"""Every table, read-only, for whoever owns the shop: pages that sqladmin generates, behind our guard.

Why sqladmin, and what its pages may load: docs/decisions/0014-console.md.
"""

from __future__ import annotations

import types
from pathlib import Path

from sqladmin import Admin, ModelView
from sqlalchemy import Engine, String, Text
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.models import Base, CommandResult, Picture, SignInAttempts, StaffSession
from web.console.frame import HOME, NO_STORE, READING, Console
from web.console.permissions import Permission

PATH = f"{HOME}/data"
TEMPLATES = Path(__file__).parent.parent / "templates"
NOT_SHOWN = (StaffSession, SignInAttempts, Picture, CommandResult)
"""Tables that are a secret, a picture, or a copy."""
HIDDEN = frozenset(
    "password_hash token_digest csrf_token phone_number phone_lookup phone_lookup_next receipt_token url"
    " payload".split()
)
"""Columns with which somebody could sign in, be called, or open what is not theirs."""
SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""As everywhere, and the icons: a font, and pictures that are written into its style sheets."""


class ReadOnly(ModelView):
    """A table that can be looked at."""

    can_create = can_edit = can_delete = can_export = can_import = False
    page_size = 25


class OwnersOnly:
    """Lets nobody pass who may not read all data, and no request that could change any."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self._app = app
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        refusal = await self._console.refusal(request, Permission.DATA)
        if refusal is None and request.method not in READING:
            refusal = PlainTextResponse("Nothing can be changed here.", 405, {"Allow": ", ".join(READING)})
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = NO_STORE
                headers["Content-Security-Policy"] = SECURITY
            await send(message)

        await self._app(scope, receive, send_with_headers)


def add_data_pages(app: Starlette, console: Console) -> None:
    """Mount the generated pages at /console/data."""
    admin = Admin(
        app,
        session_maker=reading_sessions(console.shop.sessions.kw["bind"]),
        base_url=PATH,
        title=f"{console.shop.policy.business_name}: all data",
        templates_dir=str(TEMPLATES),
        middlewares=[Middleware(OwnersOnly, console=console)],
    )
    for model in sorted(Base.__subclasses__(), key=lambda model: model.__tablename__):
        if model not in NOT_SHOWN:
            admin.add_view(_view_of(model))


def reading_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions in which PostgreSQL itself refuses what these pages should never try."""
    return sessionmaker(engine.execution_options(postgresql_readonly=True), expire_on_commit=False)


def _view_of(model: type[Base]) -> type[ModelView]:
    """A read-only view of a table, without what is hidden."""
    shown = [column for column in model.__mapper__.column_attrs if column.key not in HIDDEN]
    names = [column.key for column in shown]
    words = [one.key for one in shown if isinstance(one.columns[0].type, String | Text)]
    table = model.__tablename__.replace("_", " ")
    options = {
        "name": table,
        "name_plural": table,
        "column_list": names,
        "column_details_list": names,
        "column_sortable_list": names,
        "column_searchable_list": words,
        "column_default_sort": ("created_at", True) if "created_at" in names else [],
    }
    return types.new_class(
        f"{model.__name__}View",
        (ReadOnly,),
        {"model": model},
        lambda body: body.update(options),
    )
