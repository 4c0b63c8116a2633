"""Refusals: ordered, small, pure questions about a spec. The first that objects wins; then nothing is applied.

What already runs keeps running. Each message ends with what to do.
"""

from collections.abc import Callable, Iterator

from somamemory_operator.decide.checks import data, recovery, settings, versions, volumes
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import World
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings

Check = Callable[[SomaMemory, World], Iterator[Problem]]
ReleaseCheck = Callable[[SomaMemory, World, Settings], Iterator[Problem]]


def first_refusal(memory: SomaMemory, world: World, settings: Settings) -> Problem | None:
    """Why this spec must not be applied to this world by an operator of these settings, None when it may."""
    return next(_problems(memory, world, settings), None)


def _problems(memory: SomaMemory, world: World, settings: Settings) -> Iterator[Problem]:
    for check in _CHECKS:
        yield from check(memory, world)
    for release_check in _RELEASE_CHECKS:
        yield from release_check(memory, world, settings)


_CHECKS: tuple[Check, ...] = (
    # What is wrong by itself comes first, then what does not fit the volumes, then what does not fit the rest.
    settings.name_fits,
    settings.settings_are_free,
    settings.variables_are_free,
    settings.secrets_are_others,
    volumes.volumes_stay,
    volumes.volumes_keep_their_size,
    volumes.volumes_keep_their_class,
    volumes.classes_are_known,
    data.memories_are_not_left_behind,
    data.credentials_are_there,
    recovery.restores_know_their_volume,
    recovery.memories_are_replaced_only_when_asked,
)
_RELEASE_CHECKS: tuple[ReleaseCheck, ...] = (
    # These also look at what the operator's own release would deploy where the spec names nothing.
    versions.versions_go_up,
    versions.store_versions_take_supported_steps,
)
