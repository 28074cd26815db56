"""The page of the local WhatsApp, what it posts, and what it listens to.

What is typed is signed and posted as Twilio does it; what the bot sends arrives by the stand-in of
Twilio's API.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from settings import Settings
from web.local_whatsapp.content import Content, NothingToSend, read_content
from web.local_whatsapp.network import Network, Outcome
from web.local_whatsapp.phones import PhoneMessage
from web.local_whatsapp.pictures import MOST_BYTES, NoPicture, Pictures
from web.local_whatsapp.twilio_api import TwilioStandIn
from web.security import BodyTooLarge, read_body, read_form
from whatsapp.identity import InvalidAddress, number_of

DEFAULT_PHONE = "+2348031234567"
PING_SECONDS = 15
NOT_UP = "The bot does not answer yet. Wait a moment and try again."
NO_NUMBER = "That is not a phone number. Use one such as +2348031234567."


class LocalWhatsApp:
    """The page and everything that phones do by themselves."""

    def __init__(
        self,
        settings: Settings,
        twilio: TwilioStandIn,
        network: Network,
        templates: Jinja2Templates,
    ) -> None:
        self._settings = settings
        self._phones = twilio.phones
        self._network = network
        self._templates = templates
        self._pictures = Pictures()

    def routes(self) -> list[BaseRoute]:
        """The page at the root and its calls."""
        return [
            Route("/", self._page),
            Route("/local-whatsapp/messages", self._send, methods=["POST"]),
            Route("/local-whatsapp/pictures", self._upload, methods=["POST"]),
            Route("/local-whatsapp/media/{id}", self._media),
            Route("/local-whatsapp/events", self._events),
        ]

    async def _page(self, request: Request) -> Response:
        context = {"business_name": self._settings.shop.business_name, "default_phone": DEFAULT_PHONE}
        return self._templates.TemplateResponse(request, "local_whatsapp.html", context)

    async def _send(self, request: Request) -> Response:
        """Send a message from a phone."""
        try:
            values = json.loads(await read_body(request))
            number = number_of(str(values["phone"]))
            name = str(values.get("name") or "")
            content = read_content(values, f"{self._settings.web_url}/local-whatsapp/media")
        except BodyTooLarge:
            return refusal(413, "That is too long to send.")
        except NothingToSend as problem:
            return refusal(400, str(problem))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidAddress):
            return refusal(400, NO_NUMBER)
        sid = f"SM{secrets.token_hex(16)}"
        try:
            outcome = await self._network.send(number, self._network.form(sid, number, name, content.fields))
        except httpx.HTTPError:
            return refusal(502, NOT_UP)
        if outcome is not None and outcome.refused:
            return refusal(502, f"The bot refused the message (status {outcome.refused}).")
        status = "waiting" if outcome is None else "delivered"
        await self._phones.add(number, _sent(sid, content, status))
        if outcome is not None:
            await self.show_apology(number, outcome)
        return JSONResponse({"sid": sid}, status_code=202)

    async def show_apology(self, number: str, outcome: Outcome) -> None:
        """What the webhook itself answered, as Twilio shows it."""
        if outcome.apology:
            told = PhoneMessage(f"{outcome.sid}-answer", "out", outcome.apology, (), datetime.now(UTC))
            await self._phones.add(number, told)

    async def _upload(self, request: Request) -> Response:
        """Keep a picture that is about to be sent."""
        try:
            async with read_form(request, MOST_BYTES) as form:
                file = form.get("picture")
                if file is None or isinstance(file, str):
                    return refusal(400, "Choose a picture.")
                picture_id = self._pictures.keep(await file.read())
        except BodyTooLarge:
            return refusal(413, "WhatsApp takes pictures of up to 5 MB.")
        except NoPicture:
            return refusal(400, "WhatsApp takes JPEG, PNG and WebP pictures.")
        return JSONResponse({"picture": picture_id}, status_code=201)

    async def _media(self, request: Request) -> Response:
        picture = self._pictures.find(request.path_params["id"])
        if picture is None:
            return refusal(404, "That picture is gone.")
        return Response(picture.content, media_type=picture.media_type)

    async def _events(self, request: Request) -> Response:
        """Everything on a phone, as it comes."""
        try:
            number = number_of(request.query_params.get("phone", ""))
        except InvalidAddress:
            return refusal(400, "That is not a phone number.")
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return EventSourceResponse(self._follow(number), ping=PING_SECONDS, headers=headers)

    async def _follow(self, number: str) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(comment="here", retry=1000)
        async for message in self._phones.follow(number):
            told = {
                "sid": message.sid,
                "direction": message.direction,
                "body": message.body,
                "media": list(message.media),
                "buttons": [list(button) for button in message.buttons],
                "layout": message.layout,
                "status": message.status,
                "sent_at": message.sent_at.isoformat().replace("+00:00", "Z"),
            }
            yield ServerSentEvent(event="message", id=message.sid, data=json.dumps(told))


def _sent(sid: str, content: Content, status: str) -> PhoneMessage:
    media = (f"/local-whatsapp/media/{content.picture}",) if content.picture else ()
    return PhoneMessage(
        sid, "in", content.shown, media, datetime.now(UTC), layout=content.layout, status=status
    )


def refusal(status: int, error: str) -> JSONResponse:
    """What cannot be done, in a sentence."""
    return JSONResponse({"error": error}, status_code=status)
