"""What does not fit the versions that run."""

import re
from collections.abc import Iterator

from somamemory_operator.decide.versions import intent
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings


def versions_go_up(memory: SomaMemory, world: World, settings: Settings) -> Iterator[Problem]:
    """A migrated database does not fit an older release."""
    running, wanted = _running_version(memory, world), memory.spec.version or settings.version
    if running and _order(wanted) < _order(running):
        older = wanted if memory.spec.version else f"{wanted}, which is the operator's own"
        remedy = "" if memory.spec.version else f"bring the operator back to release {running} or newer, or "
        yield Problem(
            Reason.DOWNGRADE,
            f"Version {running} runs and its database does not fit the older {older}: {remedy}set spec.version to "
            f"{running} or newer.",
        )


def store_versions_take_supported_steps(memory: SomaMemory, world: World, settings: Settings) -> Iterator[Problem]:
    """An image that the spec names is taken at once, so it must be one that the store's data survives."""
    for store in STORES:
        asked = intent(memory, world, settings, store)
        found = asked.obstacle(asked.told) if asked.told != asked.standing.runs else None
        if found is not None:
            yield Problem(found.reason, f"spec.{store.value}.image asks for {asked.told}, but {found.message}")


def _running_version(memory: SomaMemory, world: World) -> str | None:
    version: str | None = at(_api(memory, world), "metadata", "labels", names.VERSION_LABEL)
    return version


def _api(memory: SomaMemory, world: World) -> Obj | None:
    return world.get("Deployment", names.child(memory.name, Component.API))


def _order(version: str) -> tuple[int, int, int]:
    """Sorts releases; anything that is no x.y.z (a branch, a date) sorts above all, so it is never refused."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)([-+].*)?", version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (2**31, 0, 0)
