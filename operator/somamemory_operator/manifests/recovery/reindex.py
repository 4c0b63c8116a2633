"""Making the index anew from what a restore brought back: versions alone cannot tell that an entry is another one."""

from somamemory_operator.manifests.clients import program
from somamemory_operator.manifests.parts import jobs
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.REINDEX


def job(context: Context) -> Obj:
    """The Job, for this restore into this database."""
    template = program.one_off(context, COMPONENT, ["soma", "reconcile", "--rewrite", "--output", "json"])
    target = context.recovery.target
    name = f"{names.child(context.name, COMPONENT)}-{short_hash(template, target)}"
    # Tries again for hours: the index may be away. What was written stays written, so that each try goes on.
    spec = {"activeDeadlineSeconds": jobs.DEADLINE_SECONDS, "backoffLimit": 30, "template": template}
    return jobs.for_database(context.obj("batch/v1", "Job", name, COMPONENT, spec=spec), target)
