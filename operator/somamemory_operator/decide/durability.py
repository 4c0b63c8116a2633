"""What a plan would do to memories that are on no volume: they live and die with the pod of Postgres.

Only Postgres is at stake. Redis may be lost at any time, the index is made from Postgres again, and an event is
published from Postgres before it leaves the outbox.
"""

from dataclasses import replace
from typing import NamedTuple

from somamemory_operator.decide.plan import Held, Plan
from somamemory_operator.model import names
from somamemory_operator.model.desired import Desired
from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj, World, at, is_terminating, key_of, uid_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.templates import asks_for, is_marked_by, same_template
from somamemory_operator.resource.somamemory import SomaMemory

REMEDY = (
    'carry them over with a dump ("From development to production" in docs/operations.md), or set spec.allowDataLoss '
    "to true if they may go"
)


def is_on_volume(memory: SomaMemory, world: World) -> bool:
    """Whether the memories outlive the pod of Postgres: as it is now, and where nothing is yet, as it will be."""
    if (pod := _pod(memory, world)) is not None:
        return _mounts_claim(pod)
    if memory.spec.postgres.external is not None:
        return True
    live = world.children.get(_key(memory))
    if live is not None:
        return bool(at(live, "spec", "volumeClaimTemplates"))
    return memory.spec.postgres.persistence.enabled


def spared(memory: SomaMemory, desired: Desired, plan: Plan, world: World) -> Plan:
    """The plan without what would take memories away unasked.

    What the spec asks for is refused, and then nothing of it is applied: raises InvalidSpec. What only another release
    of the operator asks for is postponed, and everything else goes on.
    """
    loss = _loss(memory, desired, plan, world)
    if loss is None or not is_at_stake(memory, world):
        return plan
    if plan.creates:  # credentials that only look lost are found again by this: the rest is decided with them
        return Plan(creates=plan.creates)
    key = _key(memory)
    if loss.by_template and not is_marked_by(world.children[key], desired.release):
        text = f"A change of this operator's release would restart Postgres, whose memories are on no volume: {REMEDY}."
        rest = tuple(body for body in plan.applies if key_of(body) != key)
        return replace(plan, applies=rest, postponed=(Held(key, Reason.DATA_WOULD_BE_LOST, text),))
    text = f"Postgres would be {loss.how}, and its memories, which are on no volume, would be gone: {REMEDY}."
    raise InvalidSpec(Reason.DATA_WOULD_BE_LOST, text)


class _Loss(NamedTuple):
    """What would end the pod of Postgres, and whether that is another template for it."""

    how: str
    by_template: bool = False


def _loss(memory: SomaMemory, desired: Desired, plan: Plan, world: World) -> _Loss | None:
    key = _key(memory)
    live, body = world.children.get(key), next((body for body in plan.applies if key_of(body) == key), None)
    if any(deletion.key == key and deletion.propagation != "Orphan" for deletion in plan.deletions):
        return _Loss("replaced by one with another volume")
    if any(change.component is Component.POSTGRES and change.is_due for change in desired.changes):
        return _Loss("restarted")
    if live is None or body is None:
        return None
    if body["spec"]["replicas"] == 0 and at(live, "spec", "replicas") != 0:  # one too many ends no pod with memories
        return _Loss("stopped")
    return _Loss("restarted", by_template=True) if _restarts(body, live) else None


def _restarts(body: Obj, live: Obj) -> bool:
    """Whether we ask for other pods than at our last apply. What somebody else edited has restarted them already."""
    known = asks_for(live)
    return known != asks_for(body) if known else not same_template(body, live)


def is_at_stake(memory: SomaMemory, world: World) -> bool:
    """Whether there may be memories in a pod without a volume, and nobody has said that they may go.

    One that never was ready holds none. A pod that was is known by the migration that was made for it. What cannot be
    read may be there.
    """
    pod = _pod(memory, world)
    if memory.spec.allow_data_loss or is_on_volume(memory, world):
        return False
    if pod is None:
        return "Pod" in world.unread and _key(memory) in world.children
    conditions = at(pod, "status", "conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    databases = (at(job, "metadata", "annotations", names.DATABASE_ANNOTATION) or "" for job in world.of_kind("Job"))
    return ready or "Job" in world.unread or any(database.split(" ")[0] == uid_of(pod) for database in databases)


def _key(memory: SomaMemory) -> Key:
    return Key("StatefulSet", names.child(memory.name, Component.POSTGRES))


def _pod(memory: SomaMemory, world: World) -> Obj | None:
    pod = world.get("Pod", names.pod(memory.name, Component.POSTGRES))
    return None if pod is None or is_terminating(pod) else pod


def _mounts_claim(pod: Obj) -> bool:
    volumes = at(pod, "spec", "volumes") or ()
    return any(volume["name"] == names.DATA_VOLUME and "persistentVolumeClaim" in volume for volume in volumes)
