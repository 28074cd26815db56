"""What is changed in Rasa itself, in the version that was tested and in no other: it has no setting for it.

- `RemoteAction` hands its schema to `jsonschema.validate` with every answer, which examines the schema anew
  each time; that was most of a turn. The check is compiled once.
- `DomainProvider` reads the domain of a trained model four times and validates it again, as was done when the
  model was trained; with the wording of five languages that was half of the start. It is read once.
"""

from __future__ import annotations

import logging
from typing import Any

import rasa
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain
from rasa.shared.utils.io import read_yaml

logger = logging.getLogger(__name__)

TESTED_VERSION = "3.6.21"


def compile_answer_check() -> bool:
    """Replace the check by a compiled one; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("answers are checked slowly"):
        return False
    schema = RemoteAction.action_response_format_spec()
    validator = validator_for(schema)(schema)

    def check(self: RemoteAction, result: dict[str, Any]) -> bool:
        """Whether an action's answer has the form that Rasa documents.

        Raises:
            ValidationError
        """
        error = best_match(validator.iter_errors(result))
        if error is not None:
            raise error
        return True

    RemoteAction._validate_action_result = check
    return True


def read_domain_once() -> bool:
    """Replace how a model's domain is read; False, and nothing changed, in another version of Rasa."""
    if not _is_tested("it starts slowly"):
        return False

    def load(
        cls: type[DomainProvider],
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> DomainProvider:
        """The provider with the domain that was written when the model was trained."""
        with model_storage.read_from(resource) as folder:
            domain = Domain.from_dict(read_yaml((folder / "domain.yml").read_text(encoding="utf-8")))
        return cls(model_storage, resource, domain)

    DomainProvider.load = classmethod(load)
    return True


def _is_tested(consequence: str) -> bool:
    if rasa.__version__ == TESTED_VERSION:
        return True
    logger.warning("Rasa %s is not the tested %s: %s", rasa.__version__, TESTED_VERSION, consequence)
    return False
