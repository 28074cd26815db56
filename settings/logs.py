"""How every process of the commerce plane logs: one line each, and nothing of what others say."""

from __future__ import annotations

import logging

QUIET = ("httpx", "httpx2", "openai", "stripe", "twilio")
"""Libraries that log requests, with addresses, numbers or keys in them."""


def configure_logs() -> None:
    """Log to standard error, from INFO on; the libraries that talk too much from WARNING on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
