"""Signing in and out."""

from __future__ import annotations

import hmac
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from shop import sign_in
from shop.errors import TooManyAttempts, WrongCredentials
from shop.sign_in import Attempt
from shop.staff import Passwords
from web.console.frame import HOME, NO_STORE, SESSION_COOKIE, SIGN_IN_PATH, Console
from web.console.permissions import Permission
from web.console.visit import Visit
from web.console.words import words_for
from web.security import BodyTooLarge, household_of, read_form

FORM_COOKIE = "chatcart_sign_in"
"""Before somebody is signed in no session keeps a token for the form: the form repeats this cookie."""


class SignInPages:
    """The one page that needs no session, and the way out."""

    def __init__(
        self, console: Console, templates: Jinja2Templates, passwords: Passwords, counting_key: bytes
    ) -> None:
        self._console = console
        self._templates = templates
        self._passwords = passwords
        self._counting_key = counting_key

    def routes(self) -> list[BaseRoute]:
        """Sign-in, unguarded, and sign-out."""
        return [
            Route(SIGN_IN_PATH, self._show, methods=["GET"]),
            Route(SIGN_IN_PATH, self._sign_in, methods=["POST"]),
            self._console.route("/sign-out", self._sign_out, Permission.SIGNED_IN, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        if await self._console.signed_in(request, touch=False):
            return RedirectResponse(HOME, status_code=303)
        return self._page(request, next_path=request.query_params.get("next", ""))

    async def _sign_in(self, request: Request) -> Response:
        try:
            async with read_form(request) as form:
                values = {name: value for name, value in form.items() if isinstance(value, str)}
        except BodyTooLarge:
            return self._page(request, 413, refusal="That is too much for a name and a password.")
        name, next_path = values.get("name", ""), values.get("next", "")
        cookie = request.cookies.get(FORM_COOKIE, "")
        if not cookie or not hmac.compare_digest(cookie.encode(), values.get("csrf_token", "").encode()):
            return self._page(
                request, 403, name, next_path, "That page was open for too long. Please try again."
            )
        if "\0" in name:
            return self._page(request, 403, "", next_path, words_for(WrongCredentials()))
        attempt = Attempt(name, values.get("password", ""), address_of(request))
        try:
            token = await run_in_threadpool(
                sign_in.sign_in, self._console.shop, self._passwords, self._counting_key, attempt
            )
        except WrongCredentials as refusal:
            return self._page(request, 403, name, next_path, words_for(refusal))
        except TooManyAttempts as refusal:
            response = self._page(request, 429, name, next_path, words_for(refusal))
            response.headers["Retry-After"] = str(refusal.values["minutes"] * 60)
            return response
        response = RedirectResponse(safe_path(next_path), status_code=303)
        self._set_cookie(response, SESSION_COOKIE, token, "lax")
        response.delete_cookie(FORM_COOKIE, path=SIGN_IN_PATH)
        return response

    async def _sign_out(self, request: Request, visit: Visit) -> Response:
        await self._console.ask(sign_in.sign_out, visit.who.digest)
        response = RedirectResponse(SIGN_IN_PATH, status_code=303)
        response.delete_cookie(SESSION_COOKIE, path=HOME)
        return response

    def _page(
        self, request: Request, status: int = 200, name: str = "", next_path: str = "", refusal: str = ""
    ) -> Response:
        token = secrets.token_urlsafe(32)
        context = {
            "business_name": self._console.shop.policy.business_name,
            "csrf_token": token,
            "name": name,
            "next_path": next_path,
            "refusal": refusal,
        }
        response = self._templates.TemplateResponse(request, "console/sign_in.html", context, status)
        response.headers["Cache-Control"] = NO_STORE
        self._set_cookie(response, FORM_COOKIE, token, "strict", SIGN_IN_PATH)
        return response

    def _set_cookie(
        self, response: Response, name: str, value: str, same_site: str, path: str = HOME
    ) -> None:
        # Lax for the session: Strict would ask whoever follows a link from elsewhere to sign in again. What
        # changes anything is a POST with its own token.
        response.set_cookie(
            name,
            value,
            path=path,
            secure=self._console.secure,
            httponly=True,
            samesite="strict" if same_site == "strict" else "lax",
        )


def safe_path(wanted: str) -> str:
    """Where to go after signing in: a page of the console, whatever the address bar was made to say."""
    inside = wanted == HOME or wanted.startswith(f"{HOME}/")
    return wanted if inside and "\\" not in wanted and wanted.isprintable() else HOME


def address_of(request: Request) -> str:
    """Where a request comes from, as attempts are counted."""
    return household_of(request.client.host if request.client else "")
