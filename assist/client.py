"""The call to a server of the OpenAI kind: one attempt, a bounded answer, nothing of it believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import openai
from pydantic import BaseModel, Field, ValidationError

from assist.failures import Unavailable
from settings import LlmSettings

MOST_BYTES = 64 * 1024
MOST_TOKENS = 300
NO_KEY = "none"


@dataclass(frozen=True)
class Completion:
    """What the model wrote, and the tokens that went in and out (0 where the server does not tell)."""

    text: str
    input_tokens: int
    output_tokens: int


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class _Body(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _TooLarge(httpx.TransportError):
    """The answer is longer than any that we ask for."""


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise _TooLarge("answer too large")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoundedTransport(httpx.AsyncBaseTransport):
    """Breaks an answer off at 64 kB, and takes none that is packed, which might unpack to any size."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise _TooLarge("answer is packed")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_BoundedStream(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class ModelClient:
    """Asks one model. It waits as long as the server lets it: who calls sets the deadline."""

    def __init__(self, settings: LlmSettings) -> None:
        transport = BoundedTransport(httpx.AsyncHTTPTransport())
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key or NO_KEY,
            max_retries=0,
            http_client=httpx.AsyncClient(transport=transport, timeout=settings.deadline_seconds),
        )
        self._model = settings.model

    async def complete(self, messages: list[Any], schema: Mapping[str, Any]) -> Completion:
        """What the model makes of some messages.

        Raises:
            Unavailable
        """
        try:
            response = await self._client.chat.completions.with_raw_response.create(
                model=self._model,
                messages=messages,
                temperature=0,
                max_tokens=MOST_TOKENS,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
                },
            )
        except openai.APIStatusError as error:
            raise Unavailable(_reason_of(error.status_code)) from None
        except openai.APITimeoutError:
            raise Unavailable("timeout") from None
        except openai.APIConnectionError as error:
            too_large = isinstance(error.__cause__, _TooLarge)
            raise Unavailable("too_large" if too_large else "unreachable") from None
        return _completion(response.content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def _reason_of(status: int) -> str:
    """A name for a status that is not 200."""
    if status == 429:
        return "rate_limited"
    if status == 404:
        return "unknown_model"
    if status in (401, 403):
        return "not_allowed"
    return "server_error" if status >= 500 else "refused"


def _completion(body: bytes) -> Completion:
    try:
        read = _Body.model_validate_json(body)
    except ValidationError:
        raise Unavailable("not_an_answer") from None
    usage = read.usage or _Usage()
    return Completion(read.choices[0].message.content, usage.prompt_tokens, usage.completion_tokens)
