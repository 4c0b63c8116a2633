"""What the Jobs of the operator have in common: each is for one database, and its name is a hash of all it does."""

from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, key_of
from somamemory_operator.model.reasons import Reason

DEADLINE_SECONDS = 86_400
"""A day: far longer than a Job that makes progress needs, but one that hangs ends, and the status tells."""


def for_database(job: Obj, database: str) -> Obj:
    """The Job, bound to that database: for another one it runs anew."""
    if database:
        job["metadata"]["annotations"] = {names.DATABASE_ANNOTATION: database}
    return job


def is_done(world: World, wanted: Obj) -> bool:
    """Whether this Job has completed for the database that is there now."""
    live = world.get("Job", key_of(wanted).name)
    return live is not None and _database(live) == _database(wanted) and is_complete(live)


def is_outdated(world: World, wanted: Obj) -> bool:
    """Whether a Job of this name is there that is for another database."""
    live = world.get("Job", key_of(wanted).name)
    return live is not None and _database(live) != _database(wanted)


def kept(context: Context, component: Component, text: str) -> list[Wanted]:
    """The Jobs of a component that are there, as they are: held, and so neither changed nor pruned."""
    live = (job for job in context.world.of_kind("Job") if component_of(job) == component)
    return [Wanted(job, Gate(False, Reason.RESTORING, text)) for job in live]


def _database(job: Obj) -> str | None:
    database: str | None = at(job, "metadata", "annotations", names.DATABASE_ANNOTATION)
    return database
