"""The volume templates of a StatefulSet: what claims that are made from them begin with."""

from typing import NamedTuple

from somamemory_operator.model.observed import Obj, at
from somamemory_operator.model.quantities import quantity_bytes


class Birth(NamedTuple):
    """What a template says about the claims that are made from it; size in bytes."""

    size: int
    storage_class: str | None
    access_modes: tuple[str, ...]


def births(stateful_set: Obj | None) -> dict[str, Birth]:
    """What each volume template of a StatefulSet says, by its name."""
    return {template["metadata"]["name"]: _birth(template["spec"]) for template in volume_templates(stateful_set)}


def volume_templates(stateful_set: Obj | None) -> list[Obj]:
    """The volume templates of a StatefulSet, as they stand there."""
    return list(at(stateful_set, "spec", "volumeClaimTemplates") or ())


def _birth(spec: Obj) -> Birth:
    size = quantity_bytes(spec["resources"]["requests"]["storage"])
    return Birth(size, spec.get("storageClassName"), tuple(spec.get("accessModes") or ()))
