"""How it stands with what a SomaMemory has beside its components: told only where something of it is wanted."""

from collections.abc import Iterator
from datetime import datetime

from somamemory_operator.decide.recovery import Recovery
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.backup import backup_condition
from somamemory_operator.status.restore import restored


def addon_conditions(memory: SomaMemory, found: Recovery, world: World, now: datetime) -> Iterator[Condition]:
    """One condition for each wanted part. None of them keeps the SomaMemory from being Ready: memories are served."""
    yield from _monitoring(memory, world)
    yield from backup_condition(memory, found, world, now)
    yield from restored(memory, found, world, now)


def _monitoring(memory: SomaMemory, world: World) -> Iterator[Condition]:
    kinds = _monitoring_kinds(memory)
    missing = [kind for kind in kinds if kind in world.unserved]
    if missing:
        text = (
            f"The cluster does not serve {' and '.join(missing)} to the operator: install the resource definitions of "
            "the Prometheus operator (it is noticed within a minute), or take the part out of spec.monitoring."
        )
        yield Condition("MonitoringReady", "False", Reason.KIND_MISSING, text)
    elif absent := [kind for kind in kinds if not any(world.of_kind(kind))]:
        yield Condition("MonitoringReady", "False", Reason.WAITING, f"Still to be made: {', '.join(absent)}.")
    elif kinds:
        yield Condition("MonitoringReady", "True", Reason.READY, f"Made for Prometheus: {', '.join(kinds)}.")


def _monitoring_kinds(memory: SomaMemory) -> list[str]:
    """The wanted kinds; there are no alerts while nothing runs."""
    monitor, rule = memory.spec.monitoring.service_monitor, memory.spec.monitoring.prometheus_rule
    wanted = {
        "ServiceMonitor": monitor is not None and monitor.enabled,
        "PrometheusRule": rule is not None and rule.enabled and not memory.spec.hibernated,
    }
    return [kind for kind, is_wanted in wanted.items() if is_wanted]
