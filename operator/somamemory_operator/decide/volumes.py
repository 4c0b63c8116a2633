"""How large the volumes are, and what is to be asked of them. Claims are the truth; templates only say how they begin.

A claim carries what the spec asked for last, as an annotation of ours. So a size that somebody else asked for, by hand
or by an autoresizer, is told from ours: it is never undone, and a spec below it is no attempt to shrink.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from somamemory_operator.decide.births import volume_templates
from somamemory_operator.model import names
from somamemory_operator.model.desired import Growth
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World, at, key_of, label_of
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.resource.backup import BackupVolume
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.stores import Persistence


@dataclass(frozen=True)
class Volume:
    """A claim that is there, beside what the spec wants of it. Sizes are quantities, such as 5Gi.

    `field` is the part of the spec that is about it, `asked` what the spec asked for before, None when it never did.
    """

    component: Component
    claim: Obj
    spec: Persistence | BackupVolume
    field: str
    asked: str | None

    @property
    def name(self) -> str:
        return key_of(self.claim).name

    @property
    def wanted(self) -> str:
        return self.spec.size

    @property
    def requested(self) -> str:
        """What the claim asks of the storage."""
        return str(self.claim["spec"]["resources"]["requests"]["storage"])

    @property
    def capacity(self) -> str | None:
        """What the storage has given, None before the claim is bound."""
        size: str | None = at(self.claim, "status", "capacity", "storage")
        return size

    @property
    def storage_class(self) -> str | None:
        name: str | None = at(self.claim, "spec", "storageClassName")
        return name

    @property
    def least(self) -> str | None:
        """The size below which the spec cannot go: what it has asked for and got. None when there is no such size."""
        if self.asked is None or self.capacity is None:
            return None
        return min(self.asked, self.capacity, key=quantity_bytes)

    @property
    def is_growing(self) -> bool:
        return self.capacity is not None and _less(self.requested, self.wanted)

    @property
    def is_receding(self) -> bool:
        """Whether a growth of ours that the storage cannot give is to be lowered; it stays above what is there."""
        if self.asked is None or self.capacity is None or quantity_bytes(self.asked) != quantity_bytes(self.requested):
            return False
        return _less(self.capacity, self.wanted) and _less(self.wanted, self.requested)

    def can_expand(self, world: World) -> bool:
        """False when the storage class is known and does not make volumes larger."""
        known = (world.storage_classes or {}).get(self.storage_class or "")
        return known is None or bool(known.get("allowVolumeExpansion"))


def volumes(memory: SomaMemory, world: World) -> Iterator[Volume]:
    """Every claim that is there of a volume that the spec wants."""
    for component, spec, field in _wanted(memory):
        for claim in world.claims_of(component):
            yield Volume(component, claim, spec, field, _asked(memory, world, component, claim))


def growths(memory: SomaMemory, world: World) -> Iterator[Growth]:
    """Every claim that is to ask for another size than it does."""
    for volume in volumes(memory, world):
        if volume.is_receding or (volume.is_growing and volume.can_expand(world)):
            yield Growth(volume.name, now=volume.requested, size=volume.wanted)


def _wanted(memory: SomaMemory) -> Iterator[tuple[Component, Persistence | BackupVolume, str]]:
    for store in STORES:
        persistence: Persistence = getattr(memory.spec, store.value).persistence
        if persistence.enabled:
            yield store, persistence, f"spec.{store.value}.persistence"
    backup = memory.spec.backup
    if backup is not None and backup.volume.existing_claim is None:
        yield Component.BACKUP, backup.volume, "spec.backup.volume"


def _asked(memory: SomaMemory, world: World, component: Component, claim: Obj) -> str | None:
    """What stands on the claim; earlier releases said it by the template, and for the backup by the claim itself."""
    said: str | None = at(claim, "metadata", "annotations", names.SIZE_ANNOTATION)
    if said is not None or label_of(claim, names.MANAGED_BY_LABEL) != names.FIELD_MANAGER:
        return said
    if component is Component.BACKUP:
        return str(claim["spec"]["resources"]["requests"]["storage"])
    live = world.get("StatefulSet", names.child(memory.name, component))
    return next((str(each["spec"]["resources"]["requests"]["storage"]) for each in volume_templates(live)), None)


def _less(one: str, other: str) -> bool:
    return quantity_bytes(one) < quantity_bytes(other)
