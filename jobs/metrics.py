"""The figures of the sender process that are not the sender's own: jobs, and what does not agree."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from settings.metrics import FAST
from shop import reconciliation
from shop.service import Shop

INVARIANTS_SECONDS = 60.0


class JobMetrics:
    """How jobs go, and how many violations the last look found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.runs = Counter(
            "chatcart_job_runs", "Runs of a job: done or failed.", ["job", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "chatcart_job_seconds", "How long a run took.", ["job"], registry=registry, buckets=FAST
        )
        self._violations = Gauge(
            "chatcart_invariant_violations",
            "What did not agree between orders, payments and stock when it was looked at last.",
            ["check"],
            registry=registry,
        )
        self._looked = Gauge(
            "chatcart_invariants_checked_timestamp_seconds", "When that was.", registry=registry
        )

    async def look(self, shop: Shop) -> Mapping[str, int]:
        """Count what does not agree, as `make reconcile` would tell it in detail."""
        counted = await asyncio.to_thread(shop.run, reconciliation.count_open)
        for check, violations in counted.items():
            self._violations.labels(check).set(violations)
        self._looked.set_to_current_time()
        return counted
