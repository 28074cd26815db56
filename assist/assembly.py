"""Puts an assistant together from the settings."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from assist.assistant import Assistant
from assist.bounds import AnswerCache, Budget
from assist.metrics import AssistMetrics
from settings import Settings


def make_assistant(settings: Settings, redis: Any, registry: CollectorRegistry) -> Assistant | None:
    """An assistant on the model of the settings; None where there is none.

    Args:
        redis: an asyncio client, for the budget and the cache.
        registry: where the metrics go.
    """
    if settings.llm is None:
        return None
    # Its library takes more than a second to import: only who uses it pays for it.
    from assist.client import ModelClient

    return Assistant(
        ModelClient(settings.llm),
        settings.llm,
        Budget(redis, settings.llm),
        AnswerCache(redis, settings.privacy.phone_index_key, settings.llm),
        AssistMetrics(registry),
    )
