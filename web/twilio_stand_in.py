"""A stand-in for the part of Twilio's API that the sender uses, and the phones behind it.

For development and tests; it refuses to exist in production. Keeps messages in memory only.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from settings import WhatsAppSettings
from whatsapp.identity import WHATSAPP_PREFIX

MOST_REMEMBERED = 500


@dataclass(frozen=True)
class PhoneMessage:
    """A message on a phone; `direction` is `in` for what the customer wrote, `out` for the bot."""

    sid: str
    direction: str
    body: str
    media: tuple[str, ...]
    sent_at: datetime
    buttons: tuple[tuple[str, str], ...] = ()
    """Title and token of each."""


@dataclass
class Phones:
    """What every phone has sent and received since the process started."""

    _messages: dict[str, list[PhoneMessage]] = field(default_factory=lambda: defaultdict(list))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def of(self, number: str) -> list[PhoneMessage]:
        """All messages of a phone, oldest first."""
        return list(self._messages[number])

    async def add(self, number: str, message: PhoneMessage) -> None:
        """Put a message on a phone."""
        async with self._changed:
            self._messages[number].append(message)
            del self._messages[number][:-MOST_REMEMBERED]
            self._changed.notify_all()

    async def follow(self, number: str) -> AsyncIterator[PhoneMessage]:
        """All messages of a phone, then every new one."""
        told: set[str] = set()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: any(m.sid not in told for m in self._messages[number]))
                new = [m for m in self._messages[number] if m.sid not in told]
            for message in new:
                told.add(message.sid)
                yield message


class TwilioStandIn:
    """Creates and lists messages, as the "Messages" resource of Twilio's API does."""

    def __init__(self, account: WhatsAppSettings) -> None:
        self._account = account
        self.phones = Phones()

    def routes(self) -> list[BaseRoute]:
        """The resource's paths."""
        path = f"/2010-04-01/Accounts/{self._account.account_sid}/Messages.json"
        return [
            Route(path, self._create, methods=["POST"]),
            Route(path, self._list, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        if not self._is_authorised(request):
            return _error(401, 20003, "Authenticate")
        form = await request.form()
        to, body = str(form.get("To", "")), str(form.get("Body", ""))
        media = tuple(str(url) for url in form.getlist("MediaUrl"))
        if not to.startswith(WHATSAPP_PREFIX) or not form.get("From"):
            return _error(400, 21211, "The 'To' number is not valid")
        shown = json.loads(str(form.get("ContentVariables", "{}"))) if form.get("ContentSid") else {}
        body = str(shown.get("1", body))
        if not body and not media:
            return _error(400, 21602, "Message body is required")
        if len(body) > 1600:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        number = to.removeprefix(WHATSAPP_PREFIX)
        buttons = tuple((shown[str(n)], shown[str(n + 1)]) for n in range(2, len(shown), 2))
        message = PhoneMessage(f"SM{secrets.token_hex(16)}", "out", body, media, datetime.now(UTC), buttons)
        await self.phones.add(number, message)
        return JSONResponse(self._resource(number, message), status_code=201)

    async def _list(self, request: Request) -> Response:
        if not self._is_authorised(request):
            return _error(401, 20003, "Authenticate")
        number = request.query_params.get("To", "").removeprefix(WHATSAPP_PREFIX)
        sent = [message for message in self.phones.of(number) if message.direction == "out"]
        resources = [self._resource(number, message) for message in reversed(sent)]
        return JSONResponse({"messages": resources, "next_page_uri": None, "page": 0})

    def _resource(self, number: str, message: PhoneMessage) -> dict[str, object]:
        when = format_datetime(message.sent_at)
        return {
            "sid": message.sid,
            "account_sid": self._account.account_sid,
            "to": WHATSAPP_PREFIX + number,
            "from": WHATSAPP_PREFIX + self._account.number,
            "body": message.body,
            "num_media": str(len(message.media)),
            "status": "queued",
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


def _error(status: int, code: int, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "status": status}, status_code=status)
