"""Restore: a Job that brings one dump back, in one transaction, and leaves its mark in the database."""

from somamemory_operator.manifests.parts import jobs
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.manifests.recovery import backup
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.backup import Backup, Restore

COMPONENT = Component.RESTORE
_REFUSALS = [64, 65, 66, 67]
"""Exit codes of restore.sh that trying again does not change. With them it has changed nothing."""


def job(context: Context, restore: Restore) -> Obj:
    """The Job, for the database that is there now."""
    variables = {"FILE": restore.source, "MARK": restore.mark, "REPLACE": str(restore.replace_existing).lower()}
    chosen = context.spec.backup or Backup()
    template = backup.template(context, COMPONENT, chosen, "restore.sh", variables)
    codes = {"containerName": COMPONENT.value, "operator": "In", "values": _REFUSALS}
    spec = {
        "activeDeadlineSeconds": restore.active_deadline_seconds,
        "backoffLimit": 6,
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": codes}]},
        "template": template,
    }
    name = f"{names.child(context.name, COMPONENT)}-{short_hash(template)}"
    return jobs.for_database(context.obj("batch/v1", "Job", name, COMPONENT, spec=spec), context.recovery.target)
