"""Figures about the queues and the sender, for Prometheus (docs/operators.md names them all)."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from settings.metrics import FAST, SLOW


class QueueMetrics:
    """What the workers of a queue do: a `Watch`. `failed` is called with what nobody foresaw."""

    def __init__(
        self,
        registry: CollectorRegistry,
        queue: str,
        failed: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.failed = failed
        outcomes = Counter(
            "chatcart_queue_entries",
            "Entries of a queue by what became of them: done, repeated, given_up, lease_lost, out_of_reach.",
            ["queue", "outcome"],
            registry=registry,
        )
        self._outcomes = {name: outcomes.labels(queue, name) for name in OUTCOMES}
        self._waits = Histogram(
            "chatcart_queue_wait_seconds",
            "How long an entry waited before it was first taken up.",
            ["queue"],
            registry=registry,
            buckets=SLOW,
        ).labels(queue)

    def waited(self, seconds: float) -> None:
        """An entry is taken up."""
        self._waits.observe(max(seconds, 0.0))

    def ended(self, outcome: str) -> None:
        """What an attempt at an entry came to."""
        self._outcomes[outcome].inc()


OUTCOMES = ("done", "repeated", "given_up", "lease_lost", "out_of_reach")


class SenderMetrics:
    """What becomes of messages on their way to Twilio."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sent = Counter(
            "chatcart_sent_messages",
            "Messages by how Twilio answered: sent, found (sent before a crash), refused, busy, out_of_reach,"
            " undeliverable, given_up; and its error code where it refused (to try again, or for good).",
            ["outcome", "code"],
            registry=registry,
        )
        self.seconds = Histogram(
            "chatcart_send_seconds",
            "How long Twilio took to answer.",
            registry=registry,
            buckets=SLOW,
        )
        self.pace = Histogram(
            "chatcart_pace_wait_seconds",
            "How long a message waited for its slot of OUTBOUND_PER_SECOND.",
            registry=registry,
            buckets=FAST,
        )
