"""Twilio's Messages API, through Twilio's own client, wherever TWILIO_API_BASE_URL says it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from settings import Settings
from whatsapp.identity import WHATSAPP_PREFIX

REAL_API = "https://api.twilio.com"
TIMEOUT_SECONDS = 10.0


class RedirectedHttpClient(TwilioHttpClient):
    """Twilio's HTTP client, talking to a stand-in of the API."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send the request that was meant for Twilio to the stand-in."""
        return super().request(method, url.replace(REAL_API, self._base_url), *args, **kwargs)


def api_base_url(settings: Settings) -> str | None:
    """Where replies go: the local WhatsApp, a named API, or (None) Twilio itself."""
    if settings.whatsapp.dev_mode:
        return settings.web_url
    return settings.whatsapp.api_base_url


class TwilioMessages:
    """Creates and looks up messages. Blocking: call it from a thread. One client per thread pool."""

    def __init__(self, settings: Settings, make_client: Callable[..., Client] = Client) -> None:
        base_url = api_base_url(settings)
        http_client = (
            RedirectedHttpClient(base_url) if base_url else TwilioHttpClient(timeout=TIMEOUT_SECONDS)
        )
        self._client = make_client(
            settings.whatsapp.account_sid, settings.whatsapp.auth_tokens[0], http_client=http_client
        )
        self._sender = WHATSAPP_PREFIX + settings.whatsapp.number

    def create(self, number: str, body: str, media: tuple[str, ...]) -> str:
        """Send a message; its SID.

        Raises:
            TwilioRestException: if Twilio refuses it.
            OSError: if the answer did not come: the message may or may not have been sent.
        """
        values: dict[str, Any] = {"media_url": list(media)} if media else {}
        message = self._client.messages.create(
            to=WHATSAPP_PREFIX + number, from_=self._sender, body=body, **values
        )
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


__all__ = ["TwilioMessages", "TwilioRestException", "api_base_url"]
