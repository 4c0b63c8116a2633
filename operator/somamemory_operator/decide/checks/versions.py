"""What does not fit the versions that run."""

from collections.abc import Iterator

from somamemory_operator.decide.migrated import migrated_to, order
from somamemory_operator.decide.versions import intent
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings


def versions_go_up(memory: SomaMemory, world: World, settings: Settings) -> Iterator[Problem]:
    """A migrated database does not fit an older release."""
    reached, wanted = migrated_to(memory, world), memory.spec.version or settings.version
    if reached and order(wanted) < order(reached):
        older = wanted if memory.spec.version else f"{wanted}, which is the operator's own"
        remedy = "" if memory.spec.version else f"bring the operator back to release {reached} or newer, or "
        yield Problem(
            Reason.DOWNGRADE,
            f"The database was migrated to release {reached} and does not fit the older {older}: {remedy}set "
            f"spec.version to {reached} or newer.",
        )


def store_versions_take_supported_steps(memory: SomaMemory, world: World, settings: Settings) -> Iterator[Problem]:
    """An image that the spec names is taken at once, so it must be one that the store's data survives."""
    for store in STORES:
        asked = intent(memory, world, settings, store)
        found = asked.obstacle(asked.told) if asked.told != asked.standing.runs else None
        if found is not None:
            yield Problem(found.reason, f"spec.{store.value}.image asks for {asked.told}, but {found.message}")
