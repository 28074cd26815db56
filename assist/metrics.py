"""What the model is asked and what it costs, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0)


class AssistMetrics:
    """Counters of one process; `outcome` is `proposed`, `clarify`, `none`, or why the model did not help."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "chatcart_llm_outcomes", "What became of unsure messages", ["outcome"], registry=registry
        )
        self.calls = Counter("chatcart_llm_calls", "Calls to the language model", registry=registry)
        self.seconds = Histogram(
            "chatcart_llm_call_seconds", "Time of a call to the model", buckets=SECONDS, registry=registry
        )
        self.tokens = Counter("chatcart_llm_tokens", "Tokens, in and out", ["direction"], registry=registry)
        self.cost = Counter(
            "chatcart_llm_cost", "By LLM_INPUT_COST and LLM_OUTPUT_COST, in their currency", registry=registry
        )
        self.cache = Counter("chatcart_llm_cache", "Answers known already", ["result"], registry=registry)
        self.open = Gauge("chatcart_llm_breaker_open", "1 while the model is left alone", registry=registry)
