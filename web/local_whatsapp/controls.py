"""What real life does to messages, at the press of a button: for one phone, or for Twilio's API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shop.payments.interface import ProviderPayment
from web.local_whatsapp.faults import UnknownFault
from web.local_whatsapp.network import Network
from web.local_whatsapp.pages import NO_NUMBER, NOT_UP, LocalWhatsApp, refusal
from web.local_whatsapp.recording import transcript
from web.local_whatsapp.twilio_api import TwilioStandIn
from web.security import BodyTooLarge, read_body
from whatsapp import window
from whatsapp.identity import Identity, InvalidAddress, number_of
from whatsapp.redis import SESSION_KEY_PREFIX, RedisClient

Charge = Callable[[str], ProviderPayment | None]


class Controls:
    """The buttons of the page's drawer."""

    def __init__(
        self,
        twilio: TwilioStandIn,
        network: Network,
        page: LocalWhatsApp,
        redis: RedisClient,
        identity: Identity,
        charge: Charge,
    ) -> None:
        """`charge` asks the sandbox what became of a payment."""
        self._twilio = twilio
        self._network = network
        self._page = page
        self._redis = redis
        self._identity = identity
        self._charge = charge
        self._recorded_from: dict[str, str | None] = {}
        self._actions: dict[str, Callable[[str, dict[str, Any]], Awaitable[str]]] = {
            "send_twice": self._send_twice,
            "hold": self._hold,
            "release": self._release,
            "lose_network": self._lose_network,
            "find_network": self._find_network,
            "jump": self._jump,
            "fail": self._fail,
            "record": self._record,
        }

    def routes(self) -> list[BaseRoute]:
        """The one call behind the buttons, and the recorded transcript."""
        return [
            Route("/local-whatsapp/controls", self._control, methods=["POST"]),
            Route("/local-whatsapp/transcript", self._transcript),
        ]

    async def _control(self, request: Request) -> Response:
        """Do what a button says; the answer says what was done."""
        try:
            values = json.loads(await read_body(request))
            number = number_of(str(values["phone"]))
            action = self._actions[str(values["action"])]
            told = await action(number, values)
        except BodyTooLarge:
            return refusal(413, "That is too long.")
        except (httpx.HTTPError, OSError):
            return refusal(502, NOT_UP)
        except UnknownFault:
            return refusal(400, "Twilio does nothing of that kind, or not that often.")
        except InvalidAddress:
            return refusal(400, NO_NUMBER)
        except (ValueError, KeyError, TypeError):
            return refusal(400, "There is no such button.")
        return JSONResponse({"told": told, **self._state(number)})

    def _state(self, number: str) -> dict[str, Any]:
        return {
            "offline": number in self._twilio.phones.offline,
            "held": self._network.is_held(number),
            "faults": len(self._twilio.faults),
            "recording": number in self._recorded_from,
        }

    async def _send_twice(self, number: str, _: dict[str, Any]) -> str:
        outcome = await self._network.send_again(number)
        return "Sent again, with the same id." if outcome else "This phone has sent nothing yet."

    async def _hold(self, number: str, _: dict[str, Any]) -> str:
        self._network.hold(number)
        return "What this phone sends is held back until you let it go."

    async def _release(self, number: str, values: dict[str, Any]) -> str:
        newest_first = values.get("order") == "newest first"
        return await self._let_go(number, newest_first=newest_first)

    async def _let_go(self, number: str, *, newest_first: bool) -> str:
        outcomes = await self._network.release(number, newest_first=newest_first)
        for outcome in outcomes:
            status = "undelivered" if outcome.refused else "delivered"
            await self._twilio.phones.change(number, outcome.sid, status=status)
            await self._page.show_apology(number, outcome)
        first = "newest" if newest_first else "oldest"
        return f"{len(outcomes)} delivered, {first} first."

    async def _lose_network(self, number: str, _: dict[str, Any]) -> str:
        self._twilio.phones.offline.add(number)
        self._network.hold(number)
        return "This phone has no network: nothing leaves it, nothing arrives."

    async def _find_network(self, number: str, _: dict[str, Any]) -> str:
        self._twilio.phones.offline.discard(number)
        await self._twilio.deliver_waiting(number)
        return await self._let_go(number, newest_first=False)

    async def _jump(self, number: str, _: dict[str, Any]) -> str:
        """25 hours later as far as Redis is concerned: window and session are over."""
        conversation = self._identity.pseudonym(number)
        async with self._redis.pipeline(transaction=True) as pipeline:
            window.forget_in(pipeline, conversation)
            pipeline.delete(SESSION_KEY_PREFIX + conversation)
            await pipeline.execute()
        return (
            "As if 25 hours had passed since this customer wrote: WhatsApp's window is closed and the session"
            " is over. Orders, carts and the clock are as they were."
        )

    async def _fail(self, _: str, values: dict[str, Any]) -> str:
        if values.get("kind") == "none":
            self._twilio.faults.forget()
            return "Twilio is well again."
        count = int(values.get("count", 1))
        self._twilio.faults.plan(str(values["kind"]), count)
        return (
            f"Twilio fails {len(self._twilio.faults)} of the next messages that the bot sends, to any phone."
        )

    async def _record(self, number: str, _: dict[str, Any]) -> str:
        messages = self._twilio.phones.of(number)
        self._recorded_from[number] = messages[-1].sid if messages else None
        note = " Begin with a new customer: a known one is greeted otherwise." if messages else ""
        return f"Recording what this customer and the bot say from now on.{note}"

    async def _transcript(self, request: Request) -> Response:
        """What was recorded, as a file; the whole conversation where nobody pressed record."""
        try:
            number = number_of(request.query_params.get("phone", ""))
        except InvalidAddress:
            return refusal(400, NO_NUMBER)
        messages = self._twilio.phones.of(number)
        sids = [message.sid for message in messages]
        start = self._recorded_from.get(number)
        recorded = messages[sids.index(start) + 1 :] if start in sids else messages
        title = request.query_params.get("title", "").strip() or "recorded in the local WhatsApp"
        name = request.query_params.get("name", "").strip()
        text = await asyncio.to_thread(transcript, title[:200], recorded, name, self._outcome_of)
        headers = {"Content-Disposition": 'attachment; filename="conversation.yml"'}
        return Response(text, media_type="application/yaml", headers=headers)

    def _outcome_of(self, reference: str) -> str | None:
        charge = self._charge(reference)
        if charge is None or charge.paid is None:
            return None
        return "paid" if charge.paid else "failed"
