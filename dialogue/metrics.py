"""Rasa's figures for Prometheus: turns, what was understood, what the webhook let in."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from dialogue.turn import Turn
from settings.metrics import FAST
from whatsapp.metrics import QueueMetrics


class DialogueMetrics:
    """The figures of one Rasa process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.inbound = QueueMetrics(registry, "inbound")
        self._turns = Histogram(
            "chatcart_turn_seconds",
            "Rasa's work on a message, its actions included, by the state in which the message came.",
            ["state"],
            registry=registry,
            buckets=FAST,
        )
        self._parses = Histogram(
            "chatcart_parse_seconds",
            "How long it took to understand a text.",
            registry=registry,
            buckets=FAST,
        )
        self._messages = Counter(
            "chatcart_messages",
            "Messages served, by intent, those of the shop's own events among them.",
            ["intent"],
            registry=registry,
        )
        self._not_understood = Counter(
            "chatcart_not_understood", "Messages that were not understood.", registry=registry
        )
        self._changes = Counter(
            "chatcart_state_changes", "Moves of conversations.", ["before", "after"], registry=registry
        )
        self._cache = Counter(
            "chatcart_cache_requests",
            "Look-ups in Redis: found or not.",
            ["cache", "result"],
            registry=registry,
        )
        self.requests = Counter(
            "chatcart_webhook_requests",
            "What Twilio posted to the webhook (`message`) or the status callback (`status`), by how it was"
            " answered.",
            ["route", "answer"],
            registry=registry,
        )
        # Those that alerts are made of begin at 0, so that the first one is seen as a step.
        for answer in ("not_kept", "wrong_signature"):
            for route in ("message", "status"):
                self.requests.labels(route, answer)

    def served(self, turn: Turn, seconds: float) -> None:
        """A turn ended well."""
        before, after = turn.situation.state or "none", turn.outcome.state or "none"
        self._turns.labels(before).observe(seconds)
        self._messages.labels(turn.outcome.intent or "none").inc()
        self._cache.labels("session", "hit" if turn.session_found else "miss").inc()
        if before != after:
            self._changes.labels(before, after).inc()
        if not turn.was_understood:
            self._not_understood.inc()

    def timed_parse(self, parse: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Rasa's `parse_message`, measured."""

        @functools.wraps(parse)
        async def measured(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            parsed = await parse(*args, **kwargs)
            self._parses.observe(time.perf_counter() - began)
            return parsed

        return measured
