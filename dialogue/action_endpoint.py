"""The call to the action server: one session, a deadline, and a failure that aborts the turn."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from typing import Any

import aiohttp
import orjson
from rasa.core.actions.constants import SELECTIVE_DOMAIN
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from dialogue.as_json import as_json
from dialogue.turn import TurnAborted, current_turn

HEADERS = {"Content-Type": "application/json"}
DEADLINE_SECONDS = 8.0
REJECTED = 400
DOMAIN_MISSING = 449
EVENT_FIELDS = ("event", "timestamp", "name", "value", "text", "input_channel", "parse_data", "metadata")
METADATA_FIELDS = ("message_id", "notice", "utter_action")


class ActionServer(EndpointConfig):
    """Rasa's action endpoint, for the turns of the WhatsApp consumer.

    Rasa would record an action that failed as executed and say nothing to the customer. Here the turn
    is aborted and the message served again; the action server answers a repeated command with the
    recorded result.

    The domain goes along only where the server does not know it by its digest: it is many times larger than
    all the rest. Of the events, which were most of that rest, goes what the actions and the SDK look at.
    """

    def __init__(self, url: str, domain: Domain | None = None) -> None:
        # Rasa leaves the domain out, but for actions that its `send_domain` names.
        super().__init__(url, **({} if domain is None else {SELECTIVE_DOMAIN: True}))
        self._domain = None if domain is None else domain.as_dict()
        self._digest = hashlib.sha256(json.dumps(self._domain, sort_keys=True).encode()).hexdigest()
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the action server.

        Raises:
            ClientResponseError: the action was rejected; outside a turn, whatever went wrong.
            TurnAborted: in a turn, if the server failed, could not be reached or took too long.
        """
        turn = current_turn.get()
        try:
            with turn.place.waiting() if turn else contextlib.nullcontext():
                return await self._post_with_domain(kwargs["json"])
        except ClientResponseError as error:
            if error.status == REJECTED or turn is None:
                raise
            raise TurnAborted(f"action server answered {error.status}") from error
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            if turn is None:
                raise
            raise TurnAborted(f"action server: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post_with_domain(self, call: dict[str, Any]) -> Any:
        if self._domain is None or "domain" in call:
            return await self._post(call)
        call = {**call, "domain_digest": self._digest}
        try:
            return await self._post(call)
        except ClientResponseError as error:
            if error.status != DOMAIN_MISSING:
                raise
        return await self._post({**call, "domain": self._domain})

    async def _post(self, call: dict[str, Any]) -> Any:
        if self._session is None:
            # As many connections as conversations are served at once, and no cookies.
            connector = aiohttp.TCPConnector(limit=0)
            timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        asked = as_json(_without_ballast(call))
        async with self._session.post(self.url, data=asked, headers=HEADERS) as response:
            if response.status >= 400:
                body = (await response.content.read()).decode("utf-8", "replace")
                raise ClientResponseError(response.status, response.reason, body)
            return orjson.loads(await response.read())


def _without_ballast(call: dict[str, Any]) -> dict[str, Any]:
    """The call with each event, in its place, reduced to what is read of it."""
    tracker = call["tracker"]
    return {**call, "tracker": {**tracker, "events": [_reduced(event) for event in tracker["events"]]}}


def _reduced(event: dict[str, Any]) -> dict[str, Any]:
    kept = {name: event[name] for name in EVENT_FIELDS if name in event}
    if "parse_data" in kept:
        kept["parse_data"] = {"intent": event["parse_data"].get("intent")}
    if metadata := kept.pop("metadata", None):
        kept["metadata"] = {name: metadata[name] for name in METADATA_FIELDS if name in metadata}
    return kept
