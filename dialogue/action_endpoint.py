"""The call to the action server: one session, a deadline, and a failure that aborts the turn."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from dialogue.turn import TurnAborted, current_turn

DEADLINE_SECONDS = 8.0
REJECTED = 400


class ActionServer(EndpointConfig):
    """Rasa's action endpoint, for the turns of the WhatsApp consumer.

    Rasa would record an action that failed as executed and say nothing to the customer. Here the turn
    is aborted and the message served again; the action server answers a repeated command with the
    recorded result.
    """

    def __init__(self, url: str, **kwargs: Any) -> None:
        super().__init__(url, **kwargs)
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
        kwargs["timeout"] = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        try:
            return await self._post(kwargs)
        except ClientResponseError as error:
            if error.status == REJECTED or current_turn.get() is None:
                raise
            raise TurnAborted(f"action server answered {error.status}") from error
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            if current_turn.get() is None:
                raise
            raise TurnAborted(f"action server: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, kwargs: dict[str, Any]) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(self.url, **kwargs) as response:
            if response.status >= 400:
                body = (await response.content.read()).decode("utf-8", "replace")
                raise ClientResponseError(response.status, response.reason, body)
            return await response.json()
