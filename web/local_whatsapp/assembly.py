"""All parts of the local WhatsApp, put together."""

from __future__ import annotations

import httpx
from starlette.routing import BaseRoute
from starlette.templating import Jinja2Templates

from settings import Settings
from shop.payments.sandbox import SandboxProvider
from web.local_whatsapp.callbacks import Callbacks
from web.local_whatsapp.controls import Controls
from web.local_whatsapp.network import Network
from web.local_whatsapp.pages import LocalWhatsApp
from web.local_whatsapp.twilio_api import TwilioStandIn
from whatsapp.identity import Identity
from whatsapp.redis import RedisClient


def local_whatsapp_routes(
    settings: Settings,
    sandbox: SandboxProvider | None,
    redis: RedisClient,
    client: httpx.AsyncClient,
    templates: Jinja2Templates,
) -> list[BaseRoute]:
    """The routes of the page and of the stand-in of Twilio's API; none in production."""
    if settings.is_production or sandbox is None:
        return []
    callbacks = Callbacks(client, settings.whatsapp, settings.public_base_url, settings.rasa_url)
    twilio = TwilioStandIn(settings.whatsapp, callbacks)
    network = Network(settings, client)
    page = LocalWhatsApp(settings, twilio, network, templates)
    controls = Controls(twilio, network, page, redis, Identity(settings.privacy), sandbox.charge)
    return [*twilio.routes(), *page.routes(), *controls.routes()]
