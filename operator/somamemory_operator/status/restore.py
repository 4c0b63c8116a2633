"""What keeps a dump from having been brought back, as seen in its Jobs and their pods."""

from datetime import datetime

from somamemory_operator.manifests.parts.jobs import is_done
from somamemory_operator.model.desired import Desired, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of
from somamemory_operator.model.pod_problems import Finding, worst
from somamemory_operator.model.reasons import Reason

_STEPS = {
    Component.RESTORE: "the dump is brought back",
    Component.REINDEX: "the index is made anew",
}


def unrestored(desired: Desired, world: World, now: datetime) -> Finding | None:
    """The step that is not done yet, None when there is none: API and consumer are not ready before."""
    for component, step in _STEPS.items():
        for wanted in desired:
            if wanted.obj["kind"] == "Job" and component_of(wanted.obj) == component:
                if is_done(world, wanted.obj):
                    continue
                return _unfinished(wanted, component, step, world, now)
    return None


def has_failed(job: Obj | None) -> bool:
    """Whether a Job has given up."""
    conditions = at(job, "status", "conditions") or ()
    return any(condition["type"] == "Failed" and condition["status"] == "True" for condition in conditions)


def _unfinished(wanted: Wanted, component: Component, step: str, world: World, now: datetime) -> Finding:
    if wanted.held is not None:
        return Finding(wanted.held.reason, wanted.held.message)
    name = wanted.key.name
    if has_failed(world.get("Job", name)):
        why = _last_words(world, component) or "See its log."
        text = (
            f"Job {name} has failed: {why} Correct spec.restore, or take it away to have API and consumer back as "
            f"they were; after `kubectl delete job -n {wanted.obj['metadata']['namespace']} {name}` it is tried again."
        )
        return Finding(Reason.RESTORE_FAILED, text)
    return worst(world.pods_of(component), now) or Finding(Reason.RESTORING, f"Waits until {step} by Job {name}.")


def _last_words(world: World, component: Component) -> str:
    """What a pod of this component said at its end; our scripts say nothing secret."""
    for pod in reversed(world.pods_of(component)):
        for container in at(pod, "status", "containerStatuses") or ():
            if words := at(container, "state", "terminated", "message"):
                return " ".join(str(words).split())[-500:]
    return ""
