"""Every number that the operator exports."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_RECONCILE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_MOST_RESOURCES_IN_METRICS = 500
_BACKUP_TIMES = (
    ("newest", "newest", "When the newest dump of the SomaMemory was made"),
    ("overdueAt", "overdue", "When the next dump of the SomaMemory is overdue"),
)
"""Field of `.status.backup`, name and text of its metric: moments, since an age would be as old as the last look."""
_CERTIFICATE_TIMES = (
    ("renewsAt", "renewal", "When the next certificate of the SomaMemory is to be renewed"),
    ("endsAt", "end", "When the first certificate of the SomaMemory ends"),
)
"""The same for `.status.tls`."""


class Metrics:
    """Every number the operator exports, in a registry of its own so that two operators fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.api_calls = self._counter("api_calls", "Calls to the Kubernetes API", ["verb", "kind", "outcome"])
        self.reconcile_seconds = Histogram(
            "somamemory_operator_reconcile_seconds",
            "How long one reconciliation took",
            ["outcome"],
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self.reconcile_errors = self._counter("reconcile_errors", "Reconciliations that failed", ["reason"])
        self.retries = self._counter("retries", "Retries after a failure", ["what"])
        self.repairs = self._counter("repairs", "Children applied, deleted or re-created", ["action", "kind"])
        self.dropped_wakeups = self._counter("dropped_wakeups", "Wake-ups refused because the queue was full", [])
        self.events_failed = self._counter("events_failed", "Kubernetes Events that could not be posted", [])
        self.status_failed = self._counter("status_failed", "Statuses that could not be written", ["code"])
        self.refusals = self._counter("refusals", "Objects and kinds that the API server refused", ["reason", "kind"])
        self.watch_refused = self._gauge("watch_refused", "1 while a watch is refused", ["kind", "namespace"])
        self.queue_length = self._gauge("queue_length", "Resources waiting to be reconciled", [])
        self.running = self._gauge("reconciling", "Resources being reconciled now", [])
        self.leader = self._gauge("leader", "1 while this replica is the leader", [])
        self.watch_age = self._gauge(
            "watch_age_seconds", "Seconds since a watch last showed life", ["kind", "namespace"]
        )
        self.kopf_age = self._gauge("kopf_age_seconds", "Seconds since Kopf's own event loop last answered", [])
        self.unheard = self._gauge("unheard_resources", "Resources whose newest version Kopf has not reported", [])
        self._condition = Gauge(
            "somamemory_condition",
            "1 when the condition of the SomaMemory is True, 0 when False, -1 when Unknown",
            ["namespace", "name", "type"],
            registry=self.registry,
        )
        self._backup = self._times("backup", _BACKUP_TIMES)
        self._certificates = self._times("certificate", _CERTIFICATE_TIMES)
        self._shown: dict[tuple[str, str], set[str]] = {}

    def show_conditions(self, namespace: str, name: str, conditions: Iterable[Mapping[str, Any]]) -> None:
        """Export one resource's conditions, for at most the first 500 resources: metrics must stay bounded."""
        key = (namespace, name)
        if key not in self._shown and len(self._shown) >= _MOST_RESOURCES_IN_METRICS:
            return
        values = {str(each["type"]): {"True": 1, "False": 0}.get(str(each["status"]), -1) for each in conditions}
        for gone in self._shown.get(key, set()) - set(values):
            self._condition.remove(namespace, name, gone)
        for kind, value in values.items():
            self._condition.labels(namespace, name, kind).set(value)
        self._shown[key] = set(values)

    def show_times(self, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Export the moments of `.status.backup` and `.status.tls`, of the resources whose conditions are."""
        self._show(self._backup, namespace, name, status.get("backup") or {})
        self._show(self._certificates, namespace, name, status.get("tls") or {})

    def _show(self, gauges: Mapping[str, Gauge], namespace: str, name: str, times: Mapping[str, Any]) -> None:
        for field, gauge in gauges.items():
            if (namespace, name) in self._shown and field in times:
                gauge.labels(namespace, name).set(datetime.fromisoformat(str(times[field])).timestamp())
            else:
                _remove(gauge, namespace, name)

    def forget(self, namespace: str, name: str) -> None:
        """Stop exporting a resource that is gone."""
        for kind in self._shown.pop((namespace, name), set()):
            self._condition.remove(namespace, name, kind)
        for gauge in (*self._backup.values(), *self._certificates.values()):
            _remove(gauge, namespace, name)

    def _times(self, about: str, moments: Iterable[tuple[str, str, str]]) -> dict[str, Gauge]:
        labels = ["namespace", "name"]
        return {
            field: Gauge(f"somamemory_{about}_{name}_timestamp_seconds", text, labels, registry=self.registry)
            for field, name, text in moments
        }

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"somamemory_operator_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: list[str]) -> Gauge:
        return Gauge(f"somamemory_operator_{name}", text, labels, registry=self.registry)


def _remove(gauge: Gauge, *labels: str) -> None:
    with suppress(KeyError):
        gauge.remove(*labels)
