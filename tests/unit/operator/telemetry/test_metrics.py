"""What is exported about a resource comes, changes and goes with it, and is bounded."""

import pytest

from somamemory_operator.telemetry.metrics import Metrics

READY = [{"type": "Ready", "status": "True"}]
NEWEST, OVERDUE = "somamemory_backup_newest_timestamp_seconds", "somamemory_backup_overdue_timestamp_seconds"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, metric: str, name: str = "demo") -> float | None:
    return metrics.registry.get_sample_value(metric, {"namespace": "space", "name": name})


def show(metrics: Metrics, name: str = "demo", **times: str) -> None:
    metrics.show_conditions("space", name, READY)
    metrics.show_times("space", name, {"backup": times})


def test_the_moments_of_dumps_are_exported(metrics: Metrics) -> None:
    """As moments: an age would be as old as the last look."""
    show(metrics, newest="1970-01-01T00:01:00Z", overdueAt="1970-01-01T01:00:00Z")

    assert (value(metrics, NEWEST), value(metrics, OVERDUE)) == (60, 3600)


def test_moments_that_are_known_no_more_are_not_exported(metrics: Metrics) -> None:
    """While hibernated, without a backup, or when the resource is gone: an alert must not go on."""
    show(metrics, newest="1970-01-01T00:01:00Z", overdueAt="1970-01-01T01:00:00Z")
    show(metrics, overdueAt="1970-01-01T01:00:00Z")
    assert (value(metrics, NEWEST), value(metrics, OVERDUE)) == (None, 3600)

    metrics.forget("space", "demo")
    assert value(metrics, OVERDUE) is None


def test_only_so_many_resources_are_exported(metrics: Metrics) -> None:
    for number in range(501):
        show(metrics, f"demo-{number}", overdueAt="1970-01-01T01:00:00Z")

    assert value(metrics, OVERDUE, "demo-499") == 3600
    assert value(metrics, OVERDUE, "demo-500") is None
