"""Why a volume is not as large as the spec wants it. What is larger is fine."""

from somamemory_operator.decide.volumes import Volume, volumes
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import World, at
from somamemory_operator.model.pod_problems import Finding
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def too_small(memory: SomaMemory, world: World, component: Component) -> Finding | None:
    """The first volume of a component that has not got its size, None when there is none."""
    found = (_finding(volume, world) for volume in volumes(memory, world) if volume.component is component)
    return next((finding for finding in found if finding is not None), None)


def capacity(world: World, component: Component) -> str | None:
    """The real size of a component's volumes, of the largest when they differ; None while none is bound."""
    sizes = (at(claim, "status", "capacity", "storage") for claim in world.claims_of(component))
    return max((str(size) for size in sizes if size), key=quantity_bytes, default=None)


def _finding(volume: Volume, world: World) -> Finding | None:
    if volume.capacity is None or quantity_bytes(volume.capacity) >= quantity_bytes(volume.wanted):
        return None
    if volume.is_growing and not volume.can_expand(world):
        text = (
            f"Storage class {volume.storage_class} cannot enlarge volume claim {volume.name} from {volume.requested} "
            f"to {volume.wanted}: set {volume.field}.size to {volume.requested}, or allow expansion in the class."
        )
        return Finding(Reason.EXPANSION_NOT_SUPPORTED, text)
    return Finding(Reason.VOLUME_RESIZING, f"Volume claim {volume.name} is being enlarged to {volume.wanted}.")
