"""A stand-in for the part of Twilio's API that the sender uses: the "Messages" resource."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from settings import WhatsAppSettings
from web.local_whatsapp.callbacks import Callbacks
from web.local_whatsapp.faults import AT_ONCE, LATER, SILENT, Faults
from web.local_whatsapp.phones import PhoneMessage, Phones
from whatsapp.content import MOST_BUTTONS
from whatsapp.identity import WHATSAPP_PREFIX

MOST_CHARACTERS = 1600
HANG_SECONDS = 12.0
"""Longer than the sender waits for an answer."""


class TwilioStandIn:
    """Creates and lists messages; delivers them to `phones`, unless `faults` say otherwise.

    Without `callbacks` nobody is told what becomes of a message.
    """

    def __init__(
        self,
        account: WhatsAppSettings,
        callbacks: Callbacks | None = None,
        hang_seconds: float = HANG_SECONDS,
    ) -> None:
        self._account = account
        self._callbacks = callbacks
        self._hang_seconds = hang_seconds
        self._telling: set[asyncio.Task[None]] = set()
        self._callback_urls: dict[str, str] = {}
        self.phones = Phones()
        self.faults = Faults()

    def routes(self) -> list[BaseRoute]:
        """The resource's paths."""
        path = f"/2010-04-01/Accounts/{self._account.account_sid}/Messages.json"
        return [
            Route(path, self._create, methods=["POST"]),
            Route(path, self._list, methods=["GET"]),
        ]

    async def deliver_waiting(self, number: str) -> None:
        """A phone has its network back: what was sent meanwhile arrives."""
        for message in self.phones.of(number):
            if message.direction == "out" and not message.arrived and message.status == "sent":
                await self.phones.change(number, message.sid, status="sent", arrived=True)
                self._start(self._arrive(number, message))

    async def _create(self, request: Request) -> Response:
        if not self._is_authorised(request):
            return _error(401, 20003, "Authenticate")
        form = {name: str(value) for name, value in (await request.form()).items()}
        media = tuple(str(url) for url in (await request.form()).getlist("MediaUrl"))
        message = _composed(form, media)
        if isinstance(message, Response):
            return message
        fault = self.faults.take()
        if fault in AT_ONCE:
            return _error(*AT_ONCE[fault])
        if fault == SILENT[0]:
            await asyncio.sleep(self._hang_seconds)
            return _error(503, 20503, "Service unavailable")
        number = form["To"].removeprefix(WHATSAPP_PREFIX)
        self._callback_urls[message.sid] = form.get("StatusCallback", "")
        lost = fault in LATER
        if lost or number in self.phones.offline:
            message = replace(message, arrived=False, status="sent")
        await self.phones.add(number, message)
        self._start(self._refuse_later(number, message, fault) if lost else self._travel(number, message))
        if fault == SILENT[1]:
            await asyncio.sleep(self._hang_seconds)
        return JSONResponse(self._resource(number, message), status_code=201)

    async def _list(self, request: Request) -> Response:
        if not self._is_authorised(request):
            return _error(401, 20003, "Authenticate")
        number = request.query_params.get("To", "").removeprefix(WHATSAPP_PREFIX)
        sent = [message for message in self.phones.of(number) if message.direction == "out"]
        resources = [self._resource(number, message) for message in reversed(sent)]
        return JSONResponse({"messages": resources, "next_page_uri": None, "page": 0})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _travel(self, number: str, message: PhoneMessage) -> None:
        for status in ("queued", "sent"):
            await self._tell(message.sid, status)
        if message.arrived:
            await self._arrive(number, message)

    async def _arrive(self, number: str, message: PhoneMessage) -> None:
        for status in ("delivered", "read") if self.phones.is_looked_at(number) else ("delivered",):
            await self.phones.change(number, message.sid, status=status)
            await self._tell(message.sid, status)

    async def _refuse_later(self, number: str, message: PhoneMessage, fault: str | None) -> None:
        for status in ("queued", "sent"):
            await self._tell(message.sid, status)
        await self.phones.change(number, message.sid, status="undelivered")
        await self._tell(message.sid, "undelivered", fault or "")

    async def _tell(self, sid: str, status: str, error_code: str = "") -> None:
        if self._callbacks is not None:
            await self._callbacks.tell(self._callback_urls.get(sid, ""), sid, status, error_code)

    def _resource(self, number: str, message: PhoneMessage) -> dict[str, object]:
        when = format_datetime(message.sent_at)
        return {
            "sid": message.sid,
            "account_sid": self._account.account_sid,
            "to": WHATSAPP_PREFIX + number,
            "from": WHATSAPP_PREFIX + self._account.number,
            "body": message.body,
            "num_media": str(len(message.media)),
            "status": message.status or "queued",
            "direction": "outbound-api",
            "date_created": when,
            "date_sent": when,
            "date_updated": when,
            "error_code": None,
            "error_message": None,
            "uri": f"/2010-04-01/Accounts/{self._account.account_sid}/Messages/{message.sid}.json",
        }

    def _is_authorised(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        for token in self._account.auth_tokens:
            credentials = f"{self._account.account_sid}:{token}".encode()
            if hmac.compare_digest(given, b"Basic " + base64.b64encode(credentials)):
                return True
        return False


A_PICTURES_VARIABLES = 2
"""Of its template: the text, and the end of its address; see `whatsapp.content`."""


def _composed(form: Mapping[str, str], media: tuple[str, ...]) -> PhoneMessage | Response:
    """The message as the phone shows it, or what Twilio refuses it with."""
    if not form.get("To", "").startswith(WHATSAPP_PREFIX) or not form.get("From"):
        return _error(400, 21211, "The 'To' number is not valid")
    shown = json.loads(form.get("ContentVariables", "{}")) if form.get("ContentSid") else {}
    body = str(shown.get("1", form.get("Body", "")))
    if len(shown) == A_PICTURES_VARIABLES:
        media = (f"/pictures/{shown['2']}",)
    if not body and not media:
        return _error(400, 21602, "Message body is required")
    if len(body) > MOST_CHARACTERS:
        return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    buttons = tuple((shown[str(n)], shown[str(n + 1)]) for n in range(2, len(shown), 2))
    layout = "list" if len(buttons) > MOST_BUTTONS else ""
    sid = f"SM{secrets.token_hex(16)}"
    return PhoneMessage(sid, "out", body, media, datetime.now(UTC), buttons, layout)


def _error(status: int, code: int, message: str) -> JSONResponse:
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse({"code": code, "message": message, "status": status}, status, headers)
