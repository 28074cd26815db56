"""JSON as quickly as it is written: trackers and calls of actions are most of what a turn writes."""

from __future__ import annotations

from typing import Any

import orjson

LIKE_PYTHONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
"""A confidence may be a number of numpy's, and a key a number."""


def as_json(value: Any) -> bytes:
    """The value as JSON, in UTF-8.

    Raises:
        TypeError: it holds what JSON has no form for.
    """
    return orjson.dumps(value, option=LIKE_PYTHONS)
