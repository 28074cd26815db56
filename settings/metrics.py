"""How every process tells its metrics: one registry per process, handed on, in Prometheus' text form."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest, start_http_server
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

logger = logging.getLogger(__name__)

PATH = "/metrics"
FORWARDED = "x-forwarded-for"
"""A request with this header came through a proxy: metrics are for the inside."""
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds of a histogram's buckets, in seconds: of work, and of what a person waits for."""

__all__ = ["CONTENT_TYPE", "FAST", "FORWARDED", "PATH", "SLOW", "exposed", "make_registry", "serve_metrics"]


def make_registry() -> CollectorRegistry:
    """A registry that knows the process itself already: memory, processor time, open files."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def exposed(registry: CollectorRegistry) -> bytes:
    """What Prometheus is answered."""
    return generate_latest(registry)


def serve_metrics(registry: CollectorRegistry, host: str, ports: range) -> int | None:
    """Answer Prometheus on the first free port, in a thread of its own; that port.

    Where none is free the process does its work without: None, and a line in the log.
    """
    for port in ports:
        try:
            start_http_server(port, host, registry)
        except OSError:
            continue
        return port
    logger.error("METRICS_PORT: %s is in use; metrics are not told", f"{ports[0]} to {ports[-1]}")
    return None
