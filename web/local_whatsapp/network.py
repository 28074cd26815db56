"""What is between a phone and our webhook: Twilio's form and signature, and all that can go wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from twilio.request_validator import RequestValidator

from settings import Settings
from whatsapp.identity import WHATSAPP_PREFIX

WEBHOOK_PATH = "/webhooks/whatsapp/webhook"

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What became of a message on its way: `refused` is None, or the status that the webhook answered with;
    `apology` is what its answer says to the customer."""

    sid: str
    refused: int | None = None
    apology: str | None = None


@dataclass
class Line:
    """A phone's way to us: whether what it sends is held back, and what waits."""

    held: bool = False
    waiting: list[Fields] = field(default_factory=list)
    last: Fields | None = None


class Network:
    """Posts what phones send, signed; late, in another order or twice where that is asked for."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self._account = settings.whatsapp
        self._signed_url = settings.public_base_url + WEBHOOK_PATH
        self._url = settings.rasa_url + WEBHOOK_PATH
        self._client = client
        self._validator = RequestValidator(settings.whatsapp.auth_tokens[0])
        self._lines: dict[str, Line] = defaultdict(Line)

    def form(self, sid: str, number: str, name: str, content: Fields) -> dict[str, str]:
        """The form that Twilio posts for a message."""
        return {
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": self._account.account_sid,
            "From": WHATSAPP_PREFIX + number,
            "To": WHATSAPP_PREFIX + self._account.number,
            "WaId": number.removeprefix("+"),
            "ProfileName": name,
            "NumMedia": "0",
            **content,
        }

    def is_held(self, number: str) -> bool:
        """Whether what this phone sends does not leave it for now."""
        return self._lines[number].held

    def hold(self, number: str) -> None:
        """Hold back what this phone sends."""
        self._lines[number].held = True

    async def send(self, number: str, fields: Fields) -> Outcome | None:
        """Send a message; None: it is held back.

        Raises:
            httpx.HTTPError: nobody answers.
        """
        line = self._lines[number]
        line.last = fields
        if line.held:
            line.waiting.append(fields)
            return None
        return await self._post(fields)

    async def release(self, number: str, *, newest_first: bool) -> list[Outcome]:
        """Let what was held back go, in the order in which it was sent, or the other way round.

        Raises:
            httpx.HTTPError: nobody answers; what was not sent waits on.
        """
        line = self._lines[number]
        line.held = False
        outcomes = []
        while line.waiting:
            fields = line.waiting[-1 if newest_first else 0]
            outcomes.append(await self._post(fields))
            line.waiting.remove(fields)
        return outcomes

    async def send_again(self, number: str) -> Outcome | None:
        """Post the last message once more, with the id it had; None: there is none.

        Raises:
            httpx.HTTPError: nobody answers.
        """
        last = self._lines[number].last
        return None if last is None else await self._post(last)

    async def _post(self, fields: Fields) -> Outcome:
        signature = self._validator.compute_signature(self._signed_url, dict(fields))
        headers = {"X-Twilio-Signature": signature}
        answer = await self._client.post(self._url, data=dict(fields), headers=headers)
        if answer.status_code != httpx.codes.OK:
            return Outcome(fields["MessageSid"], refused=answer.status_code)
        apology = answer.text.partition("<Message>")[2].partition("</Message>")[0]
        return Outcome(fields["MessageSid"], apology=apology or None)
