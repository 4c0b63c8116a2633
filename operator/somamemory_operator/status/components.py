"""How each component stands, as seen in its workload, its pods and its volumes."""

from dataclasses import dataclass, replace
from datetime import datetime

from somamemory_operator.decide import external
from somamemory_operator.decide.plan import Plan
from somamemory_operator.decide.recovery import Recovery
from somamemory_operator.manifests.parts.jobs import is_done
from somamemory_operator.model import names
from somamemory_operator.model.desired import Desired
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.jobs import failure, has_failed
from somamemory_operator.model.names import STORES, WORKLOADS, Component
from somamemory_operator.model.observed import Key, Obj, World, at, component_of, is_terminating, key_of
from somamemory_operator.model.pod_problems import Finding, worst
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.rollout import generation_of, has_seen, paused, progress, runs_newest
from somamemory_operator.model.sentences import steady
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.changes import due_change
from somamemory_operator.status.restore import unrestored
from somamemory_operator.status.volumes import capacity, too_small

STALLING = frozenset(
    {
        Reason.IMAGE_PULL_FAILED,
        Reason.INVALID_IMAGE_NAME,
        Reason.CONTAINER_CONFIG_INVALID,
        Reason.MIGRATION_FAILED,
        Reason.RESTORE_FAILED,
        Reason.PODS_REFUSED,
        Reason.ROLLOUT_PAUSED,
        Reason.EXPANSION_NOT_SUPPORTED,
        Reason.VOLUME_GROWTH_REFUSED,
        Reason.CONFLICT,
        Reason.TLS_FAILED,
        Reason.LOGIN_FAILED,
        Reason.UNSUPPORTED_VERSION,
        Reason.MISSING_RIGHTS,
        Reason.POOLER_IN_BETWEEN,
    }
)
"""Reasons that do not go away by themselves: a person has to do something."""

TROUBLED = STALLING | {
    Reason.CRASH_LOOP_BACK_OFF,
    Reason.OUT_OF_MEMORY,
    Reason.UNSCHEDULABLE,
    Reason.VOLUME_PENDING,
    Reason.NOT_READY,
    Reason.JOB_SUSPENDED,
    Reason.DNS_FAILED,
    Reason.UNREACHABLE,
    Reason.PREFLIGHT_FAILED,
}
"""Reasons that are more than the ordinary course of a rollout."""


@dataclass(frozen=True)
class Report:
    """How one component stands. `is_known` is False when its workload could not be looked at."""

    component: Component
    reason: Reason
    message: str
    is_ready: bool = False
    is_known: bool = True
    is_external: bool = False
    ready: int = 0
    wanted: int = 0
    image: str = ""
    volumes: tuple[str, ...] = ()
    capacity: str | None = None

    @property
    def is_disabled(self) -> bool:
        return self.reason is Reason.DISABLED


@dataclass(frozen=True)
class View:
    """What the reports are made from. `desired` and `plan` are None when they could not be made."""

    memory: SomaMemory
    desired: Desired | None
    plan: Plan | None
    world: World
    now: datetime
    recovery: Recovery
    problems: tuple[Problem, ...] = ()

    def problem_with(self, key: Key) -> Problem | None:
        """What one object met with in this pass."""
        return next((problem for problem in self.problems if problem.key == key), None)


def reports(view: View) -> list[Report]:
    """One report per component, in the order in which they are listed everywhere."""
    return [_report(view, component) for component in WORKLOADS]


def _report(view: View, component: Component) -> Report:
    memory, plan, world = view.memory, view.plan, view.world
    if component is Component.CONSUMER and not memory.spec.consumer.enabled:
        return Report(component, Reason.DISABLED, "Not wanted: spec.consumer.enabled is false.", is_ready=True)
    if component in STORES and external.of(memory, component) is not None:
        return _external(view, component)
    key = Key("StatefulSet" if component in STORES else "Deployment", names.child(memory.name, component))
    live = world.children.get(key)
    held = next((entry for entry in (plan.held if plan else ()) if entry.key == key), None)
    report = _counted(component, live, world)
    if (unread := world.unread.get(key.kind)) is not None:
        return replace(report, reason=unread.reason, message=unread.message, is_known=False)
    if component in (Component.API, Component.CONSUMER) and (found := _database(view)) is not None:
        return replace(report, reason=found.reason, message=found.message)
    if held is not None:
        return replace(report, reason=held.reason, message=held.message)
    if (problem := view.problem_with(key)) is not None:
        return replace(report, reason=problem.reason, message=problem.message)
    if live is None or is_terminating(live):
        return replace(report, reason=Reason.WAITING, message=f"{key} does not exist yet.")
    if plan is not None and key in _pending(plan):
        return replace(report, reason=Reason.ROLLING_OUT, message=f"The change of {key} is still to be applied.")
    report = _rollout(report, live, view)
    change = due_change(view.desired, component) if report.is_ready else None
    if change is None:
        return report
    text = f"Is to run {change.after}. {change.why}"
    return replace(report, is_ready=False, reason=Reason.WAITING_FOR_STORE, message=text)


def _external(view: View, component: Component) -> Report:
    """Of a store that somebody else runs only the preflight tells."""
    wanted = [each for each in view.desired or () if each.key.kind == "Job" and _tries(each.obj, component)]
    report = Report(component, Reason.WAITING, "It is still to be tried.", is_external=True)
    if not wanted:
        hibernated = Reason.HIBERNATED if view.memory.spec.hibernated else Reason.WAITING
        return replace(report, reason=hibernated, message="Somebody else runs it; it is not used now.")
    held = next((entry for entry in (view.plan.held if view.plan else ()) if entry.key == wanted[0].key), None)
    if held is not None:
        return replace(report, reason=held.reason, message=held.message)
    reason, message = external.finding(view.world, component, view.world.children.get(wanted[0].key))
    return replace(report, reason=reason, message=message, is_ready=reason is Reason.READY)


