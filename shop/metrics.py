"""What the shop tells its observer, as figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from settings.metrics import FAST
from shop.errors import category_of
from shop.observing import module_of


class ShopMetrics:
    """The figures of the shop in one process: its `Observer`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._transactions = Histogram(
            "chatcart_transaction_seconds",
            "Time in a transaction, by what the shop was asked to do.",
            ["command"],
            registry=registry,
            buckets=FAST,
        )
        self._statements = Histogram(
            "chatcart_database_statement_seconds",
            "How long PostgreSQL took to answer a statement.",
            registry=registry,
            buckets=FAST,
        )
        self._retries = Counter(
            "chatcart_transaction_retries",
            "Transactions that were tried again, by SQLSTATE.",
            ["sql_state"],
            registry=registry,
        )
        self._replays = Counter(
            "chatcart_commands_replayed",
            "Commands that were asked for again, and answered from their record.",
            ["command"],
            registry=registry,
        )
        self._errors = Counter(
            "chatcart_errors",
            "What was refused or went wrong, by the module it comes from and whose it is to solve.",
            ["module", "category", "error"],
            registry=registry,
        )

    def transaction(self, command: str, seconds: float) -> None:
        """A transaction ended."""
        self._transactions.labels(command).observe(seconds)

    def statement(self, seconds: float) -> None:
        """PostgreSQL answered."""
        self._statements.observe(seconds)

    def retried(self, sql_state: str) -> None:
        """A transaction is tried again."""
        self._retries.labels(sql_state).inc()

    def replayed(self, command: str) -> None:
        """A command's record answered."""
        self._replays.labels(command).inc()

    def failed(self, error: BaseException) -> None:
        """Something was refused, or went wrong."""
        category = category_of(error).replace(" ", "_")
        self._errors.labels(module_of(error), category, type(error).__name__).inc()
