"""Putting memories back as they were: what is restored, and what it does to what is there. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from somafractalmemory.model import Memory, NewMemory


@dataclass(frozen=True, slots=True)
class Restored:
    """A memory as an export tells it, with what it was before, newest first.

    A timeless one tells no times of its own: those given are of the import. `plain` is what it says where `memory`,
    which is what the truth will hold, is sealed.
    """

    memory: NewMemory
    version: int
    created_at: float
    updated_at: float
    access_count: int = 0
    accessed_at: float | None = None
    versions: tuple["Restored", ...] = ()
    timeless: bool = False
    plain: NewMemory | None = None


class Fate(StrEnum):
    """What became of a restored memory."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a restored memory stands now."""

    id: UUID
    fate: Fate
    version: int


def as_it_is(restored: Restored, *, version: int | None = None) -> Memory:
    """The memory as the truth will hold it."""
    new = restored.memory
    return Memory(
        id=new.id,
        namespace=new.namespace,
        coordinate=new.coordinate,
        memory_type=new.memory_type,
        payload=new.payload,
        importance=new.importance,
        timestamp=new.timestamp,
        version=restored.version if version is None else version,
        created_at=restored.created_at,
        updated_at=restored.updated_at,
        access_count=restored.access_count,
        accessed_at=restored.accessed_at,
    )


def fate(old: Memory | None, restored: Restored) -> Placed:
    """What to do about a memory, given what is there; versions only ever go up, because the index heeds them."""
    place = restored.memory.id
    if old is None:
        return Placed(place, Fate.CREATED, restored.version)
    if old.deleted:
        return Placed(place, Fate.CREATED, max(restored.version, old.version + 1))
    if old.version >= restored.version and _same(old, restored):
        return Placed(place, Fate.UNCHANGED, old.version)
    return Placed(place, Fate.REPLACED, max(restored.version, old.version + 1))


def _same(old: Memory, restored: Restored) -> bool:
    """How often a memory was recalled since does not make it another one, nor do its neighbours' importances."""
    new = as_it_is(replace(restored, memory=restored.plain or restored.memory), version=old.version)
    if restored.timeless:
        return (old.payload, old.memory_type) == (new.payload, new.memory_type)
    return new == replace(
        old, access_count=new.access_count, accessed_at=new.accessed_at, importance_norm=new.importance_norm
    )
