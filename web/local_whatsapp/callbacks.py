"""Status callbacks: Twilio tells us, signed, what became of a message that we sent."""

from __future__ import annotations

import logging

import httpx
from twilio.request_validator import RequestValidator

from settings import WhatsAppSettings

logger = logging.getLogger(__name__)


class Callbacks:
    """Posts them, where a message asked for them.

    `public_url` is what Twilio signs and the message names; what begins with it is posted to `inner_url`.
    """

    def __init__(
        self, client: httpx.AsyncClient, account: WhatsAppSettings, public_url: str, inner_url: str
    ) -> None:
        self._client = client
        self._account = account
        self._validator = RequestValidator(account.auth_tokens[0])
        self._public_url = public_url
        self._inner_url = inner_url

    async def tell(self, url: str, sid: str, status: str, error_code: str = "") -> None:
        """Post one status. One that nobody takes is lost, as Twilio's are after its retries."""
        if not url.startswith(self._public_url + "/"):
            return
        fields = {
            "AccountSid": self._account.account_sid,
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "ChannelPrefix": "whatsapp",
        }
        if error_code:
            fields["ErrorCode"] = error_code
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, fields)}
        inner = self._inner_url + url.removeprefix(self._public_url)
        try:
            await self._client.post(inner, data=fields, headers=headers)
        except httpx.HTTPError as error:
            logger.warning("the status %s of %s is lost: %s", status, sid, type(error).__name__)
