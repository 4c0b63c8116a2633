"""How it stands: the status of a SomaMemory as a pure function of what is observed, never of what was done."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from somamemory_operator.decide.plan import Plan
from somamemory_operator.decide.recovery import recovery
from somamemory_operator.decide.tls.certificates import in_force
from somamemory_operator.model import names
from somamemory_operator.model.addons import addon_of
from somamemory_operator.model.conditions import Condition, rendered, verdict
from somamemory_operator.model.desired import Desired
from somamemory_operator.model.errors import Problem, worst_of
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.addons import addon_conditions, told
from somamemory_operator.status.backup import backup_times
from somamemory_operator.status.blindness import blindness
from somamemory_operator.status.changes import pending_changes, up_to_date
from somamemory_operator.status.components import STALLING, TROUBLED, Report, View, reports
from somamemory_operator.status.durability import asleep, durable
from somamemory_operator.status.secrets import secrets_ready
from somamemory_operator.status.secrets import told as told_secrets
from somamemory_operator.status.tls import tls_ready
from somamemory_operator.status.tls import told as told_tls


def status(
    memory: SomaMemory,
    *,
    desired: Desired | None,
    plan: Plan | None,
    world: World,
    problem: Problem | None,
    now: datetime,
    problems: Sequence[Problem] = (),
) -> Obj:
    """The whole `.status`.

    `plan` is what is still to be done *after* this pass, computed once more from the world as it is now: only an empty
    one can be Ready. Both `desired` and `plan` are None when a problem kept them from being made, or while paused.
    `problem` refuses the whole spec; `problems` are what single objects and kinds met with, and cost only those.
    """
    restore = recovery(memory, world)
    found = reports(View(memory, desired, plan, world, now, restore, tuple(problems)))
    counting = [each for each in problems if addon_of(each.key, memory.name) is None]
    due = plan.about(lambda key: addon_of(key, memory.name) is None) if plan is not None else None
    summary = _summary(memory, found, due, world, problem or worst_of(counting))
    standing = [
        secrets_ready(memory, world, problem),
        *tls_ready(memory, world, now),
        durable(memory, plan, world),
    ]
    addons = [*told(addon_conditions(memory, restore, world, plan, now), memory, problems)]
    parts = [*(_of(report) for report in found), *up_to_date(desired, world), *addons, *blindness(world)]
    conditions = [*_overall(summary, addons), *standing, *parts]
    enabled = [report for report in found if not report.is_disabled]
    api = world.get("Deployment", names.child(memory.name, Component.API))
    made = {
        "observedGeneration": memory.metadata.generation,
        "phase": summary.phase,
        "conditions": rendered(conditions, before=memory.status, generation=memory.metadata.generation, now=now),
        "components": [_component(report) for report in found],
        "componentsReady": f"{sum(report.is_ready for report in enabled)}/{len(enabled)}",
        "pendingChanges": pending_changes(desired) or None,
        "endpoints": _endpoints(memory, world),
        "version": at(api, "metadata", "labels", names.VERSION_LABEL),
        "replicas": at(api, "status", "replicas") or 0,
        "selector": names.selector_string(memory.name, Component.API),
        "backup": backup_times(memory, world),
        "secrets": told_secrets(memory, world),
        "tls": told_tls(memory, world),
    }
    return {key: value for key, value in made.items() if value is not None}


def refused_status(obj: Obj, problem: Problem, now: datetime) -> Obj:
    """The `.status` of an object that could not even be parsed; what was reported about components is kept."""
    before = obj.get("status") or {}
    generation = obj["metadata"].get("generation", 0)
    summary = _halted(problem)
    fresh = rendered(_overall(summary, ()), before=before, generation=generation, now=now)
    types = {condition["type"] for condition in fresh}
    kept = [condition for condition in before.get("conditions") or () if condition["type"] not in types]
    return {**before, "observedGeneration": generation, "phase": summary.phase, "conditions": [*fresh, *kept]}


class _Summary:
    """The verdict over everything: the phase for people, Ready for programs, and whether it moves or is stuck."""

    def __init__(self, phase: str, ready: Condition, *, stalled: bool = False, moving: bool = False) -> None:
        self.phase = phase
        self.ready = ready
        self.stalled = stalled
        self.moving = moving


def _summary(
    memory: SomaMemory, found: list[Report], plan: Plan | None, world: World, problem: Problem | None
) -> _Summary:
    """The first of these that applies, in this order."""
    if memory.spec.paused:
        text = "The operator leaves everything as it is: set spec.paused to false to go on."
        return _Summary("Paused", Condition("Ready", "Unknown", Reason.PAUSED, text))
    if problem is not None:
        return _halted(problem)
    if all(report.reason is Reason.HIBERNATED or report.is_disabled for report in found) and plan and plan.is_settled:
        text = f"Everything is scaled to zero, {asleep(memory, world)}: set spec.hibernated to false to wake it up."
        return _Summary("Hibernated", Condition("Ready", "False", Reason.HIBERNATED, text))
    waiting = [report for report in found if not report.is_ready]
    if waiting:
        return _unready(waiting)
    if plan is None or not plan.is_settled:
        text = "All components run, some objects are still to be brought up to date."
        return _Summary("Progressing", Condition("Ready", "False", Reason.PROGRESSING, text), moving=True)
    text = f"All {sum(not report.is_disabled for report in found)} components run as wanted."
    text = " ".join((text, *(each.message for each in plan.postponed)))
    return _Summary("Ready", Condition("Ready", "True", Reason.READY, text))


def _halted(problem: Problem) -> _Summary:
    """Something is in the way: a person's turn, or only a matter of time."""
    ready = Condition("Ready", "False", problem.reason, problem.message)
    stalls = problem.stalls
    return _Summary("Failed" if stalls else "Degraded", ready, stalled=stalls, moving=not stalls)


