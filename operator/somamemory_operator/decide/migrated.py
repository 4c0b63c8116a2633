"""Which release the database has been brought to: what is older must not be deployed on it.

The migration Jobs tell it, and both Secrets with the credentials remember it for as long as the data lives: neither a
Deployment that is deleted nor a SomaMemory that is made again over its volumes opens the way back.
"""

import re
from collections.abc import Iterator

from somamemory_operator.decide.credentials import secret_names
from somamemory_operator.decide.plan import Plan
from somamemory_operator.decide.recovery import database_uid
from somamemory_operator.model import names
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, key_of
from somamemory_operator.resource.somamemory import SomaMemory

_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)([-+].*)?")
_CLIENTS = (Component.API, Component.CONSUMER)


def migrated_to(memory: SomaMemory, world: World) -> str | None:
    """The newest release that the database fits, or that is deployed on it; None when there is none yet."""
    live = (world.get("Deployment", names.child(memory.name, client)) for client in _CLIENTS)
    deployed = (at(obj, "metadata", "labels", names.VERSION_LABEL) for obj in live)
    return max((*_reached(memory, world), *(str(each) for each in deployed if each)), key=order, default=None)


def as_migrated(memory: SomaMemory, world: World) -> SomaMemory:
    """The SomaMemory as if its spec named the release that its database fits."""
    spec = memory.spec.model_copy(update={"version": migrated_to(memory, world)})
    return memory.model_copy(update={"spec": spec})


def repairs(plan: Plan, world: World) -> Plan:
    """Only what brings back objects that are gone: nothing that is there is changed or deleted."""
    missing = tuple(body for body in plan.applies if key_of(body) not in world.children)
    return Plan(creates=plan.creates, applies=missing, held=plan.held)


def record(memory: SomaMemory, world: World) -> dict[str, str]:
    """The annotation by which the credentials remember it, for the database that is there now."""
    newest = max((each for each in _reached(memory, world) if _RELEASE.fullmatch(each)), key=order, default=None)
    uid = database_uid(memory, world)
    return {names.MIGRATED_ANNOTATION: f"{newest} {uid}"} if newest and uid else {}


def order(version: str) -> tuple[int, int, int]:
    """Sorts releases; anything that is no x.y.z (a branch, a date) sorts above all, so it is never refused."""
    match = _RELEASE.fullmatch(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (2**31, 0, 0)


def _reached(memory: SomaMemory, world: World) -> Iterator[str]:
    """The releases that the database which is there has been brought to, and the one that may be at it."""
    uid = database_uid(memory, world)
    for name in secret_names(memory.name):
        release, _, of = _annotation(world.get("Secret", name), names.MIGRATED_ANNOTATION).partition(" ")
        if release and of == uid:
            yield release
    for job in world.of_kind("Job"):
        release = at(job, "metadata", "labels", names.VERSION_LABEL)
        if component_of(job) == Component.MIGRATION and release and (is_complete(job) or at(job, "status", "ready")):
            of = _annotation(job, names.DATABASE_ANNOTATION).partition(" ")[0]
            yield from [release] if of == uid else ()


def _annotation(obj: Obj | None, name: str) -> str:
    return str(at(obj, "metadata", "annotations", name) or "")
