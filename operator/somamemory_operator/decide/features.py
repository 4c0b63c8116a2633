"""Which version of Kafka its metadata is finalised for: another one is only after it has shown that it runs.

Kafka writes its metadata in the format of the release before until it is told otherwise. A new log is of the release
that made it. What was finalised last is an annotation of the credentials, beside the images that the stores run.
"""

from somamemory_operator.decide.steps import version_of
from somamemory_operator.decide.turns import Standing
from somamemory_operator.model import names
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import World, at, component_of


def finalized(standing: Standing, recorded: str | None, world: World) -> str | None:
    """The image of Kafka for which its metadata is finalised, None when there is none that outlives its pod."""
    opened = standing.opened
    if opened is None or recorded is None or _has_the_features_of(recorded, opened):
        return opened
    return opened if _is_done(opened, world) else recorded


def unfinalized(standing: Standing, done: str | None) -> str | None:
    """The image whose features are still to be finalised, None when they are, or it has not shown that it runs."""
    return standing.runs if standing.opened == standing.runs and done not in (None, standing.runs) else None


def _has_the_features_of(one: str, other: str) -> bool:
    """Features belong to minor versions: a patch brings none."""
    versions = version_of(one), version_of(other)
    return one == other or (None not in versions and _minor(versions[0]) == _minor(versions[1]))


def _minor(version: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return version[:2] if version is not None and len(version) > 1 else None


def _is_done(image: str, world: World) -> bool:
    """Whether the Job for this image has succeeded."""
    jobs = [job for job in world.of_kind("Job") if component_of(job) == Component.FEATURES]
    return any(
        is_complete(job) and at(job, "metadata", "annotations", names.FINALIZED_ANNOTATION) == image for job in jobs
    )
