"""How it stands with a dump that is brought back: `decide.recovery` in words, with what its Jobs and pods say."""

from collections.abc import Iterator
from datetime import datetime

from somamemory_operator.decide.recovery import Recovery, State
from somamemory_operator.model import names
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.jobs import failure, has_failed
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, key_of
from somamemory_operator.model.pod_problems import Finding, worst
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def restored(memory: SomaMemory, found: Recovery, world: World, now: datetime) -> Iterator[Condition]:
    """The condition `Restored`, where a dump is wanted, or one that was begun has to be finished."""
    if found.state is State.NONE:
        return
    if found.is_lost:
        text = (
            f"The dump {found.mark} was brought back, but into a database that is no more, because it had no volume: "
            "raise spec.restore.run to bring it back again."
        )
        yield Condition("Restored", "False", Reason.RESTORE_LOST, text)
    elif found.state is State.DONE:
        yield Condition("Restored", "True", Reason.READY, f"The dump {found.mark} has been brought back.")
    elif memory.spec.paused:
        text = f"The dump {found.mark} waits until spec.paused is false."
        yield Condition("Restored", "False", Reason.PAUSED, text)
    elif memory.spec.hibernated:
        text = f"The dump {found.mark} waits: it is brought back once spec.hibernated is false."
        yield Condition("Restored", "False", Reason.HIBERNATED, text)
    else:
        step = unrestored(memory, found, world, now)
        if step is not None:
            yield Condition("Restored", "False", step.reason, step.message)


def unrestored(memory: SomaMemory, found: Recovery, world: World, now: datetime) -> Finding | None:
    """What is still to be done before API and consumer may come, None when nothing is."""
    if memory.spec.hibernated or not found.is_under_way:
        return None
    if found.state is State.PENDING:
        text = f"The dump {found.mark} is brought back as soon as {found.waits_until}."
        return Finding(Reason.RESTORING, text)
    if found.state is State.RESTORING:
        return _step(Component.RESTORE, f"the dump {found.mark} is brought back", found, world, now)
    begun = f"the dump {found.mark} that was begun is finished: " if memory.spec.restore is None else ""
    return _step(Component.REINDEX, f"{begun}the index is made anew", found, world, now)


def _step(component: Component, step: str, found: Recovery, world: World, now: datetime) -> Finding:
    job = _job(component, found, world)
    if job is None:
        return Finding(Reason.RESTORING, f"Waits until {step}.")
    name = key_of(job).name
    if has_failed(job):
        why = _last_words(world, component) or failure(job)[1] or "See its log."
        again = f"`kubectl delete job -n {job['metadata']['namespace']} {name}`"
        remedy = (
            f"Correct spec.restore, or take it away to have API and consumer back; after {again} it is tried again."
            if component is Component.RESTORE
            else f"After {again} it is tried again."
        )
        return Finding(Reason.RESTORE_FAILED, f"Job {name} has failed: {why} {remedy}")
    if at(job, "spec", "suspend"):
        text = f"Job {name} is suspended: whoever did that has to set its suspend to false."
        return Finding(Reason.JOB_SUSPENDED, text)
    return worst(world.pods_of(component), now) or Finding(Reason.RESTORING, f"Waits until {step} by Job {name}.")


def _job(component: Component, found: Recovery, world: World) -> Obj | None:
    for job in world.of_kind("Job"):
        is_for = at(job, "metadata", "annotations", names.DATABASE_ANNOTATION)
        if component_of(job) == component and is_for == found.target:
            return job
    return None


def _last_words(world: World, component: Component) -> str:
    """What a pod of this component said at its end; our scripts say nothing secret."""
    for pod in reversed(world.pods_of(component)):
        for container in at(pod, "status", "containerStatuses") or ():
            if words := at(container, "state", "terminated", "message"):
                return " ".join(str(words).split())[-500:]
    return ""
