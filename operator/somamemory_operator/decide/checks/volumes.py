"""What does not fit the volumes that are there."""

from collections.abc import Iterator

from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.stores import Persistence


def volumes_stay(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Data on a volume is never left behind in silence."""
    for store in STORES:
        claims = world.claims_of(store)
        if claims and not _persistence(memory, store).enabled:
            claim = claims[0]["metadata"]["name"]
            yield Problem(
                Reason.PERSISTENCE_REMOVED,
                f"The data of {store.value} is on volume claim {claim}, but the spec wants no volume: set "
                f"spec.{store.value}.persistence.enabled to true, or delete the claim to give the data up.",
            )


def volumes_keep_their_size(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """No storage can make a volume smaller."""
    for store, claim in _claims(memory, world):
        wanted, there = _persistence(memory, store).size, _size(claim)
        if quantity_bytes(wanted) < quantity_bytes(there):
            yield Problem(
                Reason.VOLUME_SHRINK,
                f"Volume claim {claim['metadata']['name']} has {there} and cannot shrink to {wanted}: set "
                f"spec.{store.value}.persistence.size to {there} or more.",
            )


def volumes_keep_their_class(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A claim cannot move to another storage class."""
    for store, claim in _claims(memory, world):
        wanted, there = _persistence(memory, store).storage_class_name, at(claim, "spec", "storageClassName")
        if wanted is not None and there is not None and wanted != there:
            yield Problem(
                Reason.STORAGE_CLASS_CHANGED,
                f"Volume claim {claim['metadata']['name']} is of storage class {there} and cannot become {wanted}: "
                f"set spec.{store.value}.persistence.storageClassName to {there}.",
            )


def volumes_can_grow(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Only some storage classes can make a volume larger."""
    for store, claim in _claims(memory, world):
        wanted, there = _persistence(memory, store).size, _size(claim)
        name = at(claim, "spec", "storageClassName")
        known = (world.storage_classes or {}).get(name or "")
        if known and not known.get("allowVolumeExpansion") and quantity_bytes(wanted) > quantity_bytes(there):
            yield Problem(
                Reason.EXPANSION_NOT_SUPPORTED,
                f"Storage class {name} cannot enlarge volume claim {claim['metadata']['name']} from {there} to "
                f"{wanted}: set spec.{store.value}.persistence.size to {there}, or allow expansion in the class.",
            )


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


def _claims(memory: SomaMemory, world: World) -> Iterator[tuple[Component, Obj]]:
    """The claims of the stores that want volumes."""
    for store in STORES:
        if _persistence(memory, store).enabled:
            yield from ((store, claim) for claim in world.claims_of(store))


def _size(claim: Obj) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])
