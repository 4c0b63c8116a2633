"""What to do: the difference between what should be there and what is, as actions for the rim to carry out.

Objects are never compared field by field, because the API server fills in defaults. An object needs an apply when it
is absent, when we want something else than we applied last, or when somebody took one of our fields: then the list of
fields that managedFields credits to us is no longer the one that our last apply left behind.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from somamemory_operator.decide.applied import Applied
from somamemory_operator.decide.births import births
from somamemory_operator.decide.holds import unknown_ground
from somamemory_operator.decide.labels import unlabellings
from somamemory_operator.decide.strays import handover
from somamemory_operator.model import names
from somamemory_operator.model.desired import Desired, Growth, Handover, Unlabelling, Wanted
from somamemory_operator.model.observed import (
    OBSERVED_KINDS,
    Key,
    Obj,
    World,
    at,
    is_owned_by,
    is_terminating,
    key_of,
    uid_of,
)
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.rollout import WORKLOAD_KINDS, generation_of, has_seen

PRUNED_KINDS = frozenset(OBSERVED_KINDS) - {"Pod", "PersistentVolumeClaim"}
"""Kinds of which we remove what is no longer wanted. Pods belong to their controllers, claims to the user."""


@dataclass(frozen=True)
class Deletion:
    """An object to delete, only if it still has this identity."""

    key: Key
    uid: str
    propagation: Literal["Background", "Orphan"]
    why: str


@dataclass(frozen=True)
class Held:
    """A wanted object that cannot be applied yet, and what it waits for."""

    key: Key
    reason: Reason
    message: str


@dataclass(frozen=True)
class Plan:
    """The actions, to be carried out in the order of the fields; each may be refused without ending the others.

    `creates` are POSTed with our field manager: "already exists" means that the world was old, look again.
    `applies` are server-side applied, forced; a body with a resourceVersion conflicts when the world was old.
    `postponed` is left as it is until a person agrees; nothing else waits for it.
    `handovers` come right before the apply of the same object: what is in its lists and nobody wants goes with that.
    """

    creates: tuple[Obj, ...] = ()
    growths: tuple[Growth, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    applies: tuple[Obj, ...] = ()
    unlabellings: tuple[Unlabelling, ...] = ()
    handovers: Mapping[Key, Handover] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    postponed: tuple[Held, ...] = ()
    unseen: frozenset[Key] = frozenset()
    """Workloads whose controller has not looked at our last apply yet, so that their status is about another spec."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do now; something may still be held."""
        return not (self.creates or self.growths or self.deletions or self.applies or self.unlabellings)

    @property
    def is_settled(self) -> bool:
        """Whether everything wanted has been applied and nothing superfluous is left."""
        return self.is_idle and not self.held

    def about(self, counts: Callable[[Key], bool]) -> Self:
        """The part of it that is about objects which count."""
        return replace(
            self,
            creates=tuple(obj for obj in self.creates if counts(key_of(obj))),
            growths=tuple(each for each in self.growths if counts(each.key)),
            deletions=tuple(each for each in self.deletions if counts(each.key)),
            applies=tuple(obj for obj in self.applies if counts(key_of(obj))),
            unlabellings=tuple(each for each in self.unlabellings if counts(each.key)),
            held=tuple(each for each in self.held if counts(each.key)),
        )


def plan(desired: Desired, world: World, applied: Mapping[Key, Applied]) -> Plan:
    """The steps from the world to what is desired. Nothing of it depends on what happened before, except `applied`."""
    held = tuple(_held(desired, world))
    ready = [wanted for wanted in desired if wanted.key not in {entry.key for entry in held}]
    handovers = {each.key: each for each in _handovers(ready, world)}
    return Plan(
        creates=tuple(w.obj for w in ready if w.guarded and w.key not in world.children),
        growths=desired.growths,
        deletions=(*_replacements(ready, world), *_superfluous(desired, world)),
        applies=tuple(_applies(ready, world, applied, handovers)),
        unlabellings=tuple(unlabellings(ready, world)),
        handovers=handovers,
        held=held,
        unseen=frozenset(_unseen(desired, world, applied)),
    )


