"""What all pages of the console share: the guard before them, the frame around them.

Before a handler runs, the guard has found out who asks, that the role may do what the route does, and for
anything but GET that the form comes from a page of ours (its `csrf_token` field, or the X-CSRF-Token header)
and is not larger than the route takes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from shop import sign_in
from shop.errors import ShopError, describe
from shop.money import format_money
from shop.service import Shop
from shop.work import Work
from web.console.formatting import ago, moment, when
from web.console.navigation import entries_for
from web.console.permissions import Permission, allows
from web.console.visit import Visit
from web.console.words import METHOD_WORDS, STATUS_WORDS, words_for
from web.security import MOST_BYTES, BodyTooLarge, read_form

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Handler = Callable[[Request, Visit], Awaitable[Response]]

HOME = "/console"
SIGN_IN_PATH = f"{HOME}/sign-in"
SESSION_COOKIE, FLASH_COOKIE = "chatcart_console", "chatcart_flash"
FLASH_SECONDS = 60
READING = ("GET", "HEAD")
NO_STORE = "private, no-store"
NO_PAGE = "There is no such page"


@dataclass(frozen=True)
class Flash:
    """A sentence about what was just done, shown once; `kind` is `done` or `refused`."""

    kind: str
    text: str


class Console:
    """The shop behind the pages, and how a page is guarded, asked for and answered."""

    def __init__(self, shop: Shop, templates: Jinja2Templates, *, secure: bool) -> None:
        """`secure`: the console is served through https, so its cookies travel no other way."""
        self.shop = shop
        self.secure = secure
        self._templates = templates

    def route(
        self,
        path: str,
        handler: Handler,
        permission: Permission,
        *,
        methods: Sequence[str] = ("GET",),
        most_bytes: int = MOST_BYTES,
    ) -> Route:
        """A guarded route below /console."""

        async def guarded(request: Request) -> Response:
            response = await self._serve(request, handler, permission, most_bytes)
            response.headers.setdefault("Cache-Control", NO_STORE)
            return response

        guarded.permission = permission  # type: ignore[attr-defined] # a test walks all routes for it
        return Route(f"{HOME}{path}", guarded, methods=list(methods))

    async def ask(self, operation: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Run a shop function in one transaction, without holding up other pages.

        Raises:
            ShopError
        """
        with self._refusals_counted():
            return await run_in_threadpool(self.shop.run, lambda work: operation(work, *args, **kwargs))

    async def once(
        self, visit: Visit, command: str, operation: Callable[[Work], Result], result_type: type[Result]
    ) -> Result:
        """Carry out what a form asks for at most once, however often that very form is sent.

        Raises:
            ShopError
        """
        if not visit.text("key"):
            raise HTTPException(400, "The form has no key")
        with self._refusals_counted():
            return await run_in_threadpool(self.shop.once, visit.once(), command, result_type, operation)

    @contextmanager
    def _refusals_counted(self) -> Iterator[None]:
        try:
            yield
        except ShopError as refusal:
            self.shop.observer.failed(refusal)
            raise

    async def carry_out(
        self, visit: Visit, path: str, command: str, operation: Callable[[Work], str]
    ) -> Response:
        """Do what a form asks for, once; `path` then says what the operation returned, or why it refused."""
        try:
            return self.back(path, await self.once(visit, command, operation, str))
        except ShopError as error:
            return self.refused(path, error)

    def page(
        self, request: Request, visit: Visit, template: str, status: int = 200, /, **context: Any
    ) -> Response:
        """A page in the console's frame, or a part of one."""
        response = self._templates.TemplateResponse(
            request,
            f"console/{template}",
            {
                "business_name": self.shop.policy.business_name,
                "visit": visit,
                "csrf_token": visit.who.csrf_token,
                "new_key": partial(secrets.token_urlsafe, 16),
                "navigation": entries_for(visit.who.role, request.url.path),
                "flash": _flash_of(request),
                "P": Permission,
                "status_words": STATUS_WORDS,
                "method_words": METHOD_WORDS,
                "money": format_money,
                "ago": ago,
                "when": partial(when, zone=ZoneInfo(self.shop.policy.timezone)),
                "moment": moment,
                **context,
            },
            status_code=status,
        )
        if FLASH_COOKIE in request.cookies and not is_part(request):
            response.delete_cookie(FLASH_COOKIE, path=HOME)
        return response

    def back(self, path: str, text: str = "", kind: str = "done") -> Response:
        """Send the browser to a page, which then says what was done."""
        response = RedirectResponse(path, status_code=303)
        if text:
            told = base64.urlsafe_b64encode(json.dumps([kind, text]).encode()).decode()
            response.set_cookie(
                FLASH_COOKIE,
                told,
                FLASH_SECONDS,
                path=HOME,
                secure=self.secure,
                httponly=True,
                samesite="lax",
            )
        return response

    def refused(self, path: str, error: ShopError) -> Response:
        """Send the browser to a page, which then says why something was not done."""
        return self.back(path, words_for(error), "refused")

    async def signed_in(self, request: Request, *, touch: bool) -> Visit | None:
        """Who asks; None for everybody who is not signed in (any more)."""
        token = request.cookies.get(SESSION_COOKIE, "")
        if not token:
            return None
        who = await self.ask(sign_in.find, token, touch=touch)
        return Visit(who) if who else None

    async def refusal(self, request: Request, permission: Permission) -> Response | None:
        """What to answer whoever may not do this; None: go on. For what is not made of `route`."""
        visit = await self.signed_in(request, touch=True)
        if visit is None:
            return _to_sign_in(request)
        return None if visit.may(permission) else self._not_for_the_role(request, visit)

    def _not_for_the_role(self, request: Request, visit: Visit) -> Response:
        return self.page(request, visit, "refused.html", 403, heading="That is not for your role")

    async def _serve(
        self, request: Request, handler: Handler, permission: Permission, most_bytes: int
    ) -> Response:
        # What a page asks for by itself is not somebody who works: a forgotten board signs itself out.
        visit = await self.signed_in(request, touch=not (is_part(request) and request.method in READING))
        if visit is None:
            return _to_sign_in(request)
        try:
            return await self._handle(request, visit, handler, permission, most_bytes)
        except HTTPException as error:
            return self.page(request, visit, "refused.html", error.status_code, heading=error.detail)
        except SQLAlchemyError as error:
            self.shop.observer.failed(error)
            logger.error("database: %s", describe(error))
            return self.page(request, visit, "refused.html", 503, heading="The database does not answer")

    async def _handle(
        self, request: Request, visit: Visit, handler: Handler, permission: Permission, most_bytes: int
    ) -> Response:
        """Let the handler answer whoever may ask it, and what is sent from a page of ours."""
        if not allows(visit.who.role, permission):
            return self._not_for_the_role(request, visit)
        if "\0" in request.url.path or "\0" in str(request.query_params):
            raise HTTPException(404, NO_PAGE)  # PostgreSQL cannot even be asked for it
        if request.method in READING:
            return await handler(request, visit)
        try:
            async with read_form(request, most_bytes) as form:
                given = form.get("csrf_token") or request.headers.get("x-csrf-token", "")
                if not isinstance(given, str) or not _same(given, visit.who.csrf_token):
                    raise HTTPException(403, "That form is too old to be sent")
                if any("\0" in value for _, value in form.multi_items() if isinstance(value, str)):
                    raise HTTPException(400, "That text cannot be kept")
                return await handler(request, Visit(visit.who, form))
        except BodyTooLarge:
            return self.page(
                request, visit, "refused.html", 413, heading="That is too large", most=most_bytes
            )


def is_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page, not a browser for a whole one."""
    return request.headers.get("hx-request") == "true"


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = SIGN_IN_PATH
    if request.method in READING and wanted != HOME and not is_part(request):
        target += f"?next={quote(wanted)}"
    if is_part(request):
        return Response(status_code=401, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _flash_of(request: Request) -> Flash | None:
    """What was just done, as the cookie tells; nothing from a cookie that we did not write."""
    try:
        kind, text = json.loads(base64.urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, "").encode()))
        return Flash(kind if kind == "done" else "refused", str(text))
    except (ValueError, TypeError, binascii.Error):
        return None
