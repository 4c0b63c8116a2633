"""Postgres takes its new password: a Job of the API's image that logs in by the old one, once per rotation."""

from somamemory_operator.decide.recovery import is_postgres_ready
from somamemory_operator.decide.rotation import programs_know
from somamemory_operator.decide.sources import POSTGRES_PASSWORD
from somamemory_operator.manifests.clients import program
from somamemory_operator.manifests.parts import jobs, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.reasons import Reason

COMPONENT = Component.ROTATION


def build(context: Context) -> list[Wanted]:
    """ServiceAccount and Job, as long as Postgres has a password to take."""
    coming = context.credentials.coming
    if POSTGRES_PASSWORD not in coming or context.recovery.is_under_way:
        return []
    know = programs_know(POSTGRES_PASSWORD, coming, context.memory, context.world, context.now)
    gate = Gate(
        know and is_postgres_ready(context.memory, context.world),
        Reason.ROTATING,
        "Postgres takes its new password once it is ready and every program knows both.",
    )
    return [Wanted(workloads.service_account(context, COMPONENT)), Wanted(_job(context), gate)]


def _job(context: Context) -> dict[str, object]:
    template = program.one_off(context, COMPONENT, ["soma", "rotate-password", "--output", "json"])
    ordinal = context.credentials.ordinal
    name = f"{names.child(context.name, COMPONENT)}-{short_hash(template, ordinal)}"
    spec = {"activeDeadlineSeconds": jobs.DEADLINE_SECONDS, "backoffLimit": 30, "template": template}
    obj = context.obj("batch/v1", "Job", name, COMPONENT, spec=spec)
    obj["metadata"]["annotations"] = {names.ROTATION_ANNOTATION: ordinal}
    return obj
