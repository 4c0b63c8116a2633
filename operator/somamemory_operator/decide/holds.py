"""What keeps a wanted object back although its gate is open: a kind that cannot be read, an object that is refused.

A kind that cannot be read is unknown, not absent. Nothing of it is made, and neither is what is decided by looking at
it: passwords beside volumes that may hold data, pods whose configuration is a hash of passwords, Jobs on a database
that somebody may be using. Everything else goes on.
"""

from collections.abc import Iterable, Iterator

from somamemory_operator.model.desired import Desired
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Blindness, Key, Obj, World, component_of, key_of

_DECIDED_BY: dict[str, tuple[str, ...]] = {
    "Secret": ("PersistentVolumeClaim", "StatefulSet", "Pod"),
    "StatefulSet": ("Secret", "PersistentVolumeClaim"),
    "Deployment": ("Secret",),
    "CronJob": ("Secret",),
    "Job": ("Secret", "PersistentVolumeClaim", "Pod", "Deployment"),
    "HorizontalPodAutoscaler": ("Deployment",),
}
"""The kinds beside its own that a decision about an object of this kind looks at."""

_ALWAYS = frozenset({"Pod", "PersistentVolumeClaim", "Secret"})
"""Kinds that tell how it stands, whatever the spec asks for."""

_WORKLOADS = frozenset({"StatefulSet", "Deployment", "Job", "CronJob"})
_CONTENT = frozenset({"Secret", "ConfigMap"})
_GROUND = _CONTENT | {"Service", "ServiceAccount", "PersistentVolumeClaim"}
"""Kinds that the pods of their component stand on."""


def unknown_ground(kind: str, world: World) -> tuple[str, Blindness] | None:
    """The kind that would have to be read to decide about an object of `kind`, and why it is not; None when all are."""
    needed = (kind, *_DECIDED_BY.get(kind, ()))
    return next(((each, world.unread[each]) for each in needed if each in world.unread), None)


def unknowns(desired: Desired, world: World) -> Iterator[Problem]:
    """A problem for each kind that cannot be read although something that serves memories depends on it."""
    wanted = {each.key.kind for each in desired if component_of(each.obj) != Component.BACKUP}
    for kind, why in world.unread.items():
        if kind in _ALWAYS or kind in wanted:
            text = f"{why.message} Until {kind} can be read nothing of it is changed; the operator tries again."
            yield Problem(why.reason, text, retry=True)


def refused_ground(obj: Obj, refused: Iterable[Obj], world: World) -> Key | None:
    """The refused object without which the pods of this workload would start half-configured, None when there is none.

    Of a ConfigMap or Secret the content must be the wanted one, and credentials are for every component. Of the others
    it is enough that they are there in some form: a Service whose change is refused keeps no store from being repaired.
    """
    for other in refused:
        if _stands_on(obj, other) and not _is_there(other, world):
            return key_of(other)
    return None


def _stands_on(obj: Obj, other: Obj) -> bool:
    component = component_of(other)
    if component == Component.CREDENTIALS:  # all that is made of passwords waits until these are kept somewhere
        return obj["kind"] in _WORKLOADS or (obj["kind"] == "Secret" and component_of(obj) != component)
    return obj["kind"] in _WORKLOADS and other["kind"] in _GROUND and component == component_of(obj)


def _is_there(other: Obj, world: World) -> bool:
    live = world.children.get(key_of(other))
    return live is not None and (other["kind"] not in _CONTENT or live.get("data") == other.get("data"))
