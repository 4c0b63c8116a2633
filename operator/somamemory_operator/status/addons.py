"""How it stands with what a SomaMemory has beside its components: told only where something of it is wanted."""

from collections.abc import Iterator

from somamemory_operator.decide.recovery import is_restored
from somamemory_operator.model import names
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def addon_conditions(memory: SomaMemory, world: World) -> Iterator[Condition]:
    """One condition for each wanted part. None of them keeps the SomaMemory from being Ready: memories are served."""
    yield from _monitoring(memory, world)
    yield from _backup(memory, world)
    yield from _restore(memory, world)


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


def _backup(memory: SomaMemory, world: World) -> Iterator[Condition]:
    wanted, name = memory.spec.backup, names.child(memory.name, Component.BACKUP)
    if wanted is None or not wanted.enabled:
        return
    live = world.get("CronJob", name)
    if live is None:
        yield Condition("BackupReady", "False", Reason.WAITING, f"CronJob {name} does not exist yet.")
    elif memory.spec.hibernated:
        yield Condition("BackupReady", "False", Reason.HIBERNATED, "No dumps are made while hibernated.")
    elif failed := _failed_job(world):
        text = f"`kubectl logs -n {memory.namespace} job/{failed}` says why. It is tried again at the next time."
        yield Condition("BackupReady", "False", Reason.BACKUP_FAILED, f"The newest dump could not be made: {text}")
    else:
        last = at(live, "status", "lastSuccessfulTime")
        done = f"The newest dump was made at {last}." if last else "No dump has been made yet."
        yield Condition("BackupReady", "True", Reason.READY, f"{done} Schedule: {wanted.schedule}.")


def _restore(memory: SomaMemory, world: World) -> Iterator[Condition]:
    wanted = memory.spec.restore
    if wanted is None:
        return
    if is_restored(memory, world):
        yield Condition("Restored", "True", Reason.READY, f"The dump {wanted.mark} has been brought back.")
    else:
        text = f"The dump {wanted.mark} is still to be brought back: ApiReady says how far that is."
        yield Condition("Restored", "False", Reason.RESTORING, text)


def _failed_job(world: World) -> str | None:
    """The name of the newest backup's Job, if it has ended and failed."""
    found = [job for job in world.of_kind("Job") if component_of(job) == Component.BACKUP]
    ended = [(at(job, "metadata", "creationTimestamp") or "", job) for job in found if _verdict(job) is not None]
    newest = max(ended, key=lambda pair: pair[0], default=None)
    return key_of(newest[1]).name if newest is not None and _verdict(newest[1]) == "Failed" else None


def _verdict(job: Obj) -> str | None:
    conditions = at(job, "status", "conditions") or ()
    ends = [each["type"] for each in conditions if each["status"] == "True" and each["type"] in ("Complete", "Failed")]
    return ends[0] if ends else None


def _monitoring_kinds(memory: SomaMemory) -> list[str]:
    """The wanted kinds; there are no alerts while nothing runs."""
    monitor, rule = memory.spec.monitoring.service_monitor, memory.spec.monitoring.prometheus_rule
    wanted = {
        "ServiceMonitor": monitor is not None and monitor.enabled,
        "PrometheusRule": rule is not None and rule.enabled and not memory.spec.hibernated,
    }
    return [kind for kind, is_wanted in wanted.items() if is_wanted]
