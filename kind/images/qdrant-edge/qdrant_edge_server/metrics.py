"""Numbers for Prometheus, under the names of Qdrant's server where it has them."""

from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """Counts requests; collections and points are counted when somebody asks."""

    def __init__(self, count_collections: Callable[[], int], count_points: Callable[[], int], version: str) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "endpoint", "status")
        self._responses = Counter("rest_responses", "Answered requests.", labels, registry=self._registry)
        self._seconds = Histogram(
            "rest_responses_duration_seconds", "Time to answer.", labels[:2], buckets=_SECONDS, registry=self._registry
        )
        self._builds = Counter(
            "qdrant_edge_index_builds", "Rebuilds of a collection's graphs.", ("result",), registry=self._registry
        )
        gauge = Gauge("app_info", "This server.", ("name", "version"), registry=self._registry)
        gauge.labels("qdrant-edge", version).set(1)
        Gauge("collections_total", "Collections.", registry=self._registry).set_function(count_collections)
        Gauge("collections_vector_total", "Points in all collections.", registry=self._registry).set_function(
            count_points
        )

    def request(self, method: str, route: str, status: HTTPStatus, seconds: float) -> None:
        """One answered request; `route` is a pattern, so the number of series is bounded."""
        self._responses.labels(method, route, int(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def index_build(self, result: str) -> None:
        """One rebuild of a collection's graphs: done, abandoned or failed."""
        self._builds.labels(result).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
