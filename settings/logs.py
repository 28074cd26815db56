"""How every process logs: one line each, as JSON or as text, and nothing of what others say."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from settings.values import JSON

QUIET = ("httpx", "httpx2", "openai", "stripe", "twilio")
"""Libraries that log requests, with addresses, numbers or keys in them."""
SHORT = 12
"""Characters of a pseudonym that tell conversations apart in a log."""


class JsonLines(JsonFormatter):
    """One JSON object a line: time (UTC), level, logger, message, and what was given as `extra`."""

    def __init__(self) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The time as ISO 8601 writes it, with milliseconds."""
        at = datetime.fromtimestamp(record.created, timezone.utc)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextLines(logging.Formatter):
    """For a person's eyes; what was given as `extra` stands behind the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line, without a traceback."""
        given = {name: value for name, value in vars(record).items() if name not in _OWN_NAMES}
        return " ".join([super().formatMessage(record), *(f"{name}={given[name]}" for name in given)])


_OWN_NAMES = frozenset((*RESERVED_ATTRS, "message", "asctime"))


def configure_logs(log_format: str) -> None:
    """Log to standard error, from INFO on; the libraries that talk too much from WARNING on.

    What logged before, such as the handlers that Rasa and Sanic set up, is replaced.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == JSON else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # they are for who writes the library
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def shortened(pseudonym: str) -> str:
    """A conversation as logs name it: enough to tell it from others."""
    return pseudonym[:SHORT]
