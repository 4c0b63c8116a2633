"""How it stands with what a SomaMemory has beside its components: told only where something of it is wanted."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from somamemory_operator.decide.plan import Plan
from somamemory_operator.decide.recovery import Recovery
from somamemory_operator.model.addons import MONITORING, addon_of
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.errors import Problem, worst_of
from somamemory_operator.model.observed import World, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.backup import backup_condition
from somamemory_operator.status.restore import restored


def addon_conditions(
    memory: SomaMemory, found: Recovery, world: World, plan: Plan | None, now: datetime
) -> Iterator[Condition]:
    """One condition for each wanted part. None of them keeps the SomaMemory from being Ready: memories are served."""
    yield from _monitoring(memory, world, plan)
    yield from backup_condition(memory, found, world, now)
    yield from restored(memory, found, world, now)


def told(conditions: Iterable[Condition], memory: SomaMemory, problems: Iterable[Problem]) -> Iterator[Condition]:
    """The conditions, with what the server said to our writes: what is refused is not as wanted, whatever is there."""
    found = {condition.type: condition for condition in conditions}
    by_addon: dict[str, list[Problem]] = {}
    for problem in problems:
        if (addon := addon_of(problem.key, memory.name)) is not None:
            by_addon.setdefault(addon, []).append(problem)
    for addon, own in by_addon.items():
        worst = worst_of(own) or own[0]
        others = ", ".join(str(problem.key) for problem in own if problem is not worst)
        also = f" Neither could be brought up to date: {others}." if others else ""
        found[addon] = Condition(addon, "False", worst.reason, f"{worst.message}{also}")
    yield from found.values()


def _monitoring(memory: SomaMemory, world: World, plan: Plan | None) -> Iterator[Condition]:
    kinds = _monitoring_kinds(memory)
    missing = [kind for kind in kinds if kind in world.unserved]
    absent = [kind for kind in kinds if not any(world.of_kind(kind))]
    due = {key_of(obj).kind for obj in plan.applies} if plan is not None else set()
    if missing:
        text = (
            f"The cluster does not serve {' and '.join(missing)} to the operator: install the resource definitions of "
            "the Prometheus operator (it is noticed within a minute), or take the part out of spec.monitoring."
        )
        yield Condition(MONITORING, "False", Reason.KIND_MISSING, text)
    elif pending := [kind for kind in kinds if kind in due or kind in absent]:
        yield Condition(MONITORING, "False", Reason.WAITING, f"Still to be made or changed: {', '.join(pending)}.")
    elif kinds:
        yield Condition(MONITORING, "True", Reason.READY, f"Made for Prometheus: {', '.join(kinds)}.")


def _monitoring_kinds(memory: SomaMemory) -> list[str]:
    """The wanted kinds; there are no alerts while nothing runs."""
    monitor, rule = memory.spec.monitoring.service_monitor, memory.spec.monitoring.prometheus_rule
    wanted = {
        "ServiceMonitor": monitor is not None and monitor.enabled,
        "PrometheusRule": rule is not None and rule.enabled and not memory.spec.hibernated,
    }
    return [kind for kind, is_wanted in wanted.items() if is_wanted]
