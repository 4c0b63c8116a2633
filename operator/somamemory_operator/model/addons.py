"""What a SomaMemory has beside what serves memories: how Prometheus watches it, and its dumps.

Each has a condition of its own, and Ready does not depend on it. Everything else does count, whatever its kind: without
its Ingress an API is not reached as the spec says, without its autoscaler, disruption budget or network policy it is
not as available or as protected.
"""

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key

MONITORING_KINDS = ("ServiceMonitor", "PrometheusRule")
MONITORING, BACKUP = "MonitoringReady", "BackupReady"
"""The conditions."""


def addon_of(key: Key | None, name: str) -> str | None:
    """The condition that tells about this object of the SomaMemory called `name`, None when the object counts."""
    if key is None:
        return None
    if key.kind in MONITORING_KINDS:
        return MONITORING
    return BACKUP if key.name == names.child(name, Component.BACKUP) else None
