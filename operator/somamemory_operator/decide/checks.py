"""Refusals: ordered, small, pure questions about a spec. The first that objects wins; then nothing is applied.

What already runs keeps running. Each message ends with what to do.
"""

import re
from collections.abc import Callable, Iterator

from somamemory_operator.decide import credentials, reserved
from somamemory_operator.decide.recovery import is_restored, would_interrupt
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.stores import Persistence

Check = Callable[[SomaMemory, World], Iterator[Problem]]


def first_refusal(memory: SomaMemory, world: World) -> Problem | None:
    """Why this spec must not be applied to this world, None when it may."""
    return next((problem for check in _CHECKS for problem in check(memory, world)), None)


def name_fits(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """The API server's rules say the same; this is for `render` and for resources older than the rules."""
    if len(memory.name) > names.LONGEST_NAME:
        yield Problem(
            Reason.NAME_TOO_LONG,
            f"The name has {len(memory.name)} characters, but names made from it allow {names.LONGEST_NAME}: "
            "create the SomaMemory again under a shorter name.",
        )
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", memory.name):
        yield Problem(
            Reason.INVALID_SPEC,
            "Services are named after the SomaMemory, so its name must start with a letter and hold only small "
            "letters, digits and '-': create it again under such a name.",
        )


def settings_are_free(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """Settings that connect the parts belong to the operator."""
    for store in STORES:
        config = getattr(memory.spec, store.value).config
        taken = sorted(name for name in config if _is_taken(store, name))
        if taken:
            yield Problem(
                Reason.RESERVED_SETTING,
                f"spec.{store.value}.config sets {', '.join(taken)}, which the operator decides: remove it.",
            )


def variables_are_free(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """Variables that connect the parts belong to the operator."""
    for part, workload in (("api", memory.spec.api), ("consumer", memory.spec.consumer)):
        taken = sorted({variable.name for variable in workload.env} & reserved.VARIABLES)
        if taken:
            yield Problem(
                Reason.RESERVED_SETTING,
                f"spec.{part}.env sets {', '.join(taken)}, which the operator decides: remove it, "
                "and use the field of the spec for it if there is one.",
            )


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


def restores_know_their_volume(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """The API server's rules say the same; this is for `render`."""
    if memory.spec.restore is not None and memory.spec.backup is None:
        yield Problem(
            Reason.INVALID_SPEC,
            "spec.restore names a dump on the volume of spec.backup, but there is no spec.backup: add it.",
        )


def memories_are_replaced_only_when_asked(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Nobody's work is interrupted for a restore that the Job would then refuse."""
    restore = memory.spec.restore
    if restore is None or restore.replace_existing or memory.spec.hibernated or is_restored(memory, world):
        return
    if would_interrupt(memory, world):
        yield Problem(
            Reason.RESTORE_REFUSED,
            f"The memories that are served now would be replaced by the dump {restore.source}: set "
            "spec.restore.replaceExisting to true if they may, or take spec.restore away.",
        )


def credentials_are_there(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A volume of Postgres opens only with the password that it was made with."""
    found = [credentials.decoded(world.get("Secret", name)) for name in credentials.secret_names(memory.name)]
    lost = not any(values.get(credentials.POSTGRES_PASSWORD) for values in found)
    claims = world.claims_of(Component.POSTGRES)
    if lost and claims:
        yield Problem(
            Reason.CREDENTIALS_LOST,
            f"Volume claim {claims[0]['metadata']['name']} holds data, but neither Secret "
            f"{names.credentials(memory.name)} nor its copy has the password: restore one of them from a backup, "
            "or delete the claim to start empty.",
            retry=True,
        )


def versions_go_up(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A migrated database does not fit an older release."""
    running, wanted = _running_version(memory, world), memory.spec.version
    if running and wanted and _order(wanted) < _order(running):
        yield Problem(
            Reason.DOWNGRADE,
            f"Version {running} runs and its database does not fit the older {wanted}: set spec.version to {running} "
            "or newer.",
        )


_CHECKS: tuple[Check, ...] = (
    # What is wrong by itself comes first, then what does not fit the volumes, then what does not fit the rest.
    name_fits,
    settings_are_free,
    variables_are_free,
    volumes_stay,
    volumes_keep_their_size,
    volumes_keep_their_class,
    volumes_can_grow,
    classes_are_known,
    credentials_are_there,
    restores_know_their_volume,
    memories_are_replaced_only_when_asked,
    versions_go_up,
)


def _is_taken(store: Component, name: str) -> bool:
    if store is Component.QDRANT and not name.startswith("QDRANT__"):
        return True
    known = reserved.SETTINGS[store]
    return (name if store is Component.QDRANT else name.lower()) in known


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


def _running_version(memory: SomaMemory, world: World) -> str | None:
    version: str | None = at(_api(memory, world), "metadata", "labels", names.VERSION_LABEL)
    return version


def _api(memory: SomaMemory, world: World) -> Obj | None:
    return world.get("Deployment", names.child(memory.name, Component.API))


def _order(version: str) -> tuple[int, int, int]:
    """Sorts releases; anything that is no x.y.z (a branch, a date) sorts above all, so it is never refused."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)([-+].*)?", version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (2**31, 0, 0)
