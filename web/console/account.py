"""What members of staff do with their own account: another password."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shop import sign_in, staff
from shop.errors import BadInput, TooManyAttempts
from shop.staff import Passwords
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.signing_in import address_of
from web.console.visit import Visit

PATH = "/console/account"


class AccountPage:
    """The page of whoever is signed in."""

    def __init__(self, console: Console, passwords: Passwords, counting_key: bytes) -> None:
        self._console = console
        self._passwords = passwords
        self._counting_key = counting_key

    def routes(self) -> list[BaseRoute]:
        """The page and its form."""
        route = self._console.route
        return [
            route("/account", self._show, Permission.SIGNED_IN),
            route("/account/password", self._change, Permission.SIGNED_IN, methods=["POST"]),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        return self._console.page(request, visit, "account.html")

    async def _change(self, request: Request, visit: Visit) -> Response:
        """Another password, for who knows the present one: a browser left open is not enough."""
        who, new = visit.who, str(visit.form.get("password", ""))
        present = str(visit.form.get("present", ""))
        attempt = (self._counting_key, who.name, address_of(request))
        try:
            if new != visit.form.get("again"):
                raise BadInput("again", "The new password was not typed the same twice.")
            staff.check_password(who.name, new)
            await self._console.ask(sign_in.count_proof, *attempt)
            known = await self._console.ask(staff.password_hash_of, who.member_id)
            if not await run_in_threadpool(self._passwords.matches, known, present):
                raise BadInput("present", "That is not your present password.")
            await self._console.ask(sign_in.forget_proof, *attempt)
        except (BadInput, TooManyAttempts) as refusal:
            return self._console.refused(PATH, refusal)
        hashed = await run_in_threadpool(self._passwords.hash, new)
        await self._console.ask(staff.set_password, who.name, who.member_id, hashed, but=who.digest)
        return self._console.back(PATH, "Your password is changed. You are signed out everywhere else.")
