"""The presets of a SomaMemory: `development` is small and keeps nothing, `production` is a real service."""

from collections.abc import Mapping
from typing import Any

_ReadOnly = Mapping[str, Any]


def preset(profile: str) -> _ReadOnly:
    """The spec that a profile stands for, to be laid below what the user wrote."""
    return _PRESETS[profile]


def _resources(cpu: str, memory: str, cpu_limit: str, memory_limit: str) -> _ReadOnly:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}}


def _small(cpu: str, memory: str, memory_limit: str) -> _ReadOnly:
    """No CPU limit: on a busy laptop it would only make the start slower."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory_limit}}


_DEVELOPMENT: _ReadOnly = {
    "api": {"resources": _small("50m", "128Mi", "768Mi")},
    "consumer": {"resources": _small("25m", "96Mi", "512Mi")},
    "postgres": {"resources": _small("25m", "96Mi", "512Mi"), "persistence": {"size": "5Gi"}},
    "redis": {"resources": _small("10m", "32Mi", "256Mi"), "persistence": {"size": "5Gi"}},
    "qdrant": {"resources": _small("25m", "128Mi", "1Gi"), "persistence": {"size": "5Gi"}},
    "kafka": {"resources": _small("50m", "320Mi", "768Mi"), "persistence": {"size": "10Gi"}},
}

_OVER_NODES = [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}]

_REPLICATED: _ReadOnly = {
    "replicas": 2,
    "resources": _resources("500m", "2Gi", "1500m", "4Gi"),
    "topologySpreadConstraints": _OVER_NODES,
}

_PRODUCTION: _ReadOnly = {
    "api": _REPLICATED,
    "consumer": _REPLICATED,
    "postgres": {"resources": _resources("1", "4Gi", "2", "8Gi"), "persistence": {"enabled": True, "size": "50Gi"}},
    "redis": {"resources": _resources("500m", "2Gi", "1", "4Gi"), "persistence": {"enabled": True, "size": "20Gi"}},
    "qdrant": {"resources": _resources("2", "8Gi", "4", "16Gi"), "persistence": {"enabled": True, "size": "200Gi"}},
    "kafka": {"resources": _resources("2", "8Gi", "4", "16Gi"), "persistence": {"enabled": True, "size": "200Gi"}},
    "podDisruptionBudget": {"enabled": True},
    "networkPolicy": {"enabled": True},
}

_PRESETS: Mapping[str, _ReadOnly] = {"development": _DEVELOPMENT, "production": _PRODUCTION}
