"""Twilio's Messages API, through Twilio's own client, wherever TWILIO_API_BASE_URL says it is."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from settings import Settings
from whatsapp.identity import WHATSAPP_PREFIX

REAL_API = "https://api.twilio.com"
TIMEOUT_SECONDS = 10.0
MOST_AT_ONCE = 64
"""How many requests may be under way."""
MOST_RETRY_AFTER_SECONDS = 120.0


class Busy(Exception):
    """The API asks to be left alone for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Twilio is busy for {seconds:.0f} s")
        self.seconds = seconds


class ApiHttpClient(TwilioHttpClient):
    """Twilio's HTTP client with connections for many messages at once, which heeds Retry-After; where a
    stand-in of the API is named, it talks to that."""

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._base_url = base_url or REAL_API
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=MOST_AT_ONCE)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, adapter)
        self.session.hooks["response"].append(_require_patience)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request.

        Raises:
            Busy: answered with Retry-After.
        """
        return super().request(method, url.replace(REAL_API, self._base_url), *args, **kwargs)


def _require_patience(response: Response, **_: Any) -> None:
    """Twilio's own client drops the headers of an answer."""
    asked = response.headers.get("Retry-After")
    seconds = _seconds(asked) if response.status_code in (429, 503) and asked is not None else None
    if seconds is not None:
        raise Busy(_bearable(seconds))


def _seconds(asked: str) -> float | None:
    """What Retry-After asks for: a number of seconds, or a date; None where it is neither."""
    with contextlib.suppress(ValueError):
        return float(asked)
    with contextlib.suppress(ValueError):
        return (parsedate_to_datetime(asked) - datetime.now(timezone.utc)).total_seconds()
    return None


def _bearable(seconds: float) -> float:
    return min(max(seconds, 0.1), MOST_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else 1.0


def api_base_url(settings: Settings) -> str | None:
    """Where replies go: the local WhatsApp, a named API, or (None) Twilio itself."""
    if settings.whatsapp.dev_mode:
        return settings.web_url
    return settings.whatsapp.api_base_url


class TwilioMessages:
    """Creates and looks up messages. Blocking: call it from a thread. One client per thread pool."""

    def __init__(self, settings: Settings, make_client: Callable[..., Client] = Client) -> None:
        http_client = ApiHttpClient(api_base_url(settings))
        self._client = make_client(
            settings.whatsapp.account_sid, settings.whatsapp.auth_tokens[0], http_client=http_client
        )
        self._status_callback = settings.whatsapp.status_callback
        self._sender = WHATSAPP_PREFIX + settings.whatsapp.number

    def create(
        self,
        number: str,
        body: str,
        media: tuple[str, ...] = (),
        content_sid: str | None = None,
        content_variables: Mapping[str, str] | None = None,
    ) -> str:
        """Send a message, by a content template where one is named; its SID.

        Raises:
            TwilioRestException: if Twilio refuses it.
            Busy: if it wants to be asked later.
            OSError: if the answer did not come: the message may or may not have been sent.
        """
        values: dict[str, Any]
        if content_sid is not None:  # says all: a picture, too, is its template's
            values = {"content_sid": content_sid, "content_variables": json.dumps(content_variables or {})}
        else:
            values = {"body": body, **({"media_url": list(media)} if media else {})}
        if self._status_callback is not None:
            values["status_callback"] = self._status_callback
        message = self._client.messages.create(to=WHATSAPP_PREFIX + number, from_=self._sender, **values)
        return str(message.sid)

    def was_sent(self, number: str, body: str, since: datetime) -> bool:
        """Whether a message with this body went to this number since then.

        Source: Twilio's "Messages" resource, list by To and DateSent; dates are whole days there.
        """
        day_before = since.astimezone(timezone.utc) - timedelta(days=1)
        sent = self._client.messages.list(to=WHATSAPP_PREFIX + number, date_sent_after=day_before, limit=50)
        return any(
            message.body == body and (message.date_created is None or message.date_created >= _second(since))
            for message in sent
        )


def _second(moment: datetime) -> datetime:
    """Twilio tells times in whole seconds."""
    return moment.astimezone(timezone.utc).replace(microsecond=0)


__all__ = ["Busy", "TwilioMessages", "TwilioRestException", "api_base_url"]
