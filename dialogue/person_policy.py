"""While a person of the shop has a conversation, the bot is silent: what the customer writes goes there."""

from __future__ import annotations

from typing import Any

from rasa.core.constants import POLICY_PRIORITY, RULE_POLICY_PRIORITY
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

PERSON_SLOT = "with_person"
PASS_ON = "action_pass_to_person"
RIGHTS = frozenset(("stop_messages", "delete_my_data"))
"""What customers have a right to, whoever they talk with: the bot does it, as always."""
RIGHTS_FORM = "erasure_form"
YES_OR_NO = frozenset(("affirm", "deny"))
CLEARLY = 0.5
"""A guess that is less likely is meant for the person."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class PersonPolicy(Policy):
    """Passes messages on while the slot `with_person` is set, before any rule and any form.

    The slot is set by the shop's own events, and by the start of a session, from PostgreSQL.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Before the rules."""
        return {POLICY_PRIORITY: RULE_POLICY_PRIORITY + 1}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersonPolicy:
        """Rasa's way to make a component; there is nothing to load either."""
        return cls(config, model_storage, resource, execution_context)

    load = create

    def train(self, *_: Any, **kwargs: Any) -> Resource:
        """Nothing is learned."""
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Certain of passing on, or of nothing."""
        action = next_action(tracker)
        probabilities = self._default_predictions(domain)
        if action is not None:
            probabilities[domain.index_for_action(action)] = 1.0
        # Of predictions "without a user", as those of forms are, the one of higher priority wins.
        return self._prediction(probabilities, is_no_user_prediction=action is not None)


def next_action(tracker: DialogueStateTracker) -> str | None:
    """The action that this policy is certain of; None: the rules decide."""
    if tracker.latest_action_name == PASS_ON:
        return ACTION_LISTEN_NAME
    message = tracker.latest_message
    asked = tracker.latest_action_name == ACTION_LISTEN_NAME and message is not None
    if not asked or not tracker.get_slot(PERSON_SLOT) or message.metadata.get("notice"):
        return None
    intent = message.intent.get("name")
    if intent in RIGHTS and message.intent.get("confidence", 0.0) >= CLEARLY:
        return None
    if tracker.active_loop_name == RIGHTS_FORM and intent in YES_OR_NO:
        return None
    return PASS_ON
