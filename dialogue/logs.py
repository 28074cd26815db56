"""Rasa's logs, brought into the form of ours.

Rasa sets up handlers and structlog before it makes the channels; what `--logging-config-file` sets up is
overwritten by that. So it is done where the channel is made: nothing has served a message before.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog

from settings.logs import configure_logs

SANIC = ("sanic.root", "sanic.error", "sanic.access")


def configure_rasa_logs(log_format: str) -> None:
    """Let Rasa, Sanic and structlog log as all processes do."""
    configure_logs(log_format)
    for name in SANIC:  # Rasa has them keep their lines from the root's handlers
        logging.getLogger(name).handlers = logging.getLogger().handlers[:]
        logging.getLogger(name).propagate = False
    structlog.configure(
        processors=[structlog.dev.set_exc_info, _name_only],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _name_only(_: Any, __: str, event: dict[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """The arguments of the logging library's own method: of a structured line of Rasa's its name alone,
    for its values hold what customers said."""
    return (str(event["event"]),), {"exc_info": event.get("exc_info")}