def _held(desired: Desired, world: World) -> Iterator[Held]:
    for wanted in desired:
        live = world.children.get(wanted.key)
        if wanted.held is not None:
            yield Held(wanted.key, wanted.held.reason, wanted.held.message)
        elif live is not None and is_terminating(live):
            yield Held(wanted.key, Reason.REPLACING, f"{wanted.key} is being deleted and comes back afterwards.")
        elif (unknown := unknown_ground(wanted.key.kind, world)) is not None:
            kind, why = unknown
            yield Held(wanted.key, why.reason, f"Left as it is, because {kind} cannot be read: {why.message}")


def _handovers(ready: list[Wanted], world: World) -> Iterator[Handover]:
    """Not for guarded objects: their next apply is bound to the very version that was read."""
    for wanted in ready:
        live = world.children.get(wanted.key)
        if live is not None and not wanted.guarded and (found := handover(wanted.obj, live)) is not None:
            yield found


def _applies(
    ready: list[Wanted], world: World, applied: Mapping[Key, Applied], handovers: Mapping[Key, Handover]
) -> Iterator[Obj]:
    for wanted in ready:
        live = world.children.get(wanted.key)
        if live is None:
            if not wanted.guarded:
                yield wanted.obj
        elif _replacement(wanted, live) is None and (
            wanted.key in handovers or _has_drifted(wanted, live, applied.get(wanted.key))
        ):
            yield _bound(wanted.obj, live) if wanted.guarded else wanted.obj


def _has_drifted(wanted: Wanted, live: Obj, last: Applied | None) -> bool:
    return last is None or last != Applied.of(wanted.obj, live)


def _unseen(desired: Desired, world: World, applied: Mapping[Key, Applied]) -> Iterator[Key]:
    """The generation of a Deployment moves with its annotations too, which is nothing that anybody waits for.

    So what counts is the generation of our last apply. Where that is not known, after a restart, it is the newest one.
    """
    for wanted in desired:
        live, last = world.children.get(wanted.key), applied.get(wanted.key)
        if live is not None and wanted.key.kind in WORKLOAD_KINDS:
            is_ours = last is not None and last.uid == uid_of(live)
            if not has_seen(live, last.generation if last and is_ours else generation_of(live)):
                yield wanted.key


def _bound(body: Obj, live: Obj) -> Obj:
    """The body, to be applied only onto the version that was read."""
    return body | {"metadata": body["metadata"] | {"resourceVersion": live["metadata"]["resourceVersion"]}}


def _superfluous(desired: Desired, world: World) -> Iterator[Deletion]:
    """Nothing while a kind cannot be read: what is wanted was then decided without knowing all."""
    for key, live in () if world.unread else world.children.items():
        prunable = key.kind in PRUNED_KINDS and not is_terminating(live) and is_owned_by(live, desired.owner_uid)
        if prunable and key not in desired.keys:
            yield Deletion(key, uid_of(live), "Background", "no longer wanted")


def _replacements(ready: list[Wanted], world: World) -> Iterator[Deletion]:
    pairs = ((wanted, world.children.get(wanted.key)) for wanted in ready)
    replacements = (_replacement(wanted, live) for wanted, live in pairs if live is not None)
    return (deletion for deletion in replacements if deletion is not None)


def _replacement(wanted: Wanted, live: Obj) -> Deletion | None:
    """How to get rid of an object that cannot be changed into what is wanted, None when it can."""
    if live["kind"] == "Job":
        return _outdated_job(wanted, live)
    return _reborn_set(wanted, live) if live["kind"] == "StatefulSet" else None


def _outdated_job(wanted: Wanted, live: Obj) -> Deletion | None:
    """A migration is done once per database: for another one it runs again."""
    then, now = (at(obj, "metadata", "annotations", names.DATABASE_ANNOTATION) for obj in (wanted.obj, live))
    return None if then == now else Deletion(wanted.key, uid_of(live), "Background", "the database is another one")


def _reborn_set(wanted: Wanted, live: Obj) -> Deletion | None:
    """Volume templates are the one thing of a StatefulSet that we change and that cannot be changed.

    They stay as they are while there are claims, which grow by themselves. For claims that are still to come they are
    made anew, which keeps the pods running (Orphan). A volume that comes or goes changes the pods themselves, which
    the StatefulSet controller cannot do to pods that it adopts: they go with it.
    """
    now, then = births(live), births(wanted.obj)
    if now == then:
        return None
    if set(now) != set(then):
        return Deletion(wanted.key, uid_of(live), "Background", "a volume comes or goes")
    return Deletion(wanted.key, uid_of(live), "Orphan", "new volumes are to be others")
