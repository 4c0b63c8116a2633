"""What does not fit the volumes that are there."""

from collections.abc import Iterator

from somamemory_operator.decide.volumes import volumes
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import World
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.stores import Persistence


def volumes_stay(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Data on a volume is never left behind in silence."""
    for store in STORES:
        claims = world.claims_of(store) if getattr(memory.spec, store.value).external is None else []
        if claims and not _persistence(memory, store).enabled:
            claim = claims[0]["metadata"]["name"]
            yield Problem(
                Reason.PERSISTENCE_REMOVED,
                f"The data of {store.value} is on volume claim {claim}, but the spec wants no volume: set "
                f"spec.{store.value}.persistence.enabled to true, or delete the claim to give the data up.",
            )


def volumes_keep_their_size(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """No storage can make a volume smaller. One that somebody else made larger than the spec says is no such wish."""
    for volume in volumes(memory, world):
        if volume.least is not None and quantity_bytes(volume.wanted) < quantity_bytes(volume.least):
            yield Problem(
                Reason.VOLUME_SHRINK,
                f"Volume claim {volume.name} has {volume.capacity} and cannot shrink to {volume.wanted}: set "
                f"{volume.field}.size to {volume.least} or more.",
            )


def volumes_keep_their_class(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A claim cannot move to another storage class. A spec without one takes what is there."""
    for volume in volumes(memory, world):
        wanted, there = volume.spec.storage_class_name, volume.storage_class
        if wanted is None or there is None or wanted == there:
            continue
        what, remedy = (f"of storage class {there}", f"set {volume.field}.storageClassName to {there}")
        if not there:
            what, remedy = ("of no storage class", f"take {volume.field}.storageClassName away")
        text = f"Volume claim {volume.name} is {what} and cannot become {wanted}: {remedy}."
        yield Problem(Reason.STORAGE_CLASS_CHANGED, text)


def classes_are_known(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A volume of a class that does not exist would wait for ever."""
    if world.storage_classes is None:
        return
    for store in STORES:
        persistence = _persistence(memory, store)
        name = persistence.storage_class_name
        if persistence.enabled and name and name not in world.storage_classes and not world.claims_of(store):
            known = ", ".join(sorted(world.storage_classes)) or "none"
            yield Problem(
                Reason.STORAGE_CLASS_UNKNOWN,
                f"The cluster has no storage class {name} (it has: {known}): correct "
                f"spec.{store.value}.persistence.storageClassName, or create the class.",
                retry=True,
            )


def _persistence(memory: SomaMemory, store: Component) -> Persistence:
    persistence: Persistence = getattr(memory.spec, store.value).persistence
    return persistence
