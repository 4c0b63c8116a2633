"""The way back from a dump, as objects: what `decide.recovery` has decided, and nothing beside it."""

from collections.abc import Iterator

from somamemory_operator.decide.recovery import State
from somamemory_operator.manifests.clients import migration
from somamemory_operator.manifests.parts import jobs, workloads
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.manifests.recovery import reindex, restore
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.jobs import has_ended
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.model.reasons import Reason

_KEPT = "It stays until the objects that remember say what it has done."


def build(context: Context) -> list[Wanted]:
    """Restore and reindexing, each once it may run; nothing any more when the clients are back."""
    found = context.recovery
    if context.spec.hibernated or not found.is_under_way:
        return [] if found.is_recorded else [*_ended(context, restore.COMPONENT), *_ended(context, reindex.COMPONENT)]
    accounts = [workloads.service_account(context, part) for part in (restore.COMPONENT, reindex.COMPONENT)]
    return [*(Wanted(account) for account in accounts), *_restore(context), *_reindex(context)]


def recorded(context: Context, objects: list[Obj]) -> list[Obj]:
    """The objects; those that remember how far a recovery is say so."""
    keys = {("StatefulSet", Component.POSTGRES), ("Deployment", Component.API), ("Deployment", Component.CONSUMER)}
    remembering = {(kind, names.child(context.name, component)) for kind, component in keys}
    for obj in objects:
        if context.recovery.annotations and (obj["kind"], obj["metadata"]["name"]) in remembering:
            obj["metadata"]["annotations"] = obj["metadata"].get("annotations", {}) | context.recovery.annotations
    return objects


def _restore(context: Context) -> Iterator[Wanted]:
    """One that is for another database goes before this one comes; one that is complete stays to tell."""
    chosen = context.spec.restore
    if chosen is None:
        return
    if context.recovery.state is State.REINDEXING:
        yield from _ended(context, restore.COMPONENT)
        return
    wanted = restore.job(context, chosen)
    if not jobs.is_outdated(context.world, wanted):
        text = "The dump is restored once Postgres is ready and migrated, and nobody uses the database."
        yield Wanted(wanted, Gate(context.recovery.may_restore, Reason.RESTORING, text))


def _reindex(context: Context) -> Iterator[Wanted]:
    wanted = reindex.job(context)
    may_run = context.recovery.state is State.REINDEXING and migration.is_done(context)
    if not jobs.is_outdated(context.world, wanted):
        text = "The index is made anew once the dump has been restored and migrated."
        yield Wanted(wanted, Gate(may_run, Reason.RESTORING, text))


def _ended(context: Context, component: Component) -> list[Wanted]:
    return [wanted for wanted in jobs.kept(context, component, _KEPT) if has_ended(wanted.obj)]
