"""What a customer can pick instead of typing: buttons and lists with tokens that only the server can read.

A token says nothing and is worth nothing by itself: what it stands for is kept with its conversation, so a
token that somebody else copied picks nothing. Where a choice goes out as numbered text, the number picks it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whatsapp.redis import RedisClient, RedisPipeline

TOKEN_CHARACTERS = 32
TOKEN = re.compile(rf"[0-9a-f]{{{TOKEN_CHARACTERS}}}")
SECONDS_TO_PICK = 24 * 3600
"""WhatsApp lets a button be pressed as long as the conversation's window is open."""
_NUMBER = re.compile(r"\s*(\d{1,2})\s*[.)]?\s*")


@dataclass(frozen=True)
class Choice:
    """One thing to pick: what customers read, and what it means to Rasa (`/intent{"entity": ...}`)."""

    title: str
    payload: str


def read_payload(payload: str) -> tuple[str, list[dict[str, Any]]]:
    """The intent and the entities of a choice's payload; a list is an entity for each of its values."""
    intent, _, rest = payload.removeprefix("/").partition("{")
    entities = json.loads("{" + rest) if rest else {}
    return intent, [
        {"entity": name, "value": value}
        for name, values in entities.items()
        for value in (values if isinstance(values, list) else [values])
    ]


class OfferedChoices:
    """Keeps what was offered in a conversation, and reads what is picked."""

    def __init__(self, redis: RedisClient, key: bytes) -> None:
        self._redis = redis
        self._key = key

    def token(self, message_id: str, position: int) -> str:
        """The token of a choice: the same however often its turn is repeated."""
        offered = f"choice:{message_id}:{position}".encode()
        return hmac.new(self._key, offered, hashlib.sha256).hexdigest()[:TOKEN_CHARACTERS]

    def keep_in(
        self,
        pipeline: RedisPipeline,
        conversation: str,
        buttons: Mapping[str, Choice],
        numbered: Sequence[Choice],
    ) -> None:
        """Keep, as a part of a MULTI, what a turn offers: by token, for as long as it can be pressed; by
        number until the next turn offers something else, or nothing."""
        for token, choice in buttons.items():
            pipeline.set(self._token_key(conversation, token), choice.payload, ex=SECONDS_TO_PICK)
        if numbered:
            payloads = json.dumps([choice.payload for choice in numbered])
            pipeline.set(self._numbered_key(conversation), payloads, ex=SECONDS_TO_PICK)
        else:
            pipeline.delete(self._numbered_key(conversation))

    async def picked(self, conversation: str, token: str | None, text: str) -> str | None:
        """What a pressed button, or the number of a choice that was offered last, means; None for anything
        else, such as a token that was never given out in this conversation."""
        if token is not None:
            payload = await self._redis.get(self._token_key(conversation, token))
            return None if payload is None else str(payload)
        number = _NUMBER.fullmatch(text)
        if number is None:
            return None
        offered = json.loads(await self._redis.get(self._numbered_key(conversation)) or "[]")
        position = int(number[1]) - 1
        return str(offered[position]) if 0 <= position < len(offered) else None

    @staticmethod
    def _token_key(conversation: str, token: str) -> str:
        return f"chatcart:choice:{conversation}:{token}"

    @staticmethod
    def _numbered_key(conversation: str) -> str:
        return f"chatcart:choices:{conversation}"
