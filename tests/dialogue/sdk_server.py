"""An action server on rasa-sdk's present release, for the contract test. Runs on the commerce plane.

python sdk_server.py PORT
"""

from __future__ import annotations

import sys
from typing import Any

from rasa_sdk import Action
from rasa_sdk.endpoint import create_app
from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet, UserUtteranceReverted
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection


class SayEverything(Action):
    """Uses every part of the contract that Chatcart uses or will use."""

    def name(self) -> str:
        return "action_say_everything"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[Any]:
        dispatcher.utter_message(response="utter_greeting", name=tracker.get_slot("name"))
        dispatcher.utter_message(text="choose", buttons=[{"title": "One", "payload": "1"}])
        dispatcher.utter_message(json_message={"kind": "list"})
        dispatcher.utter_message(image="http://127.0.0.1/burger.jpg")
        return [SlotSet("name", "Ada"), ActiveLoop(None), FollowupAction("action_listen")]


class Reject(Action):
    """Rejects, as forms do."""

    def name(self) -> str:
        return "action_reject"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[Any]:
        raise ActionExecutionRejection(self.name(), "not now")


class Fail(Action):
    """Fails, as bugs do."""

    def name(self) -> str:
        return "action_fail"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[Any]:
        raise ValueError("a bug")


class Revert(Action):
    """Takes the message back."""

    def name(self) -> str:
        return "action_revert"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[Any]:
        return [UserUtteranceReverted()]


if __name__ == "__main__":
    executor = ActionExecutor()
    for kind in (SayEverything, Reject, Fail, Revert):
        executor.register_action(kind())
    create_app(executor).run(host="127.0.0.1", port=int(sys.argv[1]), single_process=True, motd=False)
