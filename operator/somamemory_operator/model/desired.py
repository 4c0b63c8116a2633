"""What should be there: the objects that one SomaMemory asks for, in the order in which they may come."""

from collections.abc import Iterator
from dataclasses import dataclass

from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj, key_of
from somamemory_operator.model.reasons import Reason


@dataclass(frozen=True)
class Gate:
    """Something that must be true before an object is applied. A gated object is still wanted: never pruned."""

    is_open: bool
    reason: Reason
    message: str


@dataclass(frozen=True)
class Wanted:
    """One object that should be there.

    `gate` holds it back until what it needs is ready. `guarded` objects carry values that were read from the world
    before (generated credentials): they are created, never overwritten, when absent, and applied only onto the very
    version that was read, so that a decision taken from an old snapshot cannot destroy a password.
    """

    obj: Obj
    gate: Gate | None = None
    guarded: bool = False

    @property
    def key(self) -> Key:
        return key_of(self.obj)

    @property
    def held(self) -> Gate | None:
        """The gate that is closed, None when the object may be applied now."""
        return None if self.gate is None or self.gate.is_open else self.gate


@dataclass(frozen=True)
class StoreChange:
    """Another image of a store that is not taken yet, and why not.

    `is_due` says that nobody needs to agree any more: it only waits for its turn. `is_supported` is False when the
    store's data does not survive this step; then it is never taken.
    """

    component: Component
    before: str
    after: str
    why: str
    is_due: bool = False
    is_supported: bool = True


@dataclass(frozen=True)
class Growth:
    """A volume claim that must ask for another size, larger or, after a growth that failed, less large."""

    claim: str
    now: str
    size: str

    @property
    def key(self) -> Key:
        return Key("PersistentVolumeClaim", self.claim)

    @property
    def patch(self) -> Obj:
        """As a merge patch."""
        return {"spec": {"resources": {"requests": {"storage": self.size}}}}


@dataclass(frozen=True)
class Handover:
    """Entries that are to become ours, so that the next apply takes them out; only of this version of the object."""

    key: Key
    version: str
    managed_fields: tuple[Obj, ...]
    entries: tuple[str, ...]

    @property
    def patch(self) -> list[Obj]:
        """A JSON patch; replacing the version by itself makes the server refuse it for any other."""
        return [
            {"op": "replace", "path": "/metadata/managedFields", "value": list(self.managed_fields)},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": self.version},
        ]


@dataclass(frozen=True)
class Unlabelling:
    """A label to take off an object, only if it still has this identity."""

    key: Key
    uid: str
    label: str

    @property
    def patch(self) -> Obj:
        """As a merge patch."""
        return {"metadata": {"uid": self.uid, "labels": {self.label: None}}}


@dataclass(frozen=True)
class Desired:
    """Everything wanted, in order, with the identity of the SomaMemory that owns it and the version that it makes.

    `changes` are those of the stores that are not part of it yet; `release` is what has to be agreed to for them.
    """

    wanted: tuple[Wanted, ...]
    owner_uid: str
    version: str
    changes: tuple[StoreChange, ...] = ()
    release: str = ""
    growths: tuple[Growth, ...] = ()

    def __iter__(self) -> Iterator[Wanted]:
        return iter(self.wanted)

    def get(self, kind: str, name: str) -> Wanted | None:
        """The wanted object of that kind and name, or None."""
        return next((wanted for wanted in self.wanted if wanted.key == Key(kind, name)), None)

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(wanted.key for wanted in self.wanted)