def _tries(obj: Obj, store: Component) -> bool:
    return bool(at(obj, "metadata", "annotations", names.STORE_ANNOTATION) == store.value)


def _counted(component: Component, live: Obj | None, world: World) -> Report:
    """The numbers, which are true whatever else is."""
    containers = at(live, "spec", "template", "spec", "containers") or ()
    return Report(
        component,
        Reason.WAITING,
        "",
        ready=at(live, "status", "readyReplicas") or 0,
        wanted=at(live, "spec", "replicas") or 0,
        image=containers[0]["image"] if containers else "",
        volumes=tuple(claim["metadata"]["name"] for claim in world.claims_of(component)),
        capacity=capacity(world, component),
    )


def _pending(plan: Plan) -> frozenset[Key]:
    return frozenset(Key(obj["kind"], obj["metadata"]["name"]) for obj in plan.applies)


def _rollout(report: Report, live: Obj, view: View) -> Report:
    """From the workload's own status; its pods explain what is missing."""
    key, least = key_of(live), _fewest(report.component, view)
    is_seen = has_seen(live, generation_of(live)) if view.plan is None else key not in view.plan.unseen
    if is_seen and runs_newest(live, least):
        return _rolled_out(report, view, is_scaled=least is not None)
    if (held_back := paused(live)) is not None:
        return replace(report, reason=Reason.ROLLOUT_PAUSED, message=held_back)
    if (refused := _refused_pods(live)) is not None:
        text = f"The cluster refuses the pods ({refused}): change the quota or policy of the namespace, or the spec."
        return replace(report, reason=Reason.PODS_REFUSED, message=text)
    if (found := worst(view.world.pods_of(report.component), view.now)) is not None:
        return replace(report, reason=found.reason, message=found.message)
    text = progress(live) if is_seen else f"The controller of {key} has not taken up the newest template yet."
    return replace(report, reason=Reason.ROLLING_OUT, message=text)


def _rolled_out(report: Report, view: View, *, is_scaled: bool) -> Report:
    if view.memory.spec.hibernated:
        return replace(report, reason=Reason.HIBERNATED, message="Scaled to zero by spec.hibernated.")
    if (small := _too_small(report, view)) is not None:
        return replace(report, reason=small.reason, message=small.message)
    text = "Runs as wanted, with as many pods as its autoscaler decides." if is_scaled else "Runs as wanted."
    return replace(report, reason=Reason.READY, message=text, is_ready=True)


def _too_small(report: Report, view: View) -> Finding | None:
    """Of a claim whose growth is refused the server's words say more than what is seen."""
    problems = (view.problem_with(Key("PersistentVolumeClaim", name)) for name in report.volumes)
    refused = next((problem for problem in problems if problem is not None), None)
    if refused is not None:
        return Finding(refused.reason, refused.message)
    return too_small(view.memory, view.world, report.component)


def _fewest(component: Component, view: View) -> int | None:
    """How few pods the autoscaler of a component may choose, None when there is to be none."""
    name = names.child(view.memory.name, component)
    wanted = view.desired.get("HorizontalPodAutoscaler", name) if view.desired is not None else None
    least: int | None = at(wanted.obj, "spec", "minReplicas") if wanted is not None else None
    return least


def _database(view: View) -> Finding | None:
    """What API and consumer wait for: while a dump may be half-way, that comes before any migration."""
    restore = unrestored(view.memory, view.recovery, view.world, view.now) if view.desired is not None else None
    return (restore or _migration(view)) if view.recovery.may_change else (_migration(view) or restore)


def _migration(view: View) -> Finding | None:
    """What keeps the database from being migrated, None when it is: API and consumer are not ready before."""
    job = next((wanted for wanted in view.desired or () if _is_migration(wanted.obj)), None)
    if job is None or is_done(view.world, job.obj) or "Job" in view.world.unread:
        return None
    if job.held is not None:
        return Finding(job.held.reason, job.held.message)
    if (problem := view.problem_with(job.key)) is not None:
        return Finding(problem.reason, problem.message)
    name, namespace = job.key.name, view.memory.namespace
    found = worst(view.world.pods_of(Component.MIGRATION), view.now)
    live = view.world.get("Job", name)
    if has_failed(live) or (found and found.reason is Reason.CRASH_LOOP_BACK_OFF):
        is_late = failure(live)[0] == "DeadlineExceeded"
        why = (
            "took longer than a day and was ended"
            if is_late
            else f"fails: `kubectl logs -n {namespace} job/{name}` says why"
        )
        again = "It is tried" if is_late else "It is tried again by itself for hours, and"
        return Finding(
            Reason.MIGRATION_FAILED,
            f"The migration of the database {why}. {again} anew after `kubectl delete job -n {namespace} {name}`.",
        )
    if at(live, "spec", "suspend"):
        text = (
            f"Job {name}, which migrates the database, is suspended: whoever did that has to set its suspend to false."
        )
        return Finding(Reason.JOB_SUSPENDED, text)
    return found or Finding(Reason.MIGRATION_RUNNING, f"Waits until Job {name} has migrated the database.")


def _is_migration(obj: Obj) -> bool:
    return bool(obj["kind"] == "Job" and component_of(obj) == Component.MIGRATION)


def _refused_pods(live: Obj) -> str | None:
    for condition in at(live, "status", "conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return steady(str(condition.get("message") or condition.get("reason")))
    return None
