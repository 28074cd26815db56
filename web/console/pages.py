"""All pages of the console, put together."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.templating import Jinja2Templates

from settings import Settings
from shop.pictures import Darkroom
from shop.staff import Passwords
from web.console import account
from web.console.account import AccountPage
from web.console.customers import CustomerPages
from web.console.dashboard import DashboardPage
from web.console.frame import Console
from web.console.handoffs import HandoffPages
from web.console.members import MemberPages
from web.console.menu_tools import MenuTools
from web.console.misunderstandings import MisunderstandingPage
from web.console.money import MoneyPages
from web.console.navigation import entries_for
from web.console.order_pages import OrderPages
from web.console.orders import OrderBoard
from web.console.permissions import Permission
from web.console.products import ProductPages
from web.console.settings_pages import DiscountPage, HoursPage
from web.console.signing_in import SignInPages
from web.console.visit import Visit
from whatsapp.identity import Identity
from whatsapp.redis import RedisClient


def console_routes(
    console: Console, settings: Settings, redis: RedisClient, templates: Jinja2Templates
) -> list[BaseRoute]:
    """The routes of /console; every one but sign-in is guarded."""
    key = hmac.new(settings.privacy.phone_index_key, b"sign-in attempts", hashlib.sha256).digest()
    passwords = Passwords()
    pages = (
        SignInPages(console, templates, passwords, key),
        AccountPage(console, passwords, key),
        OrderBoard(console),
        OrderPages(console),
        MoneyPages(console),
        HandoffPages(console, redis, settings.whatsapp.number),
        ProductPages(console, Darkroom()),
        MenuTools(console),
        DiscountPage(console),
        HoursPage(console),
        CustomerPages(console, Identity(settings.privacy)),
        MemberPages(console, passwords),
        DashboardPage(console, redis),
        MisunderstandingPage(console),
    )
    return [
        console.route("", _home, Permission.SIGNED_IN),
        *(route for page in pages for route in page.routes()),
    ]


async def _home(_: Request, visit: Visit) -> Response:
    """The first page that the role has."""
    entries = entries_for(visit.who.role, "")
    return RedirectResponse(entries[0].path if entries else account.PATH, status_code=303)
