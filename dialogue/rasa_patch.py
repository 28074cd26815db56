"""The one change to Rasa itself: its check of an action's answer, compiled once.

`RemoteAction` hands its schema to `jsonschema.validate` with every answer, which examines the schema anew
each time; that was most of a turn. Rasa has no setting for it, so the method is replaced, in the version that
was tested and in no other.
"""

from __future__ import annotations

import logging
from typing import Any

import rasa
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction

logger = logging.getLogger(__name__)

TESTED_VERSION = "3.6.21"


def compile_answer_check() -> bool:
    """Replace the check by a compiled one; False, and nothing changed, in another version of Rasa."""
    if rasa.__version__ != TESTED_VERSION:
        logger.warning(
            "Rasa %s is not the tested %s: answers are checked slowly", rasa.__version__, TESTED_VERSION
        )
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
