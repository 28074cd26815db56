"""Members of staff, and the record of what they did: for whoever owns the shop."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from db.models import StaffRole
from shop import audit, staff
from shop.errors import BadInput, ShopError
from shop.staff import Passwords
from shop.work import Work
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.visit import Visit

PATH = "/console/members"


class MemberPages:
    """Who can sign in, and what was done."""

    def __init__(self, console: Console, passwords: Passwords) -> None:
        self._console = console
        self._passwords = passwords

    def routes(self) -> list[BaseRoute]:
        """The list with its forms; the record."""
        route, post = self._console.route, ["POST"]
        return [
            route("/members", self._show, Permission.MEMBERS),
            route("/members", self._add, Permission.MEMBERS, methods=post),
            route("/members/{member}/role", self._set_role, Permission.MEMBERS, methods=post),
            route("/members/{member}/active", self._set_active, Permission.MEMBERS, methods=post),
            route("/members/{member}/password", self._set_password, Permission.MEMBERS, methods=post),
            route("/record", self._record, Permission.RECORD),
        ]

    async def _show(self, request: Request, visit: Visit) -> Response:
        members = await self._console.ask(staff.members)
        return self._console.page(request, visit, "members.html", members=members, roles=list(StaffRole))

    async def _add(self, request: Request, visit: Visit) -> Response:
        try:
            name, role = staff.check_name(visit.text("name")), _role(visit)
            hashed = await self._hashed(visit, name)

            def add(work: Work) -> str:
                made = staff.add_member(work, visit.who.name, name, hashed, role)
                return f"{made.name} can sign in."

            return await self._console.carry_out(visit, PATH, "add member", add)
        except ShopError as error:
            return self._console.refused(PATH, error)

    async def _set_role(self, request: Request, visit: Visit) -> Response:
        member_id = request.path_params["member"]

        def set_role(work: Work) -> str:
            member = staff.set_role(work, visit.who.name, member_id, _role(visit))
            return f"{member.name} is {member.role.value} now."

        return await self._console.carry_out(visit, PATH, f"role {member_id}", set_role)

    async def _set_active(self, request: Request, visit: Visit) -> Response:
        member_id, active = request.path_params["member"], visit.text("active") == "yes"

        def set_active(work: Work) -> str:
            member = staff.set_active(work, visit.who.name, member_id, active)
            return f"{member.name} {'can sign in again' if active else 'is signed out and cannot sign in'}."

        return await self._console.carry_out(visit, PATH, f"active {member_id}", set_active)

    async def _set_password(self, request: Request, visit: Visit) -> Response:
        member_id = request.path_params["member"]
        try:
            hashed = await self._hashed(visit, visit.text("name") or "?")

            def set_password(work: Work) -> str:
                staff.set_password(work, visit.who.name, member_id, hashed)
                return "The password is changed; that member is signed out everywhere."

            return await self._console.carry_out(visit, PATH, f"password {member_id}", set_password)
        except ShopError as error:
            return self._console.refused(PATH, error)

    async def _record(self, request: Request, visit: Visit) -> Response:
        page = await self._console.ask(audit.page, request.query_params.get("after"))
        return self._console.page(request, visit, "record.html", page=page)

    async def _hashed(self, visit: Visit, name: str) -> str:
        """The hash of the password that was typed, blanks and all.

        Raises:
            BadInput
        """
        password = str(visit.form.get("password", ""))
        staff.check_password(name, password)
        return await run_in_threadpool(self._passwords.hash, password)


def _role(visit: Visit) -> StaffRole:
    try:
        return StaffRole(visit.text("role"))
    except ValueError:
        raise BadInput("role", "Choose a role.") from None
