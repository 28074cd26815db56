"""What customers wrote and the bot did not understand: designers say what was meant."""

from __future__ import annotations

import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from db.models import Decision
from shop import misunderstandings
from shop.work import Work
from web.console.frame import Console
from web.console.permissions import Permission
from web.console.visit import Visit

PATH = "/console/misunderstandings"
MOST_IDS = 2000
KIND_WORDS = {
    "fallback": "not understood",
    "correction": "corrected",
    "abandoned_cart": "cart abandoned",
    "assisted": "asked “did you mean”",
    "declined_proposal": "proposal declined",
}


class MisunderstandingPage:
    """Groups of messages that are alike, the costliest first; each accepted with an intent, or rejected."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        """For designers."""
        route, needed = self._console.route, Permission.MISUNDERSTANDINGS
        most_bytes = MOST_IDS * 40
        return [
            route("/misunderstandings", self._list, needed),
            route("/misunderstandings", self._decide, needed, methods=["POST"], most_bytes=most_bytes),
        ]

    async def _list(self, request: Request, visit: Visit) -> Response:
        groups = await self._console.ask(misunderstandings.groups)
        return self._console.page(
            request,
            visit,
            "misunderstandings.html",
            groups=groups,
            kind_words=KIND_WORDS,
            intents=misunderstandings.INTENTS,
            currency=self._console.shop.policy.currency,
        )

    async def _decide(self, request: Request, visit: Visit) -> Response:
        """Accept a group with what was meant, or reject it."""
        try:
            ids = [uuid.UUID(each) for each in visit.text("ids").split()[:MOST_IDS]]
            decision = Decision(visit.text("decision"))
        except ValueError:
            raise HTTPException(400, "The form is not one of ours. Open the page again.") from None
        intent = visit.text("intent") if decision is Decision.ACCEPTED else None
        if intent is not None and intent not in misunderstandings.INTENTS:
            return self._console.back(PATH, "Choose what was meant.", "refused")

        def carry_out(work: Work) -> str:
            decided = misunderstandings.decide(work, ids, decision, visit.who.name, intent)
            return f"{decided} {'message' if decided == 1 else 'messages'} {decision.value}."

        return await self._console.carry_out(visit, PATH, "misunderstandings", carry_out)
