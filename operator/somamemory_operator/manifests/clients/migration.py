"""The migration: a Job per version and per database, before API and consumer of that version roll."""

from somamemory_operator.decide.recovery import is_postgres_ready
from somamemory_operator.manifests.clients import preflight, program
from somamemory_operator.manifests.parts import jobs, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.model.reasons import Reason

COMPONENT = Component.MIGRATION


def build(context: Context) -> list[Wanted]:
    """ServiceAccount and Job. The name of the Job is a hash of all it does, so its template never has to change.

    It waits for Postgres. While a dump is being restored none begins, and the one that was done stays.
    """
    account = Wanted(workloads.service_account(context, COMPONENT))
    if context.recovery.may_change:
        return [account, *jobs.kept(context, COMPONENT, "The database is migrated once the dump has been restored.")]
    ready = preflight.passed(context, Component.POSTGRES)
    if ready.is_open:
        is_ready = is_postgres_ready(context.memory, context.world)
        ready = Gate(is_ready, Reason.WAITING_FOR_POSTGRES, "Waits until Postgres is ready.")
    return [account, Wanted(job(context), ready)]


def job(context: Context) -> Obj:
    """The Job that makes this database fit for this version."""
    template = program.one_off(context, COMPONENT, ["soma", "migrate"])
    name = names.migration(context.name, short_hash(template))
    # Tries again for hours, ever more seldom: whatever Postgres' trouble was, it ends without help from here.
    spec = {"activeDeadlineSeconds": jobs.DEADLINE_SECONDS, "backoffLimit": 30, "template": template}
    obj = context.obj("batch/v1", "Job", name, COMPONENT, spec=spec)
    obj["metadata"]["labels"][names.VERSION_LABEL] = context.version
    return jobs.for_database(obj, context.recovery.database)


def is_done(context: Context) -> bool:
    """Whether the Job of this version has completed for this database."""
    return jobs.is_done(context.world, job(context))


def needs_migration(context: Context) -> Gate:
    """Open once the Job of this version has completed for this database.

    It holds back a first start and a new version. Pods of this very image that are there already are repaired and
    changed meanwhile: when a database without a volume was lost, they wait for its migration by themselves.
    """
    is_open = is_done(context) or _runs_already(context)
    return Gate(is_open, Reason.WAITING_FOR_MIGRATION, "Waits until the database has been migrated to this version.")


def unless_running(context: Context, gate: Gate) -> Gate:
    """The gate, open for pods of this image that are there already."""
    return Gate(gate.is_open or _runs_already(context), gate.reason, gate.message)


def _runs_already(context: Context) -> bool:
    """Whether API or consumer is deployed with this very image."""
    clients = (names.child(context.name, part) for part in (Component.API, Component.CONSUMER))
    live = (context.world.get("Deployment", name) for name in clients)
    containers = (at(obj, "spec", "template", "spec", "containers") or () for obj in live)
    return any(container["image"] == context.api_image() for group in containers for container in group)
