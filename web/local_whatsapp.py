"""The local WhatsApp: a phone in the browser, in front of the real webhook.

What is typed is signed and posted as Twilio does it; what the bot sends arrives by the stand-in of
Twilio's API. For development; it refuses to exist in production.
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
from twilio.request_validator import RequestValidator

from settings import Settings
from web.security import BodyTooLarge, read_body
from web.twilio_stand_in import PhoneMessage, Phones
from whatsapp.identity import WHATSAPP_PREFIX, InvalidAddress, number_of

WEBHOOK_PATH = "/webhooks/whatsapp/webhook"
DEFAULT_PHONE = "+2348031234567"
MOST_CHARACTERS = 4096
PING_SECONDS = 15


class LocalWhatsApp:
    """The page, what it posts, and what it listens to."""

    def __init__(
        self, settings: Settings, phones: Phones, client: httpx.AsyncClient, templates: Jinja2Templates
    ) -> None:
        self._settings = settings
        self._phones = phones
        self._client = client
        self._templates = templates
        self._validator = RequestValidator(settings.whatsapp.auth_tokens[0])

    def routes(self) -> list[BaseRoute]:
        """The page at the root and its two calls."""
        return [
            Route("/", self._page),
            Route("/local-whatsapp/messages", self._send, methods=["POST"]),
            Route("/local-whatsapp/events", self._events),
        ]

    async def _page(self, request: Request) -> Response:
        context = {"business_name": self._settings.shop.business_name, "default_phone": DEFAULT_PHONE}
        return self._templates.TemplateResponse(request, "local_whatsapp.html", context)

    async def _send(self, request: Request) -> Response:
        """Post a message to the webhook as Twilio would."""
        try:
            values = json.loads(await read_body(request))
            number = number_of(str(values["phone"]))
            text, name = str(values["text"]).strip(), str(values.get("name") or "")
        except BodyTooLarge:
            return _refusal(413, "That is too long to send.")
        except (ValueError, KeyError, TypeError, InvalidAddress):
            return _refusal(400, "That is not a phone number. Use one such as +2348031234567.")
        if not text or len(text) > MOST_CHARACTERS:
            return _refusal(400, f"Write something, {MOST_CHARACTERS} characters at most.")
        sid = f"SM{secrets.token_hex(16)}"
        try:
            answer = await self._post(sid, number, name, text)
        except httpx.HTTPError:
            return _refusal(502, "The bot does not answer yet. Wait a moment and try again.")
        if answer.status_code != httpx.codes.OK:
            return _refusal(502, f"The bot refused the message (status {answer.status_code}).")
        await self._phones.add(number, PhoneMessage(sid, "in", text, (), datetime.now(UTC)))
        if "<Message>" in answer.text:
            apology = answer.text.split("<Message>")[1].split("</Message>")[0]
            told = PhoneMessage(f"{sid}-answer", "out", apology, (), datetime.now(UTC))
            await self._phones.add(number, told)
        return JSONResponse({"sid": sid}, status_code=202)

    async def _post(self, sid: str, number: str, name: str, text: str) -> httpx.Response:
        fields = {
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": self._settings.whatsapp.account_sid,
            "From": WHATSAPP_PREFIX + number,
            "To": WHATSAPP_PREFIX + self._settings.whatsapp.number,
            "WaId": number.removeprefix("+"),
            "ProfileName": name,
            "Body": text,
            "NumMedia": "0",
            "MessageType": "text",
        }
        url = self._settings.public_base_url + WEBHOOK_PATH
        signature = self._validator.compute_signature(url, fields)
        return await self._client.post(
            self._settings.rasa_url + WEBHOOK_PATH, data=fields, headers={"X-Twilio-Signature": signature}
        )

    async def _events(self, request: Request) -> Response:
        """Everything on a phone, as it comes."""
        try:
            number = number_of(request.query_params.get("phone", ""))
        except InvalidAddress:
            return _refusal(400, "That is not a phone number.")
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
                "sent_at": message.sent_at.isoformat().replace("+00:00", "Z"),
            }
            yield ServerSentEvent(event="message", id=message.sid, data=json.dumps(told))


def _refusal(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status_code=status)
