"""The way back from a dump: clients stop, the dump is restored, migrated and indexed, and the clients come back."""

from somamemory_operator.decide.recovery import is_restored
from somamemory_operator.manifests.clients import migration
from somamemory_operator.manifests.parts import jobs
from somamemory_operator.manifests.parts import workloads as stores
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.manifests.recovery import reindex, restore
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, component_of
from somamemory_operator.model.reasons import Reason

_CLIENTS = frozenset({Component.API.value, Component.CONSUMER.value})


def build(context: Context) -> list[Wanted]:
    """Restore and reindexing, each once what it needs is there; nothing any more when the clients are back."""
    chosen = context.spec.restore
    if chosen is None or context.spec.hibernated or is_restored(context.memory, context.world):
        return []
    accounts = [stores.service_account(context, part) for part in (restore.COMPONENT, reindex.COMPONENT)]
    return [
        *(Wanted(account) for account in accounts),
        Wanted(restore.job(context, chosen), _needs_calm(context)),
        Wanted(reindex.job(context), _needs_restored(context)),
    ]


def is_pending(context: Context) -> bool:
    """Whether API and consumer must have no pods, because the memories are being brought back."""
    if context.spec.restore is None or context.spec.hibernated or is_restored(context.memory, context.world):
        return False
    return not (_is_restored_and_migrated(context) and jobs.is_done(context.world, reindex.job(context)))


def marked(context: Context, objects: list[Obj]) -> list[Obj]:
    """The clients' objects; Deployments of what was restored say so, which keeps it from being done again."""
    chosen = context.spec.restore
    for obj in objects:
        if chosen is not None and obj["kind"] == "Deployment" and not is_pending(context):
            obj["metadata"]["annotations"] = {names.RESTORED_ANNOTATION: chosen.mark}
    return objects


def _needs_calm(context: Context) -> Gate:
    """Open once Postgres has the roles of a migrated database, and nobody works with it.

    A Job that is there already is not held back: it is only repaired.
    """
    migrated = jobs.is_postgres_ready(context) and jobs.is_done(context.world, migration.job(context))
    pods = [pod for pod in context.world.of_kind("Pod") if component_of(pod) in _CLIENTS]
    text = "The dump is restored once Postgres is ready and migrated, and API and consumer have stopped."
    return Gate(restore.has_happened(context) or (migrated and not pods), Reason.RESTORING, text)


def _needs_restored(context: Context) -> Gate:
    text = "The index is made anew once the dump has been restored and migrated."
    return Gate(_is_restored_and_migrated(context), Reason.RESTORING, text)


def _is_restored_and_migrated(context: Context) -> bool:
    return restore.has_happened(context) and jobs.is_done(context.world, migration.job(context))
