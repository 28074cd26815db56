"""A customer as the action server meets them: Rasa's tracker, built turn by turn."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk.executor import ActionExecutor

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"{(\w+)}")


@cache
def domain() -> dict[str, Any]:
    """What conversation designers wrote."""
    return dict(yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8")))


def placeholders(response: str) -> set[str]:
    """The values that a response wants."""
    return {
        name for variant in domain()["responses"][response] for name in PLACEHOLDER.findall(variant["text"])
    }


def order_line(*products: Any, name: str = "", quantity: str | None = None) -> dict[str, Any]:
    """What the order parser leaves for a product, or for one of several that share a name."""
    value = {
        "products": [str(product.id) for product in products],
        "name": name or products[0].name,
        "quantity": quantity,
    }
    return {"entity": "order_line", "value": value}


def category(name: str, quantity: str | None = None) -> dict[str, Any]:
    """What the order parser leaves for a category."""
    return {"entity": "order_line", "value": {"category": name, "quantity": quantity}}


def number(value: str) -> dict[str, Any]:
    """What the order parser leaves for a number that belongs to no product."""
    return {"entity": "quantity", "value": value}


@dataclass(frozen=True)
class Answer:
    """What an action said and did."""

    responses: list[dict[str, Any]]
    events: list[dict[str, Any]]

    @property
    def named(self) -> list[str]:
        """The responses, by name."""
        return [said["response"] for said in self.responses]

    @property
    def said(self) -> list[str]:
        """The sentences, as the customer would read them."""
        texts = []
        for said in self.responses:
            text = domain()["responses"][said["response"]][-1]["text"]  # English, the default, stands last
            texts.append(PLACEHOLDER.sub(lambda found, said=said: str(said[found[1]]), text))
        return texts

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "\n".join(self.said)

    @property
    def followed_by(self) -> list[str]:
        """The actions that shall run next."""
        return [event["name"] for event in self.events if event["event"] == "followup"]

    @property
    def slots(self) -> dict[str, Any]:
        """The slots as the action left them."""
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    @property
    def left_the_form(self) -> bool:
        """Whether the active form was ended."""
        return {"event": "active_loop", "name": None} in [
            {"event": event["event"], "name": event.get("name")} for event in self.events
        ]


@dataclass
class Talk:
    """One customer's conversation; `address` None is the shell."""

    executor: ActionExecutor
    sender_id: str
    address: str | None = None
    profile_name: str | None = "Test Customer"
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    latest_message: dict[str, Any] = field(default_factory=dict)
    form: str | None = None

    @property
    def state(self) -> str:
        """The conversation state."""
        return str(self.slots.get("conversation_state", "GREETING"))

    def hears(
        self,
        text: str = "",
        entities: Sequence[dict[str, Any]] = (),
        *,
        intent: str = "",
        event: dict[str, Any] | None = None,
        message_id: str | None = None,
    ) -> None:
        """The customer writes, or the shop has something to tell (`event`)."""
        self.latest_message = {
            "text": text,
            "intent": {"name": intent or _plain_intent(entities), "confidence": 0.99},
            "entities": list(entities),
            "metadata": self.metadata(message_id or f"SM{len(self.events):05d}{self.sender_id[:8]}", event),
        }
        self.events += [
            {"event": "action", "name": "action_listen"},
            {"event": "user", **self.latest_message},
        ]

    def metadata(self, message_id: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the consumer sends along."""
        return {
            "message_id": message_id,
            "address": self.address,
            "profile_name": self.profile_name,
            "event": event,
        }

    def fills(self, slot: str, value: Any) -> None:
        """A form takes a slot out of the message."""
        self.slots[slot] = value
        self.events.append({"event": "slot", "name": slot, "value": value, "timestamp": 0})

    async def does(self, action: str) -> Answer:
        """Rasa runs an action and goes on from what it answers."""
        answer = await self.asks(action)
        for event in answer.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "active_loop":
                self.form = event["name"]
        self.events += [{"event": "action", "name": action}, *answer.events]
        return answer

    async def asks(self, action: str) -> Answer:
        """Rasa runs an action and dies before it can go on; the domain knows all that was said."""
        result = await self.executor.run(
            {"next_action": action, "sender_id": self.sender_id, "tracker": self._tracker(), "domain": {}}
        )
        assert result is not None
        for said in result.responses:
            assert said["response"] in domain()["responses"], f"{said['response']} has no words"
            missing = placeholders(said["response"]) - said.keys()
            assert not missing, f"{said['response']} wants {missing}"
        unknown = {event["name"] for event in result.events if event["event"] == "slot"} - known_slots()
        assert not unknown, f"no such slots: {unknown}"
        return Answer(result.responses, result.events)

    async def turn(self, action: str, text: str = "", entities: Sequence[dict[str, Any]] = ()) -> Answer:
        """The customer writes, and an action answers."""
        self.hears(text, entities)
        return await self.does(action)

    def _tracker(self) -> dict[str, Any]:
        return copy.deepcopy(
            {
                "sender_id": self.sender_id,
                "slots": self.slots,
                "latest_message": self.latest_message,
                "events": self.events,
                "active_loop": {"name": self.form} if self.form else {},
                "latest_action_name": "action_listen",
            }
        )


def known_slots() -> set[str]:
    """The domain's slots, and Rasa's own."""
    return {*domain()["slots"], "requested_slot", "session_started_metadata"}


def _plain_intent(entities: Sequence[dict[str, Any]]) -> str:
    """What the order parser makes of a message that holds nothing else."""
    only_numbers = bool(entities) and all(entity["entity"] == "quantity" for entity in entities)
    return "give_quantity" if only_numbers else "select_product"