def _unready(waiting: list[Report]) -> _Summary:
    """Led by the component whose trouble is worst: the others may only wait for it."""
    worst = min(waiting, key=lambda report: (report.reason not in STALLING, report.reason not in TROUBLED))
    stalled = worst.reason in STALLING
    others = ", ".join(report.component.value for report in waiting if report is not worst)
    also = f" Not ready either: {others}." if others else ""
    ready = Condition("Ready", "False", worst.reason, f"{worst.component.value}: {worst.message}{also}")
    phase = "Failed" if stalled else "Degraded" if worst.reason in TROUBLED else "Progressing"
    return _Summary(phase, ready, stalled=stalled, moving=not stalled)


def _overall(summary: _Summary, addons: Iterable[Condition]) -> Iterator[Condition]:
    """Ready, and the two that kstatus (Argo CD, Flux, kubectl wait) understands."""
    beside = [each.type for each in addons if each.status != "True" and each.reason not in _IN_COURSE]
    yield summary.ready
    calm = (Reason.NOTHING_TO_DO, "Nothing is being changed.")
    reason, message = (summary.ready.reason, summary.ready.message) if summary.moving else calm
    yield Condition("Reconciling", verdict(summary.moving), reason, message)
    text = f"Nobody needs to do anything for memories to be served; see {' and '.join(beside)}." if beside else _CALM
    calm = (Reason.NOTHING_TO_DO, text)
    reason, message = (summary.ready.reason, summary.ready.message) if summary.stalled else calm
    yield Condition("Stalled", verdict(summary.stalled), reason, message)


_CALM = "Nobody needs to do anything."
_IN_COURSE = frozenset({Reason.WAITING, Reason.HIBERNATED, Reason.RESTORING})
"""Why something beside the components may not be there although nobody has to act."""


def _of(report: Report) -> Condition:
    name = f"{report.component.value.capitalize()}Ready"
    stands = verdict(report.is_ready) if report.is_known else "Unknown"
    return Condition(name, stands, report.reason, report.message)


def _component(report: Report) -> Obj:
    made = {
        "name": report.component.value,
        "mode": "disabled" if report.is_disabled else "external" if report.is_external else "managed",
        "ready": None if report.is_external else f"{report.ready}/{report.wanted}",
        "image": report.image or None,
        "reason": report.reason.value,
        "volumes": list(report.volumes) or None,
        "capacity": report.capacity,
    }
    return {key: value for key, value in made.items() if value is not None}


def _endpoints(memory: SomaMemory, world: World) -> Obj:
    api = memory.spec.api.service
    live = world.get("Service", names.child(memory.name, Component.API))
    ports = at(live, "spec", "ports") or ()
    node_port = next((port["nodePort"] for port in ports if port.get("nodePort") and port.get("name") == "http"), None)
    host, grpc = names.host(memory.name, Component.API, memory.namespace), memory.spec.api.grpc
    scheme = "http" if in_force(memory, world) is None else "https"
    made = {
        "api": f"{scheme}://{host}:{api.port}",
        "apiGrpc": f"{host}:{grpc.port}" if grpc.enabled else None,
        "apiNodePort": node_port,
        "apiIngress": _ingress(memory),
        "consumerMetrics": _metrics(memory),
        "credentialsSecret": names.credentials(memory.name),
    }
    return {key: value for key, value in made.items() if value is not None}


def _ingress(memory: SomaMemory) -> str | None:
    ingress = memory.spec.api.ingress
    if ingress is None or not ingress.enabled:
        return None
    return f"{'https' if ingress.tls.enabled else 'http'}://{ingress.host}"


def _metrics(memory: SomaMemory) -> str | None:
    if not memory.spec.consumer.enabled:
        return None
    port = names.PORTS[Component.CONSUMER]["http-metrics"]
    return f"http://{names.host(memory.name, Component.CONSUMER, memory.namespace)}:{port}/metrics"
