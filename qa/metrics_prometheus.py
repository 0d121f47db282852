"""What the service counts and times, as text for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

if TYPE_CHECKING:
    from qa.service import Service

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)  # from a list of articles to an answer behind a full queue


class Metrics:
    """Counts requests; reads the state of the pool when it is asked. A registry of its own, not the process's.

    Args:
        service: Whose pool is looked at.
    """

    MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "byline_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "byline_request_seconds", "Time to the end of the response.", ("route",), buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        pool = service.pool
        for name, about, read in (
            ("byline_jobs_waiting", "Questions that no worker has begun.", lambda: pool.n_waiting),
            ("byline_jobs_running", "Questions that are being worked on.", lambda: pool.n_running),
        ):
            Gauge(name, about, registry=self._registry).set_function(read)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: Of HTTP.
            route: The pattern, not the path: every article having a line of its own would be too many.
            status: What was answered.
            seconds: Until the response had left.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
