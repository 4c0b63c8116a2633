"""What the Jobs of the operator have in common: each is for one database, and its name is a hash of all it does."""

from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, key_of, uid_of


def database_uid(context: Context) -> str:
    """What the data lives and dies with: the claim, or without one the pod. Empty while there is neither."""
    if context.spec.postgres.persistence.enabled:
        holder = context.world.get("PersistentVolumeClaim", names.claim(context.name, Component.POSTGRES))
    else:
        holder = context.world.get("Pod", names.pod(context.name, Component.POSTGRES))
    return uid_of(holder) if holder else ""


def for_database(job: Obj, database: str) -> Obj:
    """The Job, bound to that database: for another one it runs anew."""
    if database:
        job["metadata"]["annotations"] = {names.DATABASE_ANNOTATION: database}
    return job


def is_done(world: World, wanted: Obj) -> bool:
    """Whether this Job has completed for the database that is there now."""
    live = world.get("Job", key_of(wanted).name)
    databases = [at(obj, "metadata", "annotations", names.DATABASE_ANNOTATION) for obj in (wanted, live)]
    return live is not None and databases[0] == databases[1] and is_complete(live)


def is_complete(job: Obj) -> bool:
    """Whether a Job has succeeded."""
    conditions = at(job, "status", "conditions") or ()
    return any(condition["type"] == "Complete" and condition["status"] == "True" for condition in conditions)


def is_postgres_ready(context: Context) -> bool:
    """Whether Postgres answers, and it is known what its data lives on."""
    pod = context.world.get("Pod", names.pod(context.name, Component.POSTGRES))
    return pod is not None and is_pod_ready(pod) and database_uid(context) != ""


def is_pod_ready(pod: Obj) -> bool:
    """Whether a pod passes its readiness probe and is not on its way out."""
    conditions = at(pod, "status", "conditions") or ()
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
